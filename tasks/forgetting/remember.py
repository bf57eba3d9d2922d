"""Keep a keyed hash of everybody who was forgotten, so that the next input brings nobody back."""

from collections.abc import Collection

from tasks.lake.tombstones import HASHES, KEY, Tombstones, tombstones_of
from warehouse.releases.home import Home
from warehouse.releases.pending import private_write
from warehouse.secret_file import secret


def remember(home: Home, listeners: Collection[str]) -> None:
    """Add listeners to the tombstones of the home; safe to repeat."""
    home.forgotten.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = secret(home.forgotten / KEY, "key").encode()
    before = tombstones_of(home.lake).hashes
    hashing = Tombstones(key)
    after = before | {hashing.hash_of(listener) for listener in listeners}
    if after != before:
        lines = sorted(one.hex() for one in after)
        private_write(home.forgotten / HASHES, "\n".join(lines) + "\n")
