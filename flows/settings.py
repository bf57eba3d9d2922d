"""Every setting in one typed place: flag, environment, crossfade.toml, default, in this order."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from tasks.blend.parameters import HybridParameters
from tasks.collaborative.parameters import CollaborativeParameters, ModelName
from tasks.content.parameters import ContentParameters
from tasks.dataset.feedback import FeedbackSpec
from tasks.dataset.spec import DatasetSpec, Experiments
from tasks.evaluation.parameters import EvaluationParameters
from tasks.experiments.parameters import ExperimentParameters
from tasks.ingest.limits import IngestLimits
from tasks.tuning.parameters import TuneParameters
from warehouse.errors import InputError
from warehouse.files import resolved
from warehouse.serve.parameters import ServeParameters

SETTINGS_FILE = Path("crossfade.toml")

TOKEN = "CROSSFADE_PROCESS_TOKEN"
"""Variable that what a process starts inherits (flows/run_records.py); no setting."""

UNUSABLE = ("?", "\\")
"""Characters that a home's path must not have: DuckDB puts `.wal` before a `?` and treats a
backslash as a separator."""


class AlertParameters(BaseModel):
    """When a run counts as late or silent, and which block is notified."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: str | None = Field(default=None, pattern=r"^[a-z0-9-]+/[A-Za-z0-9_-]+$")
    """Notification block as type/name, such as `slack-webhook/on-call`; its secrets stay in it."""
    late_seconds: float = Field(default=600, ge=10)
    """Grace period after Prefect marked a run Late, before the alert fires."""
    begin_seconds: float = Field(default=900, ge=60)
    """How long a run may take to start after a worker claimed it."""
    silent_seconds: float = Field(default=540, ge=60)
    """How long a run may send no heartbeat; three of Prefect's default intervals."""


class DaskTls(BaseModel):
    """PEM files by which a run and an existing Dask scheduler know each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ca: Path
    """Certificate of the authority that signed those of scheduler and workers."""
    cert: Path
    """Our certificate, signed by the same authority."""
    key: Path | None = None
    """Private key of the certificate, where it is not in the same file."""


class Settings(BaseSettings):
    """All settings; the environment sets nested ones as ``CROSSFADE_COLLABORATIVE__NEIGHBOURS``."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="CROSSFADE_",
        env_nested_delimiter="__",
        toml_file=SETTINGS_FILE,
    )

    home: Path = Path("data")
    """Folder of the lake and the warehouse."""
    tracks: Path | None = None
    """CSV of the catalogue in the Kaggle schema."""
    plays: Path | None = None
    """CSV of the listening history in the Kaggle schema."""
    dataset: Path | None = None
    """TOML that describes any other dataset (docs/dataset.md)."""
    dask: str | None = None
    """Address of an existing Dask scheduler (``tcp://…``); none: worker processes of our own."""
    dask_tls: DaskTls | None = None
    """Certificates for a scheduler at ``tls://…``."""
    model: ModelName | None = None
    """Collaborative model; overrides `collaborative.model`."""
    holdout: float | None = Field(default=None, ge=0, le=0.5)
    """Share of listeners kept out to measure on; overrides `evaluation.holdout`."""
    tune_seconds: float | None = Field(default=None, ge=0, le=86_400)
    """What a run's choice of parameters may take; overrides `tune.seconds`."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    """Worker processes of the embedded Dask cluster, one thread each."""
    memory_limit: str = Field(default="2GB", pattern=r"^[0-9.]+ *[KMGT]i?B$")
    """What DuckDB may use for ingest and publish before it spills to disk."""
    wait_seconds: float = Field(default=0.0, ge=0)
    """How long a run waits for another one in the same home to end; deployments wait an hour."""
    hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Names, with a port or for any, by which Prefect UI, explorer and `crossfade serve` may be
    reached beside the loopback ones; separated by commas in CROSSFADE_HOSTS."""
    covers: bool = False
    """Let the explorer show the pictures of `tracks.cover_url`, which come from other hosts."""
    shared: bool = False
    """Let the group of the home read the lake and the releases; by default only the owner can."""
    keep_releases: int = Field(default=14, ge=1)
    """Releases of full runs kept for rollback; older ones go after each publish."""
    keep_refreshes: int = Field(default=8, ge=1)
    """Refreshes kept for rollback, counted apart from full runs."""
    refresh_minutes: int = Field(default=15, ge=0, le=1440)
    """Minutes between the refreshes that `make ui` and `make deploy` schedule; 0: none."""
    keep_stages: int = Field(default=3, ge=1)
    """Results of each stage kept in the lake."""
    alerts: AlertParameters = AlertParameters()
    serve: ServeParameters = ServeParameters()
    """The release over HTTP."""
    ingest: IngestLimits = IngestLimits()
    collaborative: CollaborativeParameters = CollaborativeParameters()
    content: ContentParameters = ContentParameters()
    hybrid: HybridParameters = HybridParameters()
    evaluation: EvaluationParameters = EvaluationParameters()
    tune: TuneParameters = TuneParameters()
    measurement: ExperimentParameters = ExperimentParameters()
    """How experiments are measured."""
    feedback: FeedbackSpec | None = None
    """Feedback on recommendations, unless the dataset's TOML describes it."""
    experiments: Experiments = ()
    """The experiments, unless the dataset's TOML names them."""
    _flags: frozenset[str] = frozenset()
    _read: tuple[object, DatasetSpec] | None = None
    """The dataset TOML's stamp and what was in it, so that a command reads it once."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, environment, crossfade.toml of the working directory, in this order."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("hosts", mode="before")
    @classmethod
    def _separated(cls, hosts: object) -> object:
        """Split what the environment gives as one text."""
        return [host for host in hosts.split(",") if host] if isinstance(hosts, str) else hosts

    @model_validator(mode="after")
    def _short_forms(self) -> Self:
        """Let `model`, `holdout` and `tune_seconds` override the fields they stand for."""
        for short, table, field in (
            ("model", "collaborative", "model"),
            ("holdout", "evaluation", "holdout"),
            ("tune_seconds", "tune", "seconds"),
        ):
            value = getattr(self, short)
            if value is not None:
                changed = getattr(self, table).model_copy(update={field: value})
                object.__setattr__(self, table, changed)
        return self

    def spec(self) -> DatasetSpec:
        """Return the configured dataset; raises InputError if there is none or more than one."""
        if self.dataset is not None:
            if self.tracks or self.plays:
                raise InputError(
                    "both a dataset TOML and --tracks/--plays are configured; give one of the two"
                )
            stamp = _stamp(self.dataset)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, self._with_feedback(DatasetSpec.from_toml(self.dataset))
            return self._read[1]
        if self.tracks is None or self.plays is None:
            missing = " and ".join(
                flag
                for flag, path in (("--tracks", self.tracks), ("--plays", self.plays))
                if not path
            )
            raise InputError(
                f"no input: {missing} not given; give --tracks CSV and --plays CSV (or --dataset "
                "TOML), or make a sample with `crossfade sample --out DIR`"
            )
        words = self._word("tracks"), self._word("plays")
        return self._with_feedback(DatasetSpec.kaggle(self.tracks, self.plays, given_by=words))

    def _with_feedback(self, spec: DatasetSpec) -> DatasetSpec:
        """Add feedback and experiments of crossfade.toml; raises InputError if both have them."""
        given = {"feedback": self.feedback, "experiments": self.experiments}
        for name, value in given.items():
            if value and getattr(spec, name):
                raise InputError(
                    f"both {self.dataset} and {SETTINGS_FILE} have `{name}`; keep one of them"
                )
        return spec.model_copy(update={name: value for name, value in given.items() if value})

    def _word(self, field: str) -> str:
        """Return the source of a setting: the flag, the variable or the file."""
        variable = f"CROSSFADE_{field.upper()}"
        if field in self._flags:
            return f"--{field}"
        return variable if variable in os.environ else f"{SETTINGS_FILE}: {field}"


def load_settings(**flags: Any) -> Settings:
    """Load the settings; ``flags`` that are None count as not given. Raises InputError.

    The command line loads them before Prefect is imported and its flow again; the second time
    they are the same object, unless a file or variable that they come from has changed.
    """
    global _last
    given = {name: value for name, value in flags.items() if value is not None}
    origin = _Origin(given, *_surroundings())
    if _last is None or _last[0] != origin:
        _last = origin, _load(given)
    return _last[1]


class _Origin(NamedTuple):
    """Everything that settings come from."""

    flags: dict[str, Any]
    variables: dict[str, str]
    folder: Path
    file: object


_last: tuple[_Origin, Settings] | None = None


def _surroundings() -> tuple[dict[str, str], Path, object]:
    variables = {
        name: value
        for name, value in os.environ.items()
        if name.upper().startswith("CROSSFADE_") and name != TOKEN
    }
    return variables, Path.cwd(), _stamp(SETTINGS_FILE)


def _stamp(file: Path) -> object:
    """Return what changes when a file does; None if it is not there."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _load(given: dict[str, Any]) -> Settings:
    try:
        settings = Settings(**given)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{SETTINGS_FILE} is not valid TOML: {error}; fix it") from None
    except SettingsError as error:
        raise InputError(f"{error}; correct the CROSSFADE_… variable or {SETTINGS_FILE}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        variable = "CROSSFADE_" + field.upper().replace(".", "__")
        raise InputError(
            f"setting `{field}` is wrong ({first['msg'][0].lower() + first['msg'][1:]}, got "
            f"{first['input']!r}); correct the flag, {variable} or {SETTINGS_FILE}"
        ) from None
    settings._flags = frozenset(given)
    for name in ("home", "tracks", "plays", "dataset"):
        if (path := getattr(settings, name)) is not None:
            resolved(path)
    home = resolved(settings.home)
    if found := [mark for mark in UNUSABLE if mark in str(home)]:
        raise InputError(
            f"the home {home} has `{found[0]}` in its path, which DuckDB does not take in the name "
            "of its files; give a folder without it in `--home` or CROSSFADE_HOME"
        )
    return settings


def worker_memory(workers: int) -> int:
    """Bytes one embedded worker may hold: an even share of half the machine."""
    return int(psutil.virtual_memory().total * 0.5 / workers)
