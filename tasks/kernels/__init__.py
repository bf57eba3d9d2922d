"""Compiled loops that several stages use: the best of a stream, and sorting."""
