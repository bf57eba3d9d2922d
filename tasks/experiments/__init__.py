"""Controlled experiments: assignment to variants, and their measured effects.

Pure NumPy and SciPy. docs/experiments.md describes the method with an example worked by hand.
"""
