"""How the release is served over HTTP: the table `[serve]` of crossfade.toml."""

import os
from ipaddress import ip_address

from pydantic import BaseModel, ConfigDict, Field, field_validator

from warehouse.hosts import LOOPBACK

PORT = 8600


def processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class ServeParameters(BaseModel):
    """Where `crossfade serve` listens, and for whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on; the loopback interface unless a proxy is elsewhere."""
    port: int = Field(default=PORT, ge=1, le=65535)
    workers: int = Field(default_factory=processors, ge=1, le=256)
    """Processes that answer; one for each processor unless given."""
    origins: tuple[str, ...] = ()
    """Origins (`https://app.example`) whose pages may read answers in a browser (CORS)."""
    with_ui: bool = False
    """Let `make ui` keep it running beside the Prefect server."""

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            scheme, separator, rest = origin.partition("://")
            if scheme not in ("http", "https") or not separator or not rest or "/" in rest:
                raise ValueError(f"`{origin}` is no origin: write scheme://host, without a path")
        return origins

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        name = self.host.strip("[]")
        try:
            return ip_address(name).is_loopback
        except ValueError:
            return name in LOOPBACK
