"""Compiled loops that rank: sums over a history, the best k, fillers."""
