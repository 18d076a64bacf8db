"""Cleaning: what is left out of a corpus, each time with the reason."""
