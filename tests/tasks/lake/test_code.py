"""Stage keys cover the code: what an edit computes again, and what it leaves alone."""

import re
import shutil
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tasks.lake import code
from tasks.lake.code import OURS, RESOURCES, ROOT, code_digest, source_files, tree_digest

STAGES = {
    "ingest": "tasks.ingest.stage",
    "holdout": "tasks.holdout.stage",
    "choice": "tasks.choice.stage",
    "collaborative": "tasks.collaborative.stage",
    "content": "tasks.content.stage",
    "lists": "tasks.blend.stage",
    "evaluation": "tasks.evaluation.stage",
    "hiding": "tasks.evaluation.hiding",
    "past": "tasks.evaluation.past",
    "temporal": "tasks.evaluation.temporal",
    "measured": "tasks.release.measured",
    "feedback": "tasks.feedback.stage",
    "experiments": "tasks.experiments.stage",
    "cold": "tasks.backtest.cold_stage",
    "frozen": "tasks.refresh.frozen",
    "refreshed": "tasks.refresh.stage",
    "release": "tasks.release.build",
}

EVERY = " ".join(STAGES)
ON_DASK = "collaborative content lists evaluation temporal cold"
BLEND = "lists evaluation temporal cold measured"
FROM_FILES = "ingest feedback experiments"
MEASURING = "evaluation hiding past temporal cold"

DEPENDENTS: tuple[tuple[str, str], ...] = (
    # What runs stages, looks at releases or makes samples decides no result.
    ("flows/*", ""),
    ("tasks/sample/*", ""),
    ("tasks/tuning/*", ""),
    ("tasks/forgetting/*", ""),
    ("warehouse/explorer/*", ""),
    ("warehouse/serve/*", ""),
    ("warehouse/releases/difference/*", ""),
    ("warehouse/releases/retention.py", ""),
    ("warehouse/contract/document.py", ""),
    ("tasks/lake/contracts/document.py", ""),
    ("tasks/lake/retention.py", ""),
    ("tasks/dataset/detect/*", ""),
    ("warehouse/releases/batches.py", ""),
    ("warehouse/hosts.py", ""),
    ("warehouse/secret_file.py", ""),
    ("warehouse/redaction.py", ""),
    ("warehouse/releases/revision.py", ""),
    ("warehouse/build/forgetting.py", ""),
    ("warehouse/spreadsheets.py", ""),
    # The warehouse: releases are made of it; stages share its constants.
    ("warehouse/releases/*", "release"),
    ("warehouse/build/*", "release"),
    ("warehouse/contract/constants.py", f"{ON_DASK} hiding past measured experiments release"),
    ("warehouse/contract/__init__.py", f"{ON_DASK} hiding past measured experiments release"),
    ("warehouse/contract/*", "release"),
    ("warehouse/listener_ids.py", FROM_FILES),
    ("warehouse/statements.py", f"{FROM_FILES} release"),
    ("warehouse/*", EVERY),
    # The lake: every stage keeps a record, those on Dask work in blocks.
    ("tasks/__init__.py", EVERY),
    ("tasks/lake/blocks.py", f"choice {ON_DASK}"),
    ("tasks/lake/tombstones.py", FROM_FILES),
    ("tasks/lake/plays.py", f"choice {ON_DASK} measured"),
    ("tasks/lake/contracts/edges.py", f"{ON_DASK} measured"),
    ("tasks/lake/contracts/inputs.py", f"{FROM_FILES} content {MEASURING} release"),
    ("tasks/lake/contracts/quality.py", f"{FROM_FILES} content {MEASURING} measured release"),
    ("tasks/lake/contracts/stages/__init__.py", EVERY),
    (
        "tasks/lake/contracts/stages/ingest.py",
        f"{FROM_FILES} content evaluation hiding past temporal release",
    ),
    ("tasks/lake/contracts/stages/holdout.py", "holdout choice past measured"),
    ("tasks/lake/contracts/stages/choice.py", "choice"),
    ("tasks/lake/contracts/stages/collaborative.py", "collaborative measured"),
    ("tasks/lake/contracts/stages/content.py", "content cold measured"),
    ("tasks/lake/contracts/stages/lists.py", "lists frozen"),
    ("tasks/lake/contracts/stages/frozen.py", "frozen"),
    ("tasks/lake/contracts/stages/hiding.py", "evaluation temporal hiding"),
    ("tasks/lake/contracts/stages/past.py", "past"),
    ("tasks/lake/contracts/stages/temporal.py", "temporal"),
    ("tasks/lake/contracts/stages/evaluation.py", "evaluation temporal measured cold"),
    ("tasks/lake/contracts/stages/measured.py", "measured"),
    ("tasks/lake/contracts/stages/feedback.py", "feedback experiments"),
    ("tasks/lake/contracts/stages/experiments.py", "experiments"),
    ("tasks/lake/*", EVERY),
    # Loops that several stages use.
    ("tasks/kernels/__init__.py", f"choice {ON_DASK} measured release"),
    ("tasks/kernels/heap.py", "choice collaborative content cold release"),
    ("tasks/kernels/sorting.py", BLEND),
    # Reading files. Feedback is read as plays are; experiments are sums over feedback.
    ("tasks/dataset/__init__.py", f"{FROM_FILES} release"),
    ("tasks/dataset/experiments.py", f"{FROM_FILES} release"),
    ("tasks/dataset/*", FROM_FILES),
    ("tasks/ingest/__init__.py", f"{FROM_FILES} release"),
    ("tasks/ingest/checks.py", f"{FROM_FILES} release"),
    ("tasks/ingest/limits.py", f"{FROM_FILES} release"),
    ("tasks/ingest/*.sql", f"{FROM_FILES} release"),
    ("tasks/ingest/*", FROM_FILES),
    ("tasks/feedback/*", "feedback experiments"),
    ("tasks/experiments/__init__.py", "experiments release"),
    ("tasks/experiments/*.sql", "experiments release"),
    ("tasks/experiments/assignment.py", "release"),
    ("tasks/experiments/*", "experiments"),
    # Models and what is measured of them.
    ("tasks/holdout/rule.py", "holdout choice evaluation past temporal measured"),
    ("tasks/holdout/stage.py", "holdout choice measured"),
    ("tasks/holdout/*", "holdout choice evaluation hiding past temporal measured"),
    ("tasks/choice/*", "choice"),
    ("tasks/collaborative/stage.py", "collaborative"),
    ("tasks/collaborative/tables.py", "collaborative cold"),
    ("tasks/collaborative/mapped.py", "choice collaborative"),
    ("tasks/collaborative/*", "choice collaborative cold"),
    ("tasks/content/stage.py", "content"),
    ("tasks/content/hubness.py", "content cold"),
    ("tasks/content/*", "content cold"),
    ("tasks/blend/stage.py", "lists"),
    ("tasks/blend/earlier.py", "lists"),
    ("tasks/blend/listen_days.py", "lists"),
    ("tasks/blend/parameters.py", f"{BLEND} hiding past experiments release"),
    ("tasks/blend/__init__.py", f"{BLEND} hiding past experiments release"),
    ("tasks/blend/neighbours.py", "temporal release"),
    ("tasks/blend/ranking.py", "lists evaluation temporal cold"),
    ("tasks/blend/strength.py", "lists evaluation temporal"),
    ("tasks/blend/kernels/rank.py", "lists evaluation temporal cold"),
    ("tasks/blend/*", BLEND),
    # What a release knows of artists and of tracks that follow each other.
    ("tasks/music/*", "release"),
    ("tasks/evaluation/plots.py", "release"),
    ("tasks/evaluation/models.py", "evaluation temporal release"),
    ("tasks/evaluation/__init__.py", f"{MEASURING} release"),
    ("tasks/evaluation/bootstrap.py", "evaluation temporal"),
    ("tasks/evaluation/metrics.py", "evaluation temporal cold"),
    ("tasks/evaluation/points.py", "evaluation temporal cold"),
    ("tasks/evaluation/refit.py", ""),
    ("tasks/evaluation/hiding.py", "evaluation temporal hiding"),
    ("tasks/evaluation/parameters.py", "evaluation temporal hiding past"),
    ("tasks/evaluation/cut.py", "past"),
    ("tasks/evaluation/past.py", "past"),
    ("tasks/evaluation/past_tables.py", "past"),
    ("tasks/evaluation/temporal.py", "temporal"),
    ("tasks/evaluation/in_time.py", "temporal"),
    ("tasks/evaluation/half_life.py", "temporal"),
    ("tasks/evaluation/*", "evaluation temporal"),
    ("tasks/refresh/base.py", ""),
    ("tasks/refresh/patchable.py", ""),
    ("tasks/refresh/stage.py", "refreshed"),
    ("tasks/refresh/unchanged.py", "refreshed"),
    ("tasks/refresh/touched.py", "refreshed"),
    ("tasks/refresh/moves.py", "frozen refreshed"),
    ("tasks/refresh/__init__.py", "frozen refreshed"),
    ("tasks/refresh/*", "frozen"),
    ("tasks/backtest/stage.py", ""),
    ("tasks/backtest/*", "cold"),
    ("tasks/release/stage.py", ""),
    ("tasks/release/gate.py", ""),
    ("tasks/release/rivals.py", ""),
    ("tasks/release/rerank.py", ""),
    ("tasks/release/measured_model.py", ""),
    ("tasks/release/measured.py", "measured"),
    ("tasks/release/__init__.py", "measured release"),
    ("tasks/release/*.sql", "measured release"),
    ("tasks/release/*", "release"),
)
"""Which stages an edit of a file computes again; the first pattern that fits counts."""


REFRESHING = {"lists": "refreshed", "content": "frozen"}
"""Stages of a refresh that do by the same code what another stage does."""


def dependents(file: str) -> set[str]:
    for pattern, stages in DEPENDENTS:
        if fnmatch(file, pattern):
            found = set(stages.split())
            return found.union(*({also} for stage, also in REFRESHING.items() if stage in found))
    raise AssertionError(f"no row of DEPENDENTS says which stages depend on {file}")


def digest(module: str, root: Path) -> str:
    code._code_digest.cache_clear()
    return code_digest(module, root)


def edit(root: Path, files: Iterable[str]) -> dict[Path, bytes]:
    """Append a comment to the files; return what they held."""
    before = {root / file: (root / file).read_bytes() for file in files}
    for path, text in before.items():
        path.write_bytes(text + (b"#" if path.suffix == ".py" else b"--"))
    return before


def restore(before: dict[Path, bytes]) -> None:
    for path, text in before.items():
        path.write_bytes(text)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the code."""
    root = tmp_path_factory.mktemp("tree")
    for package in OURS:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("*.pyc"))
    return root


def sources(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root))
        for package in OURS
        for path in (root / package).rglob("*")
        if path.suffix in {".py", *RESOURCES}
    )


@pytest.mark.parametrize("stage", STAGES)
def test_an_edit_computes_again_what_depends_on_it_and_nothing_else(tree: Path, stage: str) -> None:
    module, files = STAGES[stage], sources(tree)
    others = [file for file in files if stage not in dependents(file)]
    covered = source_files(module, tree)
    noticed = {str(path.relative_to(tree)) for path in covered}
    assert noticed & set(others) == set(), "the stage depends on files it has no need of"
    untouched = digest(module, tree)
    unnoticed = []
    for file in set(files) - set(others):
        before = edit(tree, [file])
        if code._digest(covered, tree) == untouched:  # a comment changes no import
            unnoticed.append(file)
        restore(before)
    assert unnoticed == [], "an edit would reuse the old result"
    before = edit(tree, others)
    assert digest(module, tree) == untouched
    restore(before)


def test_every_stage_is_in_the_table() -> None:
    keyed = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "tasks").rglob("*.py")
        if "code_digest(__name__)" in path.read_text()
    }
    assert keyed | {"tasks.release.build"} == set(STAGES.values())


def written(root: Path, **files: str) -> Path:
    """Write modules given as ``tasks__a__b=text``; every folder is a package."""
    for name, text in files.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for folder in [*root.rglob("*")]:
        if folder.is_dir() and not (folder / "__init__.py").exists():
            (folder / "__init__.py").write_text("")
    return root


def found(root: Path, module: str) -> set[str]:
    return {str(path.relative_to(root)) for path in source_files(module, root)}


PACKAGES = {"tasks/__init__.py", "tasks/a/__init__.py"}


@pytest.mark.parametrize(
    "text",
    [
        "import tasks.b.other",
        "from tasks.b import other",
        "from tasks.b.other import name",
        "from ..b import other",
        "from ..b.other import name",
        "def late():\n    from tasks.b import other",
        "class Late:\n    def method(self):\n        import tasks.b.other",
        "MODELS = {'name': 'tasks.b.other:Class'}",
        "try:\n    import tasks.b.other\nexcept ImportError:\n    pass",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1\nelse:\n"
        "    import tasks.b.other",
    ],
)
def test_imports_count_wherever_they_are(tmp_path: Path, text: str) -> None:
    written(tmp_path, tasks__a__it=text, tasks__b__other="name = 1", tasks__b__unused="")
    expected = {"tasks/a/it.py", "tasks/b/other.py", "tasks/b/__init__.py"} | PACKAGES
    assert found(tmp_path, "tasks.a.it") == expected


@pytest.mark.parametrize("test", ["TYPE_CHECKING", "typing.TYPE_CHECKING"])
def test_what_only_a_type_checker_imports_does_not_count(tmp_path: Path, test: str) -> None:
    written(
        tmp_path,
        tasks__a__it=f"import typing\nif {test}:\n    from tasks.b import other",
        tasks__b__other="",
    )
    assert found(tmp_path, "tasks.a.it") == {"tasks/a/it.py"} | PACKAGES


def test_packages_count_with_what_they_import(tmp_path: Path) -> None:
    written(tmp_path, tasks__a__it="", tasks__b__other="")
    (tmp_path / "tasks/a/__init__.py").write_text("import tasks.b.other")
    assert "tasks/b/other.py" in found(tmp_path, "tasks.a.it")


def test_sql_counts_in_subfolders_too_but_not_in_packages_below(tmp_path: Path) -> None:
    written(tmp_path, tasks__a__it="from pathlib import Path", tasks__a__below__it="")
    for name in ("tasks/a/beside.sql", "tasks/a/sql/deep/one.sql", "tasks/a/below/other.sql"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("SELECT 1")
    (tmp_path / "tasks/a/notes.md").write_text("no code")
    read = {"tasks/a/it.py", "tasks/a/beside.sql", "tasks/a/sql/deep/one.sql"}
    assert found(tmp_path, "tasks.a.it") == read | PACKAGES


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("LIMIT = 3", False),
        ("from enum import IntEnum\nfrom collections.abc import Mapping", False),
        ("import duckdb", True),
        ("from importlib.resources import files", True),
        ("text = open(__file__)", True),
        ("from tasks.b.other import read", True),
    ],
)
def test_sql_counts_for_modules_that_can_read_it(tmp_path: Path, text: str, reads: bool) -> None:
    written(tmp_path, tasks__a__it=text, tasks__b__other="")
    (tmp_path / "tasks/a/one.sql").write_text("SELECT 1")
    assert ("tasks/a/one.sql" in found(tmp_path, "tasks.a.it")) is reads


def test_sql_of_a_package_that_is_named_counts(tmp_path: Path) -> None:
    written(tmp_path, tasks__a__it="statement('tasks.b', 'one')", tasks__b__other="")
    (tmp_path / "tasks/b/one.sql").write_text("SELECT 1")
    assert "tasks/b/one.sql" in found(tmp_path, "tasks.a.it")
    assert "tasks/b/other.py" not in found(tmp_path, "tasks.a.it")


def test_circles_end_and_libraries_do_not_count(tmp_path: Path) -> None:
    written(tmp_path, tasks__a__it="import numpy, tasks.a.me", tasks__a__me="import tasks.a.it")
    assert found(tmp_path, "tasks.a.it") == {"tasks/a/it.py", "tasks/a/me.py"} | PACKAGES


def test_a_file_that_is_renamed_changes_the_digest(tmp_path: Path) -> None:
    written(tmp_path, tasks__a__it="from tasks.a import one, two", tasks__a__one="x = 1")
    before = digest("tasks.a.it", tmp_path)
    (tmp_path / "tasks/a/one.py").rename(tmp_path / "tasks/a/two.py")
    assert digest("tasks.a.it", tmp_path) != before


def test_the_digest_of_a_tree_covers_what_nothing_imports(tmp_path: Path) -> None:
    written(tmp_path, tasks__a__it="", tasks__a__unused="")
    before = tree_digest("tasks", tmp_path)
    (tmp_path / "tasks/a/unused.py").write_text("#")
    assert tree_digest("tasks", tmp_path) != before
    assert re.fullmatch("[0-9a-f]{24}", before)
