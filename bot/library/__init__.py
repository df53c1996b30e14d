"""Files that people edit; what is wrong in them is said with file, place and remedy."""
