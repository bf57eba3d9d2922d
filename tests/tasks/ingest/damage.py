"""Seeded histories with known damage: what was put in is what must come out."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

HEADER = "track_id,user_id,playcount"
BOM = "\ufeff".encode()


@dataclass
class Truth:
    """What a damaged history holds."""

    content: bytes
    plays: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(user, track) → plays of all good rows."""
    good: int = 0
    """Good rows, repeated pairs included."""
    rejected: list[tuple[int, str, str]] = field(default_factory=list)
    """record, reason, raw."""

    @property
    def records(self) -> int:
        """Records after the header."""
        return self.good + len(self.rejected)


Line = tuple[str, str, int]
Bad = Callable[[Line], tuple[bytes, str]]


def _text(template: str, reason: str) -> Bad:
    def damage(line: Line) -> tuple[bytes, str]:
        track, user, plays = line
        return template.format(t=track, u=user, n=plays).encode(), reason

    return damage


def _bytes(old: bytes, new: bytes, reason: str) -> Bad:
    return lambda line: ("{},{},{}".format(*line).encode().replace(old, new, 1), reason)


DAMAGES: dict[str, Bad] = {
    "short": _text("{t},{u}", "too_few_fields"),
    "very short": _text("{t}", "too_few_fields"),
    "long": _text("{t},{u},{n},extra", "too_many_fields"),
    "long and empty": _text("{t},{u},{n},", "too_many_fields"),
    "semicolons": _text("{t};{u};{n}", "too_few_fields"),
    "a word for a number": _text("{t},{u},many", "count_not_a_number"),
    "a number of some languages": _text("{t},{u},1_000", "count_not_a_number"),
    "hexadecimal": _text("{t},{u},0x10", "count_not_a_number"),
    "not a number": _text("{t},{u},nan", "count_not_a_number"),
    "negative": _text("{t},{u},-{n}", "count_not_positive"),
    "very negative": _text("{t},{u},-99999999999999999999999", "count_not_positive"),
    "zero": _text("{t},{u},0", "count_not_positive"),
    "huge": _text("{t},{u},3000000000", "count_too_large"),
    "beyond every integer": _text("{t},{u},99999999999999999999999", "count_too_large"),
    "beyond every float": _text("{t},{u},1e999", "count_too_large"),
    "no count": _text("{t},{u},", "count_missing"),
    "blank count": _text("{t},{u},  ", "count_missing"),
    "no track": _text(",{u},{n}", "track_id_missing"),
    "blank track": _text("  ,{u},{n}", "track_id_missing"),
    "no user": _text("{t},,{n}", "user_id_missing"),
    "quoted empty user": _text('{t},"",{n}', "user_id_missing"),
    "nothing at all": _text(",,", "track_id_missing"),
    "broken UTF-8": _bytes(b"U", b"U\xff", "not_utf8"),
    "cut UTF-8": _bytes(b"U", b"\xc3U", "not_utf8"),
    "Latin-1": _bytes(b"U", b"\xe9U", "not_utf8"),
    "NUL": _bytes(b"U", b"U\0", "nul_byte"),
    "open quote": _text('{t},"{u},{n}', "open_quote"),
    "open quote at the start": _text('"{t},{u},{n}', "open_quote"),
    "open quote at the end": _text('{t},{u},"{n}', "open_quote"),
    "text after a quote": _text('{t},"{u}"x,{n}', "text_after_quote"),
    "header again": _text(HEADER, "repeated_header"),
}

HARMLESS: dict[str, Callable[[Line], bytes]] = {
    "byte order mark": lambda line: BOM + "{},{},{}".format(*line).encode(),
    "quoted": lambda line: '"{}","{}","{}"'.format(*line).encode(),
    "some quoted": lambda line: '{},"{}",{}'.format(*line).encode(),
    "float count": lambda line: "{},{},{}.0".format(*line).encode(),
    "plus": lambda line: "{},{},+{}".format(*line).encode(),
    "spaces around the count": lambda line: "{},{}, {} ".format(*line).encode(),
    "blank line before": lambda line: "\n{},{},{}".format(*line).encode(),
    "plain": lambda line: "{},{},{}".format(*line).encode(),
}


def shown(raw: bytes) -> str:
    """Show bytes as `rejected_rows.raw` does."""
    return raw.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def damaged_history(
    seed: int,
    rows: int,
    damages: int,
    tracks: int,
    users: int,
    kinds: dict[str, Bad] | None = None,
    harmless: float = 0.1,
    crlf: float = 0.1,
) -> Truth:
    """Make a history with ``rows`` good rows and ``damages`` bad ones, shuffled."""
    chance = random.Random(seed)
    kinds = DAMAGES if kinds is None else kinds
    names = sorted(kinds)
    plan: list[str] = ["" for _ in range(rows)]
    plan += [names[number % len(names)] for number in range(damages)]
    chance.shuffle(plan)
    mark = BOM if harmless and chance.random() < 0.5 else b""
    truth = Truth(mark + HEADER.encode() + (b"\r\n" if crlf == 1 else b"\n"))
    pieces = [truth.content]
    for number, kind in enumerate(plan):
        track, user = f"T{chance.randrange(tracks)}", f"U{chance.randrange(users)}"
        line = (track, user, chance.choice([1, 1, 1, 2, 3, 17, 2948]))
        if kind:
            raw, reason = kinds[kind](line)
            truth.rejected.append((number + 2, reason, shown(raw)))
        else:
            way = chance.choice(sorted(HARMLESS)) if chance.random() < harmless else "plain"
            raw = HARMLESS[way](line)
            truth.plays[user, track] += line[2]
            truth.good += 1
        pieces += [raw, b"\r\n" if chance.random() < crlf else b"\n"]
    truth.content = b"".join(pieces)
    return truth


def write_catalogue(path: Path, tracks: int) -> None:
    """Write a catalogue of tracks T0, T1, …"""
    lines = "".join(f"T{number},Name {number}\n" for number in range(tracks))
    path.write_text("track_id,name\n" + lines)
