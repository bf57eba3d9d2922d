"""Write random lists and what RecTools says of them, by default as rectools_reference.json.

RecTools wants pandas < 3 and so cannot live in this project's environment. Run it in its own, as
test_rectools.py does:

    uv venv /tmp/rectools && uv pip install --python /tmp/rectools/bin/python rectools==0.19.0
    /tmp/rectools/bin/python -m tests.tasks.evaluation.rectools_reference [SEED FILE]
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

REFERENCE = Path(__file__).with_suffix(".json")
USERS, ITEMS, LENGTH = 30, 50, 25


def random_lists(seed: int = 20) -> dict[str, Any]:
    """Return lists and targets per user, an artist per item and who played what."""
    rng = np.random.default_rng(seed)
    plays = [sorted(rng.permutation(ITEMS)[: rng.integers(1, 20)].tolist()) for _ in range(USERS)]
    plays[0] = list(range(ITEMS))  # everything has a listener
    return {
        "ranked": [rng.permutation(ITEMS)[:LENGTH].tolist() for _ in range(USERS)],
        "targets": [
            sorted(rng.permutation(ITEMS)[: rng.integers(1, 13)].tolist()) for _ in range(USERS)
        ],
        "plays": plays,
        "artist": rng.integers(0, 8, ITEMS).tolist(),
    }


def pairs(rows: list[list[int]]) -> pd.DataFrame:
    """Return one row per user and item, with ranks from 1."""
    return pd.DataFrame(
        [
            {"user_id": user, "item_id": item, "rank": rank}
            for user, row in enumerate(rows)
            for rank, item in enumerate(row, start=1)
        ]
    )


def reference(lists: dict[str, Any]) -> dict[str, list[float] | float]:
    """Return RecTools' values: one per user, or one for all lists."""
    from rectools import metrics  # type: ignore[import-not-found]

    ranked, targets, plays = (pairs(lists[name]) for name in ("ranked", "targets", "plays"))
    found: dict[str, list[float] | float] = {}
    for k in (1, 5, 10, LENGTH):
        named = {
            "recall": metrics.Recall(k=k),
            "ndcg": metrics.NDCG(k=k, divide_by_achievable=True),
            "map": metrics.MAP(k=k),
            "hit_rate": metrics.HitRate(k=k),
        }
        for name, metric in named.items():
            values = metric.calc_per_user(ranked, targets)
            found[f"{name}@{k}"] = values.sort_index().tolist()
        catalogue = range(ITEMS)
        coverage = metrics.CatalogCoverage(k=k, normalize=True)
        found[f"coverage@{k}"] = float(coverage.calc(ranked, catalogue))
        novelty = metrics.MeanInvUserFreq(k=k)
        found[f"novelty@{k}"] = novelty.calc_per_user(ranked, plays).sort_index().tolist()
    artists = pd.DataFrame({"artist": lists["artist"]}, index=range(ITEMS))
    distance = metrics.PairwiseHammingDistanceCalculator(artists)
    for k in (5, 10, LENGTH):
        diversity = metrics.IntraListDiversity(k=k, distance_calculator=distance)
        found[f"diversity@{k}"] = diversity.calc_per_user(ranked).sort_index().tolist()
    return found


if __name__ == "__main__":
    seed, file = sys.argv[1:] or (20, REFERENCE)
    lists = random_lists(int(seed))
    Path(file).write_text(json.dumps({**lists, "expected": reference(lists)}) + "\n")
