"""Which Prefect server a command talks to, and whether it is there.

Prefect reads its address from several places and settles on one as it is imported. A command has
to know it before that, and people have to hear at once when nobody answers.
"""

import os
import ssl
import threading
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from warehouse.errors import RunError
from warehouse.hosts import LOOPBACK

VARIABLE = "PREFECT_API_URL"

PATIENCE_SECONDS = 10.0
"""How long a configured server may take to answer before it counts as unreachable."""

_UNREACHABLE = (
    "no Prefect server answers at {url} ({reason}); start it, correct {source}, or remove that "
    "setting to let the command start a server of its own"
)


def configured(prefect_home: Path) -> tuple[str, str] | None:
    """Return the configured API address and the place it is from, in the order Prefect looks."""
    if os.environ.get(VARIABLE):
        return os.environ[VARIABLE], VARIABLE
    environment_file = dotenv_values(".env").get(VARIABLE) if Path(".env").is_file() else None
    if environment_file:
        return environment_file, f"{VARIABLE} in .env"
    for path, tables in (("prefect.toml", ()), ("pyproject.toml", ("tool", "prefect"))):
        found = _lookup(_toml(Path(path)), *tables, "api", "url")
        if found:
            return found, f"api.url in {path}"
    return _of_profile(prefect_home)


def is_own(url: str, own: str | None) -> bool:
    """Tell whether ``url`` is the address of our own server, by any of its loopback names."""
    return own is not None and _normal(url) == _normal(own)


def check_reachable(url: str, source: str) -> None:
    """Raise RunError that names the address and the fix unless a Prefect API answers in time.

    Sends no secret. The request may take a proxy, as those of Prefect will.
    """
    said: list[str | None] = []
    asking = threading.Thread(target=lambda: said.append(_complaint(url)), daemon=True)
    asking.start()  # a thread: looking up a name has no time limit of its own
    asking.join(PATIENCE_SECONDS)
    reason = said[0] if said else f"nothing within {PATIENCE_SECONDS:g} s"
    if reason:
        raise RunError(_UNREACHABLE.format(url=url, reason=reason, source=source))


def local_traffic_stays_local() -> None:
    """Keep requests to this machine away from any proxy, for this process and its children."""
    names = [name.strip("[]") for name in LOOPBACK]
    given = ",".join(os.environ.get(name, "") for name in ("NO_PROXY", "no_proxy"))
    present = list(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
    if "*" in present:
        return
    exempt = ",".join(dict.fromkeys([*present, *names]))
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = exempt


def _complaint(url: str) -> str | None:
    """Return why no Prefect API can be said to be at ``url``, or None."""
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    try:
        request = urllib.request.Request(f"{url.rstrip('/')}/health")
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS, context=unverified) as reply:
            body = reply.read(200).strip()
        if body.startswith(b"<"):
            return "a web page answers there; the address of a Prefect API ends in /api"
    except urllib.error.HTTPError as error:
        # Behind a gateway the health page may be closed or absent: somebody is there.
        return f"HTTP status {error.code}" if error.code in (502, 503, 504) else None
    except urllib.error.URLError as error:
        return getattr(error.reason, "strerror", None) or str(error.reason)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
    return None


def _of_profile(prefect_home: Path) -> tuple[str, str] | None:
    path = Path(os.environ.get("PREFECT_PROFILES_PATH") or prefect_home / "profiles.toml")
    profiles = _toml(path)
    active = os.environ.get("PREFECT_PROFILE") or _lookup(profiles, "active")
    found = _lookup(profiles, "profiles", active, VARIABLE) if active else None
    return (found, f"{VARIABLE} in {path}") if found else None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # Prefect itself says what is wrong with its files


def _lookup(table: dict[str, Any], *keys: str) -> str | None:
    value: Any = table
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


def _normal(url: str) -> tuple[str, str, int | None, str]:
    """Return an address in one spelling; loopback names count as one."""
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError:
        return "", url, None, ""
    loopback = name in {known.strip("[]") for known in LOOPBACK}
    return parts.scheme, "loopback" if loopback else name, port, parts.path.rstrip("/")
