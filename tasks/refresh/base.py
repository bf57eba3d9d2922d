"""What the current release has learned, found again in the lake, or why it cannot be used."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.lake.dataset import Dataset
from tasks.lake.record import StageResult, read_record
from tasks.release.candidate import Inherited
from tasks.release.kept import model_digest
from warehouse.errors import FullRunNeededError
from warehouse.releases.home import Home
from warehouse.releases.manifest import Base, LakePart
from warehouse.releases.pointer import named_current
from warehouse.releases.reader import Reader
from warehouse.releases.release import Release, is_whole, list_releases

NEEDED = ("ingest", "content", "lists")
"""Parts that every base has; evaluation and experiments depend on the data."""


@dataclass(frozen=True)
class Found:
    """The current release and what it has learned, whole in the lake."""

    current: Release
    inherited: Inherited
    parts: Mapping[str, StageResult]
    """Of its base, which is itself if it is the release of a full run."""
    held_out: int
    base_release: Release | None
    """None: it is pruned by now."""

    def ingested(self, lake: Path) -> StageResult | None:
        """Return the input of the current release if it is whole in the lake, else None."""
        manifest = self.current.manifest
        if manifest.base is None:
            return self.parts["ingest"]
        return find_part(lake, manifest.parts["ingest"])

    def ranked(self, lake: Path, release: Release) -> tuple[StageResult, Dataset] | None:
        """Return the lists of a release and the content edges they were made with.

        The release is the base or a refresh of it; None if either is not whole in the lake.
        """
        manifest = release.manifest
        if manifest.base is None:
            return self.parts["lists"], self.parts["content"]["content"]
        lists = find_part(lake, manifest.parts["lists"])
        # without a part of its own it has the tracks of its base
        part = manifest.parts.get("frozen")
        frozen = self.parts["content"] if part is None else find_part(lake, part)
        return None if lists is None or frozen is None else (lists, frozen["content"])


def find_base(home: Home, dataset: str, recipe: Mapping[str, str]) -> Found:
    """Return what a refresh of the current release starts from.

    ``recipe`` hashes everything beside the data that decides what a run would learn now. Raises
    FullRunNeededError, with the reason, if a refresh could not use what was learned.
    """
    current = named_current(home)
    if current is None:
        raise FullRunNeededError("nothing is published that could be refreshed")
    name = current.manifest.release_id
    if not is_whole(current):
        raise FullRunNeededError(f"the current release {name} is damaged or of another format")
    manifest = current.manifest
    if manifest.dataset != dataset:
        raise FullRunNeededError(
            f"the current release {name} is of another dataset: {manifest.dataset}"
        )
    base = manifest.base or Base(release_id=name, parts=manifest.parts)
    if not base.parts:
        raise FullRunNeededError(f"the current release {name} does not say what it has learned")
    changed = [what for what in recipe if manifest.recipe.get(what) != recipe[what]]
    if changed:
        verb = "has" if len(changed) == 1 else "have"
        raise FullRunNeededError(
            f"{_listed(changed)} {verb} changed since {base.release_id} learned"
        )
    parts = {name: _find(home.lake, base, name) for name in base.parts}
    with Reader(current.database) as reader:
        row = reader.rows(
            "SELECT measured_model, published_model, held_out_listeners FROM release"
        )[0]
    inherited = Inherited(base, row["measured_model"], row["published_model"], manifest.measured)
    of_base = [one for one in list_releases(home) if one.manifest.release_id == base.release_id]
    return Found(
        current,
        inherited,
        parts,
        row["held_out_listeners"],
        of_base[0] if of_base else None,
    )


def find_part(lake: Path, part: LakePart) -> StageResult | None:
    """Return a stage's result if it is in the lake as a manifest says, else None."""
    try:
        result = read_record(lake / part.folder)
    except (OSError, ValueError):
        return None
    is_same = model_digest(result) == part.digest
    return result if is_same and all(one.is_whole() for one in result.datasets.values()) else None


def current_part(home: Home, dataset: str, name: str) -> StageResult | None:
    """Return a result that the current release of a dataset, or its base, was learned with."""
    current = named_current(home)
    if current is None or current.manifest.dataset != dataset:
        return None
    manifest = current.manifest
    part = (manifest.base.parts if manifest.base else manifest.parts).get(name)
    return None if part is None else find_part(home.lake, part)


def _find(lake: Path, base: Base, name: str) -> StageResult:
    found = find_part(lake, base.parts[name])
    if found is None:
        raise FullRunNeededError(
            f"the result `{name}` of {base.release_id} is missing from the lake or damaged"
        )
    return found


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
