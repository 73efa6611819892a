"""The pictures of the book; those on the site that answer start as these."""
