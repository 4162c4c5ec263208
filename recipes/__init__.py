"""One task a file, run as `python -m recipes.NAME`."""
