"""A hash of our own source code: what it made may be kept for as long as it stays the same.

Imports nothing that is heavy, as it is asked before BLAS and numba may be imported.
"""

import hashlib
from pathlib import Path
from typing import Any


def source_digest(*modules: Any) -> str:
    """Hash the source files of packages or modules: changed code means a changed result."""
    digest = hashlib.blake2b(digest_size=12)
    for module in modules:
        file = Path(module.__file__)
        files = sorted(file.parent.rglob("*")) if file.name == "__init__.py" else [file]
        for path in files:
            if path.suffix in {".py", ".sql"}:
                digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
