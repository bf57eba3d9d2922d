"""What a run shows in the Prefect UI: one report of a run; a page for checks, backtest, tuning."""
