"""Every setting in one typed place: flag, environment, crossfade.toml, default, in this order."""

import os
import tomllib
from pathlib import Path
from typing import Any, Self

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
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
from tasks.tuning.search import TuneParameters
from warehouse.errors import InputError

SETTINGS_FILE = Path("crossfade.toml")


class AlertParameters(BaseModel):
    """When a run counts as late or silent, and who is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    block: str | None = Field(default=None, pattern=r"^[a-z0-9-]+/[A-Za-z0-9_-]+$")
    """Notification block as type/name, such as `slack-webhook/on-call`; its secrets stay in it."""
    late_seconds: float = Field(default=600, ge=10)
    """How long after Prefect called it late a run may start before somebody is told."""
    begin_seconds: float = Field(default=900, ge=60)
    """How long a run that a worker took may need to begin."""
    silent_seconds: float = Field(default=540, ge=60)
    """How long a run may give no sign of life; three heartbeats of Prefect's default."""


class Settings(BaseSettings):
    """What a run does and where; nested tables take ``CROSSFADE_COLLABORATIVE__NEIGHBOURS`` too."""

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
    model: ModelName | None = None
    """Collaborative model; overrides `collaborative.model`."""
    holdout: float | None = Field(default=None, ge=0, le=0.5)
    """Share of listeners kept out to measure on; overrides `evaluation.holdout`."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1024)
    """Worker processes of the embedded Dask cluster, one thread each."""
    memory_limit: str = Field(default="2GB", pattern=r"^[0-9.]+ *[KMGT]i?B$")
    """What DuckDB may use for ingest and publish before it spills to disk."""
    wait_seconds: float = Field(default=0.0, ge=0)
    """How long a run waits for another one in the same home to end; deployments wait an hour."""
    keep_releases: int = Field(default=14, ge=1)
    """Releases kept for rollback; older ones go after each publish."""
    keep_stages: int = Field(default=3, ge=1)
    """Results of each stage kept in the lake."""
    alerts: AlertParameters = AlertParameters()
    ingest: IngestLimits = IngestLimits()
    collaborative: CollaborativeParameters = CollaborativeParameters()
    content: ContentParameters = ContentParameters()
    hybrid: HybridParameters = HybridParameters()
    evaluation: EvaluationParameters = EvaluationParameters()
    tune: TuneParameters = TuneParameters()
    measurement: ExperimentParameters = ExperimentParameters()
    """How experiments are measured."""
    feedback: FeedbackSpec | None = None
    """What came of the recommendations, where the dataset's TOML does not say it."""
    experiments: Experiments = ()
    """The experiments, where the dataset's TOML does not name them."""
    _flags: frozenset[str] = frozenset()

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

    @model_validator(mode="after")
    def _short_forms(self) -> Self:
        """Let `model` and `holdout` override the fields they stand for."""
        for short, table, field in (
            ("model", "collaborative", "model"),
            ("holdout", "evaluation", "holdout"),
        ):
            value = getattr(self, short)
            if value is not None:
                changed = getattr(self, table).model_copy(update={field: value})
                object.__setattr__(self, table, changed)
        return self

    def spec(self) -> DatasetSpec:
        """Return the dataset that was asked for; raises InputError when none or two were."""
        if self.dataset is not None:
            if self.tracks or self.plays:
                raise InputError(
                    "both a dataset TOML and --tracks/--plays are configured; give one of the two"
                )
            return self._with_feedback(DatasetSpec.from_toml(self.dataset))
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
        """Add what crossfade.toml says of feedback; raises InputError if both say something."""
        given = {"feedback": self.feedback, "experiments": self.experiments}
        for name, value in given.items():
            if value and getattr(spec, name):
                raise InputError(
                    f"both {self.dataset} and {SETTINGS_FILE} have `{name}`; keep one of them"
                )
        return spec.model_copy(update={name: value for name, value in given.items() if value})

    def _word(self, field: str) -> str:
        """Return what the user gave a setting by: the flag, the variable or the file."""
        variable = f"CROSSFADE_{field.upper()}"
        if field in self._flags:
            return f"--{field}"
        return variable if variable in os.environ else f"{SETTINGS_FILE}: {field}"


def load_settings(**flags: Any) -> Settings:
    """Load the settings; ``flags`` that are None count as not given. Raises InputError."""
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        settings = Settings(**given)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{SETTINGS_FILE} is not valid TOML: {error}; mend it") from None
    except SettingsError as error:
        raise InputError(f"{error}; mend the CROSSFADE_… variable or {SETTINGS_FILE}") from None
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        variable = "CROSSFADE_" + field.upper().replace(".", "__")
        raise InputError(
            f"setting `{field}` is wrong ({first['msg'][0].lower() + first['msg'][1:]}, got "
            f"{first['input']!r}); mend the flag, {variable} or {SETTINGS_FILE}"
        ) from None
    settings._flags = frozenset(given)
    return settings


def worker_memory(workers: int) -> int:
    """Bytes one embedded worker may hold: an even share of half the machine."""
    return int(psutil.virtual_memory().total * 0.5 / workers)
