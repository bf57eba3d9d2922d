"""What a run shows in the Prefect UI, one page each: checks, evaluation, difference, summary."""
