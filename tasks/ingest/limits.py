"""The limits within which an input is believed."""

from pydantic import BaseModel, ConfigDict, Field


class DriftLimits(BaseModel):
    """How far a dataset may move between the current release and this run without a warning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fewer_rows: float = Field(default=0.2, ge=0, le=1)
    """Largest share of rows (tracks, listeners, listens) that may be gone. A day of history lost
    is a fraction of a percent; a fifth is a truncated export."""
    more_rows: float = Field(default=1.0, ge=0)
    """Largest growth of a row count, as a share of the old one."""
    distribution: float = Field(default=0.1, ge=0, le=1)
    """Largest total variation distance between two distributions: the share of rows that would
    have to change their bin."""


class IngestLimits(BaseModel):
    """When a row, and when a whole file, is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reject_share: float = Field(default=0.05, ge=0, le=1)
    """Largest share of a file's records that may be set aside; beyond it the run stops. One
    record in twenty unreadable means a broken export, not broken rows."""
    reject_rows: int = Field(default=20, ge=0)
    """Number of rejected records of one file that never stops a run (unless the file has no
    others): in a short file a share says little."""
    max_plays: int = Field(default=1_000_000, ge=1, le=2**31 - 1)
    """Largest believable play count of one row; the largest real one in the Kaggle history is
    2,948, and a million plays of one song take about six years without a pause."""
    unknown_share: float = Field(default=0.05, ge=0, le=1)
    """Share of play records of tracks that the catalogue lacks, beyond which a warning is given."""
    unknown_stop: float = Field(default=0.5, ge=0, le=1)
    """The same share, beyond which the run stops: catalogue and history do not belong together."""
    duplicate_share: float = Field(default=0.05, ge=0, le=1)
    """Share of play records that repeat a (track, listener) pair, beyond which a warning is given;
    not looked at where every row is one play."""
    longest_text: int = Field(default=1_000, ge=1)
    """Characters that a title, creator, tag or label may have; a longer one is cut and counted. An
    id that long sets its row aside."""
    inflated_gigabytes: float = Field(default=64.0, gt=0)
    """Largest plain size of one compressed file; beyond it the run stops before the disk fills."""
    suspect_share: float = Field(default=0.01, ge=0, le=1)
    """Share of titles and creators that read like a missing value, of columns that look like lists
    and are not read as such, or of counts with a fraction, beyond which a warning is given."""
    untidy_ids: int = Field(default=0, ge=0)
    """Number of ids with spaces around them beyond which a warning is given."""
    unmatched_share: float = Field(default=0.05, ge=0, le=1)
    """Share of the exposures that events name but no feedback file has, beyond which a warning is
    given."""
    drift: DriftLimits = DriftLimits()
    """Compared at every run, with the current release."""
