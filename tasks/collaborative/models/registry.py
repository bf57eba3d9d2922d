"""The collaborative models by name: those of this package and those of installed packages.

A package offers models by the entry point group `GROUP` (docs/models.md). Names can be listed
without importing any model.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from warehouse.errors import InputError

if TYPE_CHECKING:
    from tasks.collaborative.models.base import CollaborativeModel

GROUP = "crossfade.models"
"""Entry point group: name of the model = ``module:Class``."""

BUILT_IN = MappingProxyType(
    {
        "learned": "tasks.collaborative.models.learned:Learned",
        "cosine": "tasks.collaborative.models.cosine:Cosine",
        "asymmetric_cosine": "tasks.collaborative.models.asymmetric_cosine:AsymmetricCosine",
        "rp3beta": "tasks.collaborative.models.rp3beta:RP3Beta",
        "bm25": "tasks.collaborative.models.bm25:BM25",
    }
)
"""The models of this package; a new one is registered by a line here."""


def model_names() -> tuple[str, ...]:
    """Return the names of all models, ours first."""
    others = {point.name for point in entry_points(group=GROUP)}
    return (*BUILT_IN, *sorted(others - set(BUILT_IN)))


@cache
def model_named(name: str) -> "CollaborativeModel[Any]":
    """Return a model. Raises InputError if there is none of that name or it cannot be used."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        made = getattr(import_module(module), attribute)()
    else:
        made = _loaded(_entry_point(name))
    from tasks.collaborative.models.base import CollaborativeModel

    if not isinstance(made, CollaborativeModel):
        raise InputError(
            f"the model {name!r} is a {type(made).__name__}, no CollaborativeModel; derive it from "
            "tasks.collaborative.models.base.CollaborativeModel (docs/models.md)"
        )
    return made


def model_origin(name: str) -> dict[str, str] | None:
    """Return what versions a model of another package: its distribution and its files' digest.

    None for a model of this package, whose code is part of the stage's own digest.
    """
    if name in BUILT_IN:
        return None
    point = _entry_point(name)
    distribution = point.dist
    return {
        "distribution": distribution.name if distribution else "",
        "version": distribution.version if distribution else "",
        "files": _package_digest(point.module),
    }


def _entry_point(name: str) -> EntryPoint:
    found = {point.value: point for point in entry_points(group=GROUP, name=name)}
    if not found:
        raise InputError(
            f"there is no model {name!r} here; the known ones are {', '.join(model_names())}"
        )
    if len(found) > 1:
        raise InputError(
            f"several packages offer a model {name!r} ({', '.join(sorted(found))}); uninstall all "
            "but one"
        )
    return next(iter(found.values()))


def _loaded(point: EntryPoint) -> object:
    try:
        made = point.load()
        return made() if isinstance(made, type) else made
    except Exception as error:
        raise InputError(
            f"the model {point.name!r} ({point.value}) cannot be loaded: {error}; repair or "
            "uninstall its package"
        ) from error


def _package_digest(module: str) -> str:
    """Hash the files of the package that contains a module; of a module on its own, its file."""
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        spec = find_spec(".".join(parts[:end]))
        if spec is not None and spec.origin is not None:
            file = Path(spec.origin)
            is_package = spec.submodule_search_locations is not None
            return _files_digest(file.parent, file.parent.rglob("*") if is_package else [file])
    raise InputError(f"the module {module} of a model cannot be found; reinstall its package")


def _files_digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for file in sorted(files):
        if file.is_file() and file.suffix != ".pyc":
            digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
