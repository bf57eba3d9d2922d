"""Errors that a user can act on: one sentence that names the thing and the fix."""


class CrossfadeError(Exception):
    """Base of every error this project raises on purpose; the message is shown as it is."""

    exit_status = 1


class InputError(CrossfadeError):
    """An input file, a dataset TOML or an argument is wrong: nothing was computed."""

    exit_status = 2


class RunError(CrossfadeError):
    """The run could not be finished; the current release is as it was."""


class ClusterError(RunError):
    """The Dask cluster is away or lost a block; finished blocks are kept, a later try goes on."""


class LockedError(CrossfadeError):
    """Another run is at work in the same home."""


class GateError(CrossfadeError):
    """The candidate release was refused; the current release is as it was."""


class UnknownReleaseError(CrossfadeError):
    """No such release, or it is not one of ours, or it is damaged."""

    exit_status = 2


class BusyReleaseError(UnknownReleaseError):
    """Another program has the release open for writing, which locks readers out."""

    exit_status = 1
