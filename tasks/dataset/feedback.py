"""What came of the recommendations, as a dataset TOML or crossfade.toml describes it."""

from pathlib import Path
from typing import Self

from pydantic import model_validator

from tasks.dataset.files import Column, FilesSpec, Spec, resolve_paths


class _FeedbackFiles(FilesSpec):
    """Files of feedback, of which every row counts."""

    @model_validator(mode="after")
    def _no_filter(self) -> Self:
        if self.where is not None:
            raise ValueError("`where` is for [tracks] and [plays]; leave it out of the feedback")
        return self


class ExposuresSpec(_FeedbackFiles):
    """What was shown to whom: one row per track shown."""

    id: Column
    """Column with the id of the exposure: one track shown once, at one place of one list."""
    user: Column
    """Column with the listener's id, as in the history."""
    track: Column
    """Column with the track id, as in the catalogue."""
    rank: Column
    """Column with the place in the list, from 1."""
    at: Column
    """Column with the moment it was shown: ISO 8601 (UTC if no offset), or seconds since 1970."""
    experiment: Column | None = None
    """Column with the experiment, empty outside of one."""
    variant: Column | None = None
    """Column with the variant that was served."""

    def columns(self) -> dict[str, str]:
        """Return which column each TOML field names: field → column."""
        return _named("feedback.exposures", self)


class EventsSpec(_FeedbackFiles):
    """What listeners did: one row per click, play, skip, save, return, subscribe or cancel."""

    kind: Column
    """Column with one of these words."""
    at: Column
    """Column with the moment, as in the exposures."""
    id: Column | None = None
    """Column with the event's own id; without one, rows of equal values are one event."""
    exposure: Column | None = None
    """Column with the id of the exposure that it followed."""
    user: Column | None = None
    """Column with the listener's id, for what followed no exposure."""
    value: Column | None = None
    """Column with a number, for plays the seconds listened."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.exposure is None and self.user is None:
            raise ValueError(
                "`feedback.events` names neither `exposure` nor `user`; name at least one, so that "
                "an event belongs to somebody"
            )
        return self

    def columns(self) -> dict[str, str]:
        """Return which column each TOML field names: field → column."""
        return _named("feedback.events", self)


class FeedbackSpec(Spec):
    """What came of the recommendations. Files may still be missing: nothing is measured then."""

    exposures: ExposuresSpec
    events: EventsSpec

    def from_folder(self, folder: Path) -> Self:
        """Return the same with relative paths starting from ``folder``."""
        exposures, events = (
            resolve_paths(self.exposures, folder),
            resolve_paths(self.events, folder),
        )
        return self.model_copy(update={"exposures": exposures, "events": events})


def _named(table: str, spec: FilesSpec) -> dict[str, str]:
    values = {
        name: getattr(spec, name)
        for name in type(spec).model_fields
        if name not in FilesSpec.model_fields
    }
    return {f"{table}.{name}": column for name, column in values.items() if column is not None}
