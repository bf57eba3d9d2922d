"""Days of a listener's plays before the newest, against a plain loop."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from tasks.blend.listen_days import listen_days
from tasks.lake.contracts.breaches import breaches
from tasks.lake.contracts.stages.ingest import interactions_schema
from tasks.lake.contracts.stages.lists import LISTENER_LISTS


def seconds(day: str, hour: int = 0) -> int:
    return int(datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC).timestamp())


def listens(rows: list[tuple[int, int | None, int | None]]) -> pa.Table:
    """Return plays by listener, first and last second."""
    columns = [
        [user for user, _, _ in rows], list(range(len(rows))), [1] * len(rows),
        [first for _, first, _ in rows], [last for _, _, last in rows], [1] * len(rows),
    ]  # fmt: skip
    schema = interactions_schema(timed=True)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
    return pa.table(arrays, schema=schema)


def test_days_count_from_midnight_to_midnight_utc() -> None:
    table = listens(
        [
            (0, seconds("2024-02-28", 23), seconds("2024-02-28", 23)),
            (0, seconds("2023-03-01"), seconds("2024-03-01", 0)),
            (0, None, None),
            (2, None, None),
            (3, seconds("2024-01-01", 3), seconds("2024-01-01", 23)),
        ]
    )
    newest, last, first = listen_days(table, np.array([0, 3, 3, 4, 5]))
    assert [str(day) for day in newest.to_pylist()] == ["2024-03-01", "None", "None", "2024-01-01"]
    assert last.to_pylist() == [[2, 0, None], [], [None], [0]]
    assert first.to_pylist() == [[2, 366, None], [], [None], [0]]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_plain_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 6, 20)
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    rows: list[tuple[int, int | None, int | None]] = []
    for user in np.repeat(np.arange(20), lengths).tolist():
        first = int(rng.integers(1, 2**31))
        known = (first, first + int(rng.integers(0, 2**31))) if rng.random() < 0.8 else (None, None)
        rows.append((user, *known))
    newest, last, first_days = listen_days(listens(rows), indptr)
    for user in range(20):
        own = rows[indptr[user] : indptr[user + 1]]
        days = [at // 86_400 for _, _, at in own if at is not None]
        top = max(days, default=None)
        assert newest.cast(pa.int32())[user].as_py() == top
        for found, place in ((last, 2), (first_days, 1)):
            moments = [row[place] for row in own]
            assert found[user].as_py() == [
                None if at is None or top is None else top - int(at) // 86_400 for at in moments
            ]


def test_the_contract_holds_lists_with_and_without_days() -> None:
    columns = {
        "user_id": ["u", "v"], "segment": ["0", "1"], "total_plays": [0, 3], "history": [[], [4]],
        "history_plays": [[], [3]], "tracks": [[], []], "collaborative": [[], []],
        "content": [[], []], "repeats": [[], []], "source": [[], []], "because": [[], []],
    }  # fmt: skip
    schema = LISTENER_LISTS.schema
    plain = pa.table({name: pa.array(columns[name], schema.field(name).type) for name in columns})
    assert breaches("listeners", LISTENER_LISTS, plain) == []
    timed = LISTENER_LISTS.schema_with("newest", "last_days", "first_days")
    columns |= {"newest": [None, 19_000], "last_days": [[], [None]], "first_days": [[], [7]]}
    whole = pa.table({f.name: pa.array(columns[f.name], f.type) for f in timed})
    assert breaches("listeners", LISTENER_LISTS, whole) == []
    short = pa.array([[], []], timed.field("last_days").type)
    broken = whole.set_column(whole.column_names.index("last_days"), "last_days", short)
    assert [str(one) for one in breaches("listeners", LISTENER_LISTS, broken)] == [
        "listeners.history, history_plays, last_days, first_days are not equally long (1 row)"
    ]
