"""The text of the history's queries, and how DuckDB runs it."""

import duckdb

from tasks.dataset.plays import PlaysSpec
from tasks.ingest.limits import IngestLimits
from tasks.ingest.queries import is_one_of, judgement, query

SPEC = PlaysSpec(path=("plays.csv",), user="user", track="track", count="n", nulls=("none at all",))


def test_a_text_is_one_of_the_tokens_or_not() -> None:
    said = {
        "NA": True, "none at all": True, "naïve'": True, "na": False, "N": False, "": False,
        "none at al": False, "none at all ": False, "x" * 40: False,
    }  # fmt: skip
    expression = is_one_of("given", ["NA", "none at all", "naïve'"])
    with duckdb.connect() as con:
        for given, expected in said.items():
            found = con.execute(f"SELECT {expression} FROM (SELECT ? AS given)", [given]).fetchall()
            assert found == [(expected,)], given
        assert con.execute(f"SELECT {expression} FROM (SELECT NULL::VARCHAR AS given)").fetchall()[
            0
        ] == (False,)


def test_plays_are_judged_without_a_join() -> None:
    """DuckDB turns an IN of many values into a join of every row, also where nobody asks for it."""
    fill = judgement(SPEC, IngestLimits())
    records = "SELECT track AS track_id, u AS user_id, n AS count_text FROM given"
    with duckdb.connect() as con:
        con.execute("CREATE TABLE given (track VARCHAR, u VARCHAR, n VARCHAR)")
        con.execute("INSERT INTO given VALUES ('t', 'u', '2'), ('NA', 'u', '1'), ('t', 'null', '')")
        con.execute(query("macros"))
        con.execute(query("plays", counted=query("counted", records=records, **fill), **fill))
        plan = con.execute("EXPLAIN FROM plays").fetchall()[0][1]
        assert "JOIN" not in plan.upper()
        judged = con.execute("SELECT plays, reason FROM plays").fetchall()
    assert judged == [(2, None), (1, "track_id_missing"), (None, "user_id_missing")]
