"""Hybrid scoring: collaborative and content sums blended into ranked lists.

The definition is docs/scoring.md. It exists twice, here as a compiled kernel that writes the
precomputed tables and in warehouse/contract/macros as SQL for query time; both take the same
whole-number sums through the same double expressions, so they agree to the last digit.
"""
