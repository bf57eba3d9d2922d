"""Controlled experiments: who is in which variant, and what each variant changed.

Pure NumPy and SciPy. docs/experiments.md tells the method and works an example by hand.
"""
