"""Measurements against named baselines, all in one run; one question a file."""
