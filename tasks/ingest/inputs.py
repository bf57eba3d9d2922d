"""The files of a dataset: found, distinguished, opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.dataset.files import FilesSpec
from tasks.dataset.spec import DatasetSpec, PlaysSpec, TracksSpec
from tasks.ingest.files import (
    InputFile,
    MissingColumnError,
    OpenedFile,
    find_files,
    open_file,
    tell_apart,
)
from tasks.ingest.limits import IngestLimits
from warehouse.errors import InputError
from warehouse.files import resolved


@dataclass(frozen=True)
class Inputs:
    """The files of the catalogue (none where it is made from the history) and of the history."""

    tracks: list[InputFile]
    plays: list[InputFile]


@dataclass(frozen=True)
class Opened:
    """The same with their headers understood, and the files that hold no rows."""

    tracks: list[OpenedFile]
    plays: list[OpenedFile]
    empty: list[InputFile]


def find_inputs(spec: DatasetSpec) -> Inputs:
    """Find the files of a dataset. Raises InputError for what cannot be read."""
    by = given_by(spec)
    plays = find_files(spec.plays.path, by[1], spec.plays.encoding)
    if spec.tracks.derived:
        return Inputs([], tell_apart(plays)[0])
    tracks = find_files(spec.tracks.path, by[0], spec.tracks.encoding)
    both = {resolved(file.path) for file in tracks} & {resolved(file.path) for file in plays}
    if both:
        raise InputError(
            f"{min(both)} is given both in `{by[0]}` and in `{by[1]}`; give the catalogue in the "
            "one and the history in the other"
        )
    return Inputs(*tell_apart(tracks, plays))


def with_derived_catalogue(
    spec: DatasetSpec, digests: Mapping[str, str] | None = None
) -> DatasetSpec:
    """Return the dataset; where catalogue and history are one file, with a derived catalogue.

    Whether they are is seen from the paths, or from the content if ``digests`` are given.
    """
    tracks, plays = spec.tracks, spec.plays
    if tracks.derived or spec.given_by or tracks.id != plays.track_column:
        return spec
    if digests is None:
        same = {resolved(Path(one)) for one in tracks.path} == {
            resolved(Path(one)) for one in plays.path
        }
    else:
        found = find_inputs(spec)
        here = {digests[file.name] for file in found.tracks}
        same = here == {digests[file.name] for file in found.plays}
    if not same:
        return spec
    return spec.model_copy(update={"tracks": tracks.model_copy(update={"derived": True})})


def given_by(spec: DatasetSpec) -> tuple[str, str]:
    """Return what the paths of catalogue and history were given by, for messages."""
    return spec.given_by or ("tracks.path", "plays.path")


def names_of(files: Sequence[InputFile]) -> str:
    """Return a few files' names for a message."""
    return ", ".join(file.name for file in files[:3])


def open_inputs(spec: DatasetSpec, inputs: Inputs, limits: IngestLimits, scratch: Path) -> Opened:
    """Read the headers of the catalogue's files and of the history's.

    Raises InputError that says so when each would do for the other.
    """
    flags = spec.given_by or (None, None)
    columns = spec.plays.columns()
    if spec.tracks.derived:
        columns |= spec.tracks.columns()
    try:
        tracks = _opened(
            spec.tracks, spec.tracks.columns(), inputs.tracks, limits, scratch / "tracks", flags[0]
        )
        plays = _opened(spec.plays, columns, inputs.plays, limits, scratch / "plays", flags[1])
    except MissingColumnError:
        if not _are_swapped(spec, inputs, limits, scratch):
            raise
        by = given_by(spec)
        raise InputError(
            f"{names_of(inputs.tracks)} is a history and {names_of(inputs.plays)} a catalogue; "
            f"swap `{by[0]}` and `{by[1]}`"
        ) from None
    empty = [
        file
        for files, opened in ((inputs.tracks, tracks), (inputs.plays, plays))
        for file in files
        if not any(one.file == file for one in opened)
    ]
    return Opened(tracks, plays, empty)


def refuse_twins(files: Sequence[OpenedFile], digests: Mapping[str, str], field: str) -> None:
    """Raise InputError if two files have the same content: every play in them would count twice."""
    seen: dict[str, str] = {}
    for file in files:
        name = file.file.name
        twin = seen.setdefault(digests[name], name)
        if twin != name:
            raise InputError(
                f"{twin} and {name} have the same content, so that every row would count twice; "
                f"leave one of them out of `{field}`"
            )


def _are_swapped(spec: DatasetSpec, inputs: Inputs, limits: IngestLimits, scratch: Path) -> bool:
    tracks, plays = spec.tracks.columns(), spec.plays.columns()
    try:
        _opened(spec.plays, plays, inputs.tracks, limits, scratch / "plays", None)
        _opened(spec.tracks, tracks, inputs.plays, limits, scratch / "tracks", None)
    except InputError:
        return False
    return bool(inputs.tracks)


def _opened(
    spec: TracksSpec | PlaysSpec,
    columns: Mapping[str, str],
    files: Sequence[InputFile],
    limits: IngestLimits,
    scratch: Path,
    flag: str | None,
) -> list[OpenedFile]:
    """Open the files that hold rows. Raises InputError when none does."""
    optional: frozenset[str] = frozenset()
    if isinstance(spec, TracksSpec) and spec.absent_ok:
        optional = frozenset(columns) - {"tracks.id"}
    opened = [
        open_file(file, spec, columns, Path(f"{scratch}-{number}"), limits, optional, flag)
        for number, file in enumerate(files)
        if not file.is_empty
    ]
    with_rows = [file for file in opened if file.rows != 0]
    if files and not with_rows:
        raise _no_rows(files, opened, spec)
    return with_rows


def _no_rows(
    files: Sequence[InputFile], opened: Sequence[OpenedFile], spec: FilesSpec
) -> InputError:
    first = files[0]
    found = next((file for file in opened if file.file == first), None)
    if found is None or (found.kind == "csv" and not found.columns):
        return InputError(f"{first.path} is empty; give a file with a header and rows")
    if found.kind == "csv" and spec.header:
        return InputError(f"{first.path} has a header and no rows; give a file with rows")
    return InputError(f"{first.path} has no rows; give a file with at least one")
