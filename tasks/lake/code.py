"""Digests of our own code: what a stage computed may be reused for as long as they stay the same.

A stage depends on every module of ours that its own module imports, directly or through others, on
the packages that contain them, and on the SQL that they read. The imports are read from the source:
nothing is executed, nothing heavy is imported, and there is no list to maintain.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds our packages."""

OURS = ("flows", "tasks", "warehouse")
"""Top-level packages whose code counts; a library's version is pinned by the lock."""

RESOURCES = {".sql"}
"""Files beside the modules that decide results as they do."""

HARMLESS = {"abc", "collections", "dataclasses", "enum", "functools", "math", "types", "typing"}
"""Libraries that cannot read a file. A module that imports no others, such as one of constants,
does not depend on the SQL beside it."""

_NAME = re.compile(rf"({'|'.join(OURS)})(\.\w+)+", re.ASCII)
_ENTRY = re.compile(rf"({_NAME.pattern}):\w+", re.ASCII)
"""A text such as entry points have: ``module:attribute``."""

_PARSING = Lock()
"""Stages start in threads of their own, and CPython 3.11 may fail when two of them parse at once
("AST constructor recursion depth mismatch")."""


def code_digest(module: str, root: Path = ROOT) -> str:
    """Hash all code of ours that ``module`` depends on, itself included."""
    with _PARSING:
        return _code_digest(module, root)


@cache
def _code_digest(module: str, root: Path) -> str:
    return _digest(source_files(module, root), root)


def tree_digest(package: str, root: Path = ROOT) -> str:
    """Hash all code of a package, whether anything imports it or not."""
    folder = root / package
    return _digest(
        (path for path in sorted(folder.rglob("*")) if path.suffix in {".py", *RESOURCES}), root
    )


def source_files(module: str, root: Path = ROOT) -> list[Path]:
    """Return the files of ours that ``module`` depends on, in the order of their paths."""
    waiting, seen = [module], set[str]()
    modules, folders = set[Path](), set[Path]()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if (path := _path(name, root)) is None:
            continue
        modules.add(path)
        source = _source_of(name, path)
        waiting += [*source.imports, *_packages(name)]
        named = (_path(package, root) for package in source.packages)
        folders.update(init.parent for init in named if init and init.name == "__init__.py")
        if source.may_read_files:
            folders.add(path.parent)
    return sorted(modules.union(*(_resources(folder) for folder in folders)))


def _digest(files: Iterable[Path], root: Path) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for path in files:
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _path(module: str, root: Path) -> Path | None:
    """Return the file of a module of ours, None for anything else."""
    if module.split(".", 1)[0] not in OURS:
        return None
    path = root.joinpath(*module.split("."))
    for file in (path / "__init__.py", path.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _packages(module: str) -> Iterator[str]:
    """Yield the packages around a module: Python imports them with it."""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


@dataclass(frozen=True)
class _Source:
    """What a module's source says of its dependencies."""

    imports: tuple[str, ...]
    """What it imports, also within functions or by a text ``module:attribute``; some names are
    attributes, not modules."""
    packages: tuple[str, ...]
    """Texts that may name a package of ours, whose SQL it then reads."""
    may_read_files: bool


def _source_of(module: str, path: Path) -> _Source:
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return _parsed(path.read_bytes(), package)


@lru_cache(maxsize=1024)
def _parsed(text: bytes, package: str) -> _Source:
    found: list[str] = []
    texts: list[str] = []
    opens = False
    for node in _executed(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, package)
            found += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if module := _ENTRY.fullmatch(node.value):  # imported when it is asked for
                found.append(module[1])
            elif _NAME.fullmatch(node.value):
                texts.append(node.value)
        elif isinstance(node, ast.Name):
            opens |= node.id in {"open", "__import__", "__file__"}
    others = any(name.split(".", 1)[0] not in HARMLESS for name in found)
    return _Source(tuple(found), tuple(texts), opens or others)


def _origin(node: ast.ImportFrom, package: str) -> str:
    """Return what a ``from … import`` imports from, a relative one resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join(
        [*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])]
    )


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, but not into what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            for other in node.orelse:
                yield other
                yield from _executed(other)
            continue
        yield node
        yield from _executed(node)


def _resources(package: Path) -> set[Path]:
    """Return the resources of a package, also in subfolders that are no packages themselves."""
    found = set()
    for path in package.iterdir():
        if path.suffix in RESOURCES:
            found.add(path)
        elif path.is_dir() and not (path / "__init__.py").exists():
            found |= {file for file in path.rglob("*") if file.suffix in RESOURCES}
    return found
