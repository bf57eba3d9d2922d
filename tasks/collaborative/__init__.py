"""Collaborative neighbours: which track in a history speaks for which other track, and how much."""
