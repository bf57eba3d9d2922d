"""Tuning: choose the learned model's parameters for a dataset by measurement."""
