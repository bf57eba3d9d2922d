"""A seeded synthetic twin of the Kaggle files, from laptop size to ten times their size."""

from tasks.sample.generate import SampleParameters, SampleSummary, generate_sample

__all__ = ["SampleParameters", "SampleSummary", "generate_sample"]
