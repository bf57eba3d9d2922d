"""Why a row is in the list, derived from the row itself without another query."""

from typing import Any

from warehouse.explorer.components import short

TAGS_SHOWN = 3
FILLERS = {
    "popular": "Popular with all listeners",
    "same_artist": "More by an artist you {did}",
    "catalogue": "From the rest of the catalogue",
}

Track = dict[str, Any]


def reason(
    row: dict[str, Any], tracks: dict[str, Track], did: str, weight: float
) -> dict[str, str]:
    """Return the sentence in three pieces: words, the played track's title, words.

    ``row`` comes from one of the list macros; ``tracks`` holds the tracks it names; ``did`` is
    what the listener did with them (played, chose), empty for one track's neighbours. A side that
    counts nothing at ``weight`` is no reason.
    """
    because, here = tracks.get(row["because_track_id"] or ""), tracks.get(row["track_id"], {})
    if because is None and row["score"] is None:  # the most-played list: rows have no reason
        return {"before": ", ".join(map(short, here.get("tags") or [])), "track": "", "after": ""}
    if because is None:
        filler = FILLERS.get(row["source"], "").format(did=did or "chose")
        return {"before": filler, "track": "", "after": ""}
    common = _in_common(because, here, row["source"], weight)
    if not did:
        text = " · ".join(common)
        return {"before": text[:1].upper() + text[1:], "track": "", "after": ""}
    after = "".join(f" · {part}" for part in common)
    return {"before": f"Because you {did}", "track": title(because), "after": after}


def _in_common(a: Track, b: Track, source: str, weight: float) -> list[str]:
    """Return what two tracks have in common, strongest first."""
    parts = []
    if a.get("artist") and a.get("artist") == b.get("artist"):
        parts.append("same artist")
    shared = [tag for tag in a.get("tags") or [] if tag in (b.get("tags") or [])]
    is_played = weight > 0 and source in ("hybrid", "collaborative")
    if is_played:
        parts.append("played by the same people")
    if weight == 1 and is_played:
        return parts
    if shared:
        parts.append("tags " + ", ".join(map(short, shared[:TAGS_SHOWN])))
    elif a.get("genre") and a.get("genre") == b.get("genre"):
        parts.append("same genre")
    return parts or ["sounds similar"]


def title(track: Track) -> str:
    """Return a track's name, or its id if it has none."""
    return short(track.get("name") or track["track_id"])
