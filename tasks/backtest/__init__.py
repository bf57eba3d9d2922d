"""Backtest: every model and blend measured on one dataset, nothing published."""
