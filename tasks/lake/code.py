"""Digests of our own code: what a stage computed may be reused for as long as they stay the same.

A stage depends on every module of ours that its own module imports, directly or through others, on
the packages that these lie in, and on the SQL beside them. The imports are read from the source, so
nothing is executed, nothing heavy is imported and nobody has to keep a list.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from threading import Lock

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds our packages."""

OURS = ("flows", "tasks", "warehouse")
"""Top-level packages whose code counts; a library's version is pinned by the lock."""

RESOURCES = {".sql"}
"""Files beside the modules that decide results as they do."""


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
    while waiting:
        name = waiting.pop()
        if name in seen or _path(name, root) is None:
            continue
        seen.add(name)
        waiting += _imports(name, root)
        waiting += _packages(name)
    files = {path for name in seen if (path := _path(name, root)) is not None}
    folders = {path.parent for path in files}
    return sorted(files.union(*(_resources(folder) for folder in folders)))


def _digest(files: Iterable[Path], root: Path) -> str:
    digest = hashlib.blake2b(digest_size=12)
    for path in files:
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _path(module: str, root: Path) -> Path | None:
    """Return the file of a module of ours, None for one of somebody else's."""
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


def _imports(module: str, root: Path) -> list[str]:
    """Return what a module's source imports, also within functions; names may be no modules."""
    path = _path(module, root)
    found: list[str] = []
    for node in _executed(ast.parse(path.read_bytes())) if path else ():
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a tree, but not into what only a type checker reads."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
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
