"""Measurements against named peers; one question a file, all peers in one run."""
