"""The page `backtest`: every model and blend of one dataset, side by side."""

import pyarrow as pa

from flows.artifacts.evaluation import compared


def backtest_markdown(measured: pa.Table) -> str:
    """Return a backtest as a page of Markdown."""
    return "\n".join(["# Backtest", "", "Nothing was published.", "", *compared(measured)])
