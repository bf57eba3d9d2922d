"""Keep each target's best sources or each source's best targets: quality of the walk and of BM25.

`python -m tests.benchmarks.neighbour_sides hetrec=FOLDER ml-1m=FOLDER`

NAME is `hetrec` (Kaggle columns) or `ml-1m` (views.csv), FOLDER holds the files. Tracks with one
listener count too. A fifth of the listeners (at most 400) is held out with 80 % of its
tracks folded in; the difference is paired, its interval a bootstrap over listeners.
"""

import argparse
from pathlib import Path

from tasks.collaborative.find_edges import weight_matrix
from tasks.collaborative.interactions import Interactions
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.evaluation.bootstrap import interval, resample_counts, resampled_means
from tasks.tuning.folds import measure
from tasks.tuning.parameters import TuneParameters
from tasks.tuning.search import tuning_fold
from tests.benchmarks.neighbours_quality import FILES, plays

MODELS = ("rp3beta", "bm25")
METRIC = "ndcg@100"


def main() -> None:
    """Print a row for every data set and model."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("data", nargs="+", metavar="NAME=FOLDER")
    print(f"{METRIC}, `target`, `source`, gain of `source` with its 95 % interval")
    for name, _, folder in (given.partition("=") for given in arguments.parse_args().data):
        if name not in FILES:
            arguments.error(f"{name} is none of {', '.join(FILES)}")
        matrix = plays(name, Path(folder), fewest=1)
        fold = tuning_fold(matrix, TuneParameters(share=0.2, most_listeners=400))
        training = Interactions.of(fold.training)
        for model in MODELS:
            target, source = (
                measure(
                    weight_matrix(
                        training,
                        CollaborativeParameters.model_validate(
                            {"model": model, "neighbours_of": side}
                        ),
                    ),
                    fold,
                )[METRIC]
                for side in ("target", "source")
            )
            gain = source - target
            means = resampled_means(resample_counts(len(gain), 1_000, seed=0), gain[:, None])
            low, high = (float(end[0]) for end in interval(means, 0.95))
            print(
                f"{name:8} {model:8} {target.mean():.4f} {source.mean():.4f} "
                f"{gain.mean():+.4f} ({low:+.4f} … {high:+.4f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
