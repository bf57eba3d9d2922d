"""Models by name: ours, and those of a package that is really installed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from distributed import Client, LocalCluster
from pydantic import ValidationError

from flows.settings import load_settings
from tasks.collaborative.find_edges import weight_matrix
from tasks.collaborative.models import registry
from tasks.collaborative.models.base import CollaborativeModel, CooccurrenceModel
from tasks.collaborative.models.registry import BUILT_IN, model_named, model_names, model_origin
from tasks.collaborative.parameters import CollaborativeParameters
from tasks.collaborative.stage import collaborative_stage
from tests.conftest import BIN, CommandLine, Sample
from tests.tasks.collaborative import oracle
from tests.tasks.collaborative.test_stage import lake_interactions
from warehouse.contract.constants import WEIGHT_SCALE
from warehouse.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "example_model"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example package into a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run(
        [BIN / "uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--offline",
         "--python", sys.executable, "--target", folder, EXAMPLE],
        check=True,
    )  # fmt: skip
    return folder


@pytest.fixture
def with_jaccard(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(installed)
    model_named.cache_clear()
    yield installed
    model_named.cache_clear()
    for name in [name for name in sys.modules if name.startswith("crossfade_jaccard")]:
        del sys.modules[name]


def test_every_model_of_ours_is_usable() -> None:
    assert model_names() == tuple(BUILT_IN)
    for name in BUILT_IN:
        assert isinstance(model_named(name), CooccurrenceModel)
        assert model_origin(name) is None
        own = CollaborativeParameters(model=name).of(model_named(name).parameters)
        assert own == model_named(name).parameters()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError) as told:
        load_settings(model="lerned")
    assert "the known models are auto, learned, cosine, asymmetric_cosine, rp3beta, bm25" in str(
        told.value
    )
    assert "'lerned'" in str(told.value)
    with pytest.raises(InputError, match="known ones are learned, cosine"):
        model_named("lerned")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("neigbours", 3, "no model has this parameter"), ("ridge", -1.0, "greater than 0")],
)
def test_a_wrong_key_or_value_is_named(key: str, value: float, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as told:
        CollaborativeParameters.model_validate({key: value})
    assert told.value.errors()[0]["loc"] == (key,)


def test_parameters_of_other_models_have_no_effect_but_are_checked(with_jaccard: Path) -> None:
    del with_jaccard
    given = CollaborativeParameters.model_validate({"model": "cosine", "smoothing": 2})
    assert given.of(model_named("jaccard").parameters).model_dump() == {
        "neighbours": 100,
        "smoothing": 2.0,
    }
    with pytest.raises(ValidationError) as told:
        CollaborativeParameters.model_validate({"smoothing": -1})
    assert told.value.errors()[0]["loc"] == ("smoothing",)


def test_an_installed_model_is_found_and_right(with_jaccard: Path) -> None:
    del with_jaccard
    assert model_names() == (*BUILT_IN, "jaccard")
    X = oracle.random_interactions(8, 90, 30, 0.2)
    parameters = CollaborativeParameters.model_validate(
        {"model": "jaccard", "neighbours": 7, "smoothing": 1.5}
    )
    dense = oracle.dense(X)
    together = dense.T @ dense
    n = np.diag(together)
    expected = together / (n[:, None] + n[None, :] - together + 1.5)
    found = weight_matrix(X, parameters).toarray()
    for j in range(30):
        kept = oracle.top(expected[:, j], j, 7)
        np.testing.assert_array_equal(np.flatnonzero(found[:, j]), kept)
        np.testing.assert_allclose(found[kept, j], expected[kept, j])


def test_workers_find_it_and_its_code_is_part_of_the_key(
    with_jaccard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(with_jaccard))
    X = oracle.random_interactions(9, 60, 60, 0.2)
    plays = lake_interactions(X, tmp_path / "interactions.parquet")
    parameters = CollaborativeParameters.model_validate({"model": "jaccard", "similar": 5})
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        result = collaborative_stage(tmp_path, client, plays, 60, None, parameters)
        again = collaborative_stage(tmp_path, client, plays, 60, None, parameters)
        file = with_jaccard / "crossfade_jaccard" / "__init__.py"
        before = file.read_text()
        file.write_text(before + "#")
        edited = collaborative_stage(tmp_path, client, plays, 60, None, parameters)
        file.write_text(before)
    assert again.reused
    assert not edited.reused
    assert edited["weights"].digest == result["weights"].digest
    largest = int(result["weights"].read()["weight"].to_numpy().max())
    exact = float(weight_matrix(X, parameters).data.max())
    assert largest == round(exact * WEIGHT_SCALE)  # it keeps its scale


def test_the_version_of_its_distribution_is_part_of_the_key(with_jaccard: Path) -> None:
    origin = model_origin("jaccard")
    assert origin is not None
    assert origin["distribution"] == "crossfade-jaccard"
    assert origin["version"] == "1.2.0"
    (metadata,) = with_jaccard.glob("crossfade_jaccard-*.dist-info/METADATA")
    text = metadata.read_text()
    metadata.write_text(text.replace("Version: 1.2.0", "Version: 1.3.0"))
    try:
        assert model_origin("jaccard") == origin | {"version": "1.3.0"}
    finally:
        metadata.write_text(text)


def offered(folder: Path, name: str, value: str, text: str) -> None:
    """Write a module and the metadata of a distribution that offers it as a model."""
    (folder / f"{name}_module.py").write_text(text)
    metadata = folder / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{value}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise ImportError('no such library')", "cannot be loaded: no such library"),
        ("", "cannot be loaded: .*has no attribute 'Model'"),
        ("Model = 3", "'broken' is a int, no CollaborativeModel"),
    ],
)
def test_a_broken_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    offered(tmp_path, "broken", "broken = broken_module:Model", text)
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("broken_module", None)
    with pytest.raises(InputError, match=message):
        model_named("broken")
    assert model_names()[-1] == "broken"


def test_two_packages_with_one_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("first", "second"):
        offered(tmp_path, name, f"twice = {name}_module:Model", "")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match="several packages offer a model 'twice'"):
        model_named("twice")


def test_a_model_without_a_second_pass_says_so() -> None:
    assert CollaborativeModel.has_second_pass(model_named("cosine"), None) is False


@pytest.mark.slow
def test_a_run_takes_a_model_of_another_package(
    installed: Path, sample: Sample, prefect_server: dict[str, str], tmp_path: Path
) -> None:
    crossfade = CommandLine(
        tmp_path,
        {**prefect_server, "CROSSFADE_HOME": str(tmp_path / "home"), "PYTHONPATH": str(installed)},
    )
    assert "jaccard" in crossfade("run", "--help").stdout
    (tmp_path / "crossfade.toml").write_text("[collaborative]\nsmoothing = 2\n")
    done = crossfade("run", *sample.flags, "--model", "jaccard")
    assert done.returncode == 0, done.stderr
    (manifest,) = (tmp_path / "home" / "warehouse" / "releases").glob("*/manifest.json")
    parameters = json.loads(manifest.read_text())["parameters"]["collaborative"]
    assert parameters["model"] == "jaccard"
    assert parameters["smoothing"] == 2
    wrong = crossfade("run", *sample.flags, "--model", "jacquard")
    assert wrong.returncode == 2
    assert "jaccard" in wrong.stderr
