"""Data larger than memory, and training in many processes."""
