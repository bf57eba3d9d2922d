"""Errors that a user can act on: one sentence that names the cause and the fix."""


class CrossfadeError(Exception):
    """Base of all errors that this project raises deliberately; the message is shown unchanged."""

    exit_status = 1


class InputError(CrossfadeError):
    """An input file, a dataset TOML or an argument is wrong: nothing was computed."""

    exit_status = 2


class RunError(CrossfadeError):
    """The run failed; the current release is unchanged."""


class FullRunNeededError(RunError):
    """A refresh cannot use what the current release has learned; a full run can learn anew."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"a full run is needed: {reason}; `crossfade run` makes one")


class ClusterError(RunError):
    """The Dask cluster is unreachable or lost a block; a later run reuses the finished blocks."""


class LockedError(CrossfadeError):
    """Another run holds the lock of the home."""


class GateError(CrossfadeError):
    """The challenger was refused; the current release is unchanged."""


class UnknownReleaseError(CrossfadeError):
    """The release does not exist, was not written by Crossfade, or is damaged."""

    exit_status = 2


class BusyReleaseError(UnknownReleaseError):
    """Another program has the release open for writing, which locks readers out."""

    exit_status = 1
