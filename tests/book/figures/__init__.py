"""What each figure of the book must show, a module for each chapter.

PICTURES holds a function for each figure in its order; it gets the figure and
the names of the chapter at that cell, and asserts.
"""
