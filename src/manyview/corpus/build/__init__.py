"""Build: the parts of all sources become a corpus."""
