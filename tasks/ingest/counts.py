"""What came in, and what became of it, in numbers."""

import pyarrow as pa

from tasks.ingest.catalogue import Catalogue
from tasks.ingest.dislikes import Settled
from tasks.ingest.history import Plays
from tasks.ingest.tables import Tables


def count_records(
    catalogue: Catalogue, plays: Plays, tables: Tables, merged: int, long_histories: pa.Table
) -> dict[str, int]:
    """Count what came in and what became of it.

    track_records = tracks + rejected_tracks + filtered_tracks + merged_rows + merged_tracks;
    play_records = plays_rows + merged_duplicates + unknown_track_plays + long_history_plays +
    rejected_plays + filtered_plays + forgotten_plays + dislike_rows + disliked_plays. A catalogue
    made from the history has a record for each track.
    """
    rejected_tracks = sum(report.bad for report in catalogue.reports)
    rejected_plays = sum(report.bad for report in plays.reports)
    track_records = sum(report.records for report in catalogue.reports) or len(catalogue.tracks)
    play_records = sum(report.records for report in plays.reports)
    played = tables.tracks["played_key"]
    return {
        "track_records": track_records,
        "play_records": play_records,
        "records": track_records + play_records,
        "tracks": tables.tracks.num_rows,
        "unplayed_tracks": played.null_count,
        "users": tables.users.num_rows,
        "plays_rows": tables.interactions.num_rows,
        "plays": _total(tables.users["plays"]),
        "merged_duplicates": plays.merged + tables.merged_duplicates,
        "merged_rows": catalogue.merged,
        "merged_tracks": merged,
        "unknown_track_plays": _total(plays.unknown["records"]),
        "unknown_tracks": plays.unknown.num_rows,
        "long_histories": long_histories.num_rows,
        "long_history_plays": _total(long_histories["records"]),
        "filtered_tracks": catalogue.filtered,
        "filtered_plays": plays.filtered,
        "fractional_counts": plays.fractions,
        "rejected_tracks": rejected_tracks,
        "rejected_plays": rejected_plays,
        "rejected_rows": rejected_tracks + rejected_plays,
    }


def count_dislikes(settled: Settled) -> dict[str, int]:
    """Count dislikes: rows, plays that they overrule, pairs in force and pairs that lapsed."""
    return {
        "dislike_rows": settled.dislike_rows,
        "disliked_plays": settled.disliked_plays,
        "dislikes": settled.dislikes.num_rows,
        "lapsed_dislikes": settled.lapsed,
    }


def count_forgotten(catalogue: Catalogue, plays: Plays) -> dict[str, int]:
    """Count the rows of listeners who were forgotten."""
    return {
        "forgotten_plays": plays.forgotten,
        "forgotten_tracks": sum(report.forgotten for report in catalogue.reports),
    }


def _total(column: pa.ChunkedArray) -> int:
    return int(column.to_numpy().sum())
