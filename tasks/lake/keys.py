"""The key of a stage's result: a hash of everything that decides it."""

import hashlib
import json
from typing import Any

from pydantic import BaseModel


def fingerprint(**parts: Any) -> str:
    """Hash named JSON-like values (pydantic models and paths included) into one short key."""
    text = json.dumps(parts, sort_keys=True, default=_plain)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else str(value)
