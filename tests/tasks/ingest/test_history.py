"""How plays are joined to their listeners."""

import duckdb

from tasks.ingest.history import _same_user


def test_hashes_stand_for_ids_only_where_no_two_ids_share_one() -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE listeners (user_id VARCHAR, user_hash UBIGINT)")
        con.execute("CREATE TABLE forgotten (user_id VARCHAR)")
        con.execute("INSERT INTO listeners VALUES ('a', 1), ('b', 2)")
        assert _same_user(con) == "hash(plays.user_id) = listeners.user_hash"
        con.execute("INSERT INTO forgotten VALUES ('c')")
        assert _same_user(con) == "hash(plays.user_id) = listeners.user_hash"
        con.execute("INSERT INTO listeners SELECT 'd', hash('c')")
        assert _same_user(con) == "plays.user_id = listeners.user_id"
