"""Compiled loops over who played what: co-occurrences, Gram entries, solves."""
