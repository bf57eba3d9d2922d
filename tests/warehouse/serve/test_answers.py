"""Answers over HTTP are those of SQL, one release at a time."""

import json
import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from tests.warehouse.publishing import keep, publish, release_id
from tests.warehouse.serve.serving import served, wait
from tests.warehouse.timed_worlds import build_timed_world
from tests.warehouse.worlds import AWKWARD_IDS
from warehouse.build.writer import BuildInput
from warehouse.contract.document import EXAMPLES, SCALARS
from warehouse.contract.ranked import MACROS, VARIETY
from warehouse.releases.home import Home
from warehouse.releases.pointer import make_current
from warehouse.releases.retention import prune
from warehouse.serve.endpoints import ENDPOINTS
from warehouse.serve.rows import Answer

PATHS = {one.name: one for one in ENDPOINTS}


@pytest.fixture(scope="module")
def api(three_published: Home) -> Iterator[httpx.Client]:
    with served(three_published) as client:
        yield client


@pytest.fixture(scope="module")
def database(
    three_published: Home, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy: this process has the file open with other settings."""
    file = tmp_path_factory.mktemp("copy") / "crossfade.duckdb"
    shutil.copyfile(three_published.current, file)
    with duckdb.connect(str(file), read_only=True) as connection:
        yield connection


def by_sql(database: duckdb.DuckDBPyConnection, sql: str, values: list[Any]) -> Any:
    """Return the rows of a query as JSON has them."""
    result = database.execute(sql, values)
    columns = [name for name, *_ in result.description or ()]
    rows = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    return json.loads(json.dumps(rows, default=lambda value: value.isoformat()))


def some_question(
    rng: random.Random, users: list[str], tracks: list[str], artists: list[str]
) -> tuple[Any, ...]:
    """Return an endpoint, its arguments, and the SQL that an app would write for them."""
    artist = rng.choice(artists)
    user, track, other = rng.choice(users), rng.choice(tracks), rng.choice(tracks)
    liked, exclude = rng.sample(tracks, rng.randint(1, 4)), rng.sample(tracks, rng.randint(0, 3))
    k, weight = rng.randint(1, 40), rng.choice([None, 0.0, 0.25, 1.0])
    shared = {"k": k, "exclude": exclude} | ({} if weight is None else {"weight": weight})
    named = "k := ?, weight := ?, exclude := ?"
    heard = rng.random() < 0.5
    genres, year = rng.choice([[], ["Rock"], ["Rock", "Jazz"]]), rng.randint(1960, 2020)
    where = "(len(?::VARCHAR[]) = 0 OR list_contains(?::VARCHAR[], genre)) AND year >= ? LIMIT ?"
    filtered = {**shared, "genres": genres, "first_year": year}
    bound = [weight, exclude, genres, genres, year, k]
    everybody = rng.choices(users, k=5)
    return rng.choice(
        [
            ("recommend_user", {"user_id": user}, "FROM recommend_user(?)", [user]),
            ("recommend_user", {"user_id": user, "k": k}, "FROM recommend_user(?, k := ?)",
             [user, k]),
            ("recommend_user", {"user_id": user, "heard": heard, "per_artist": 2, **shared},
             f"FROM recommend_user(?, {named}, heard := ?, per_artist := 2)",
             [user, k, weight, exclude, heard]),
            ("recommend_tracks", {"track_ids": liked, "new_artists": heard, **shared},
             f"FROM recommend_tracks(?, {named}, new_artists := ?)",
             [liked, k, weight, exclude, heard]),
            ("recommend_user", {"user_id": user, "diversity": 0.5, "calibrated": 0.2, "k": k},
             "FROM recommend_user(?, k := ?, diversity := 0.5, calibrated := 0.2)", [user, k]),
            ("recommend_tracks", {"track_ids": liked, "calibrated": 0.7, **shared},
             f"FROM recommend_tracks(?, {named}, calibrated := 0.7)", [liked, k, weight, exclude]),
            ("recommend_users", {"user_ids": everybody, "diversity": 0.3},
             "FROM recommend_users(?, diversity := 0.3)", [everybody]),
            ("recommend_many", {"lists": [liked, exclude], "diversity": 1, "calibrated": 1},
             "FROM recommend_many(?::VARCHAR[][], diversity := 1, calibrated := 1)",
             [[liked, exclude]]),
            ("similar_to", {"track_id": track, **shared}, f"FROM similar_to(?, {named})",
             [track, k, weight, exclude]),
            ("user_candidates", {"user_id": user, "heard": heard, **filtered},
             f"FROM user_candidates(?, heard := ?, weight := ?, exclude := ?) WHERE {where}",
             [user, heard, *bound]),
            ("track_candidates", {"track_id": track, **filtered},
             f"FROM track_candidates(?, weight := ?, exclude := ?) WHERE {where}",
             [track, *bound]),
            ("candidates_for_tracks", {"track_ids": liked, **filtered},
             f"FROM candidates_for_tracks(?, weight := ?, exclude := ?) WHERE {where}",
             [liked, *bound]),
            ("explain", {"track_a": track, "track_b": other}, "FROM explain(?, ?)",
             [track, other]),
            ("on_repeat", {"user_id": user, "k": k}, "FROM on_repeat(?, k := ?)", [user, k]),
            ("rediscover", {"user_id": user, "days": k}, "FROM rediscover(?, days := ?)",
             [user, k]),
            ("new_for_user", {"user_id": user, **shared}, f"FROM new_for_user(?, {named})",
             [user, k, weight, exclude]),
            ("trending", {"scope": "all", "k": k}, "FROM trending('all', k := ?)", [k]),
            ("artist_tracks", {"artist": artist, **shared}, f"FROM artist_tracks(?, {named})",
             [artist, k, weight, exclude]),
            ("similar_artists", {"artist": artist, "k": k}, "FROM similar_artists(?, k := ?)",
             [artist, k]),
            ("recommend_artists", {"user_id": user, "k": k, "new_artists": heard},
             "FROM recommend_artists(?, k := ?, new_artists := ?)", [user, k, heard]),
            ("continue_playlist", {"track_ids": liked, **shared},
             f"FROM continue_playlist(?, {named})", [liked, k, weight, exclude]),
            ("radio", {"track_ids": liked, "seed": str(k), **shared},
             f"FROM radio(?, seed := ?, {named})", [liked, k, k, weight, exclude]),
            ("search_tracks", {"text": track[:3], "k": k}, "FROM search_tracks(?, k := ?)",
             [track[:3], k]),
            ("recommend_users", {"user_ids": everybody, "k": k},
             "FROM recommend_users(?, k := ?)", [everybody, k]),
            ("recommend_users", {"user_ids": everybody, "heard": heard, **shared},
             f"FROM recommend_users(?, {named}, heard := ?)",
             [everybody, k, weight, exclude, heard]),
            ("recommend_many", {"lists": [liked, exclude], "k": k},
             "FROM recommend_many(?::VARCHAR[][], k := ?)", [[liked, exclude], k]),
            ("similar_to_many", {"track_ids": liked, "k": k},
             "FROM similar_to_many(?, k := ?)", [liked, k]),
            ("variant", {"user_id": user, "experiment": "none"},
             "SELECT variant(?, 'none') AS variant, variant_weight(?, 'none') AS variant_weight",
             [user, user]),
            ("user_recommendations", {"user_id": user, "k": k},
             "SELECT * EXCLUDE (user_id) FROM user_recommendations WHERE user_id = ? "
             "AND rank <= ? ORDER BY rank", [user, k]),
            ("similar_tracks", {"track_id": track, "k": k},
             "SELECT * EXCLUDE (track_id) FROM similar_tracks WHERE track_id = ? "
             "AND rank <= ? ORDER BY rank", [track, k]),
            ("popular_tracks", {"k": k},
             "SELECT * EXCLUDE (scope) FROM popular_tracks WHERE scope = 'all' AND rank <= ? "
             "ORDER BY rank", [k]),
            ("tracks", {"track_ids": [track, "?"]}, "FROM tracks WHERE track_id = ?", [track]),
            ("users", {"user_id": user}, "FROM users WHERE user_id = ?", [user]),
        ]
    )  # fmt: skip


def ask(api: httpx.Client, name: str, arguments: dict[str, Any]) -> Any:
    """Return the answer of an endpoint, which is checked against its description."""
    endpoint = PATHS[name]
    if endpoint.by_get:
        reply = api.get(endpoint.path, params=arguments)
    else:
        reply = api.post(endpoint.path, json=arguments)
    assert reply.status_code == 200, reply.text
    answer = reply.json()
    Answer[endpoint.row].model_validate(answer)  # type: ignore[name-defined]
    columns = {column for row in answer["rows"] for column in row}
    expected = set(endpoint.row.model_fields)
    assert columns == expected or not columns or (name == "tracks" and columns > expected)
    return answer


@pytest.mark.parametrize(
    "requests",
    [150, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])],
)
def test_random_requests_get_what_sql_gets(
    api: httpx.Client, database: duckdb.DuckDBPyConnection, requests: int
) -> None:
    rng = random.Random(requests)
    users = [row[0] for row in database.execute("SELECT user_id FROM users").fetchall()]
    tracks = [row[0] for row in database.execute("SELECT track_id FROM tracks").fetchall()]
    artists = [row[0] for row in database.execute("SELECT artist FROM tracks").fetchall()]
    known = [artist for artist in artists if artist]
    asked = set()
    for _ in range(requests):
        name, arguments, sql, values = some_question(
            rng,
            [*users, "nobody", *AWKWARD_IDS],
            [*tracks, "no track"],
            [*known, known[0].upper(), "no artist"],
        )
        asked.add(name)
        answer = ask(api, name, arguments)
        assert answer["release_id"] == release_id(2)
        assert answer["rows"] == by_sql(database, sql, values), (name, arguments)
    assert asked == PATHS.keys() - {"segments", "experiments", "evaluation", "release"}


@pytest.mark.parametrize("name", ["segments", "experiments", "evaluation", "release"])
def test_relations_without_arguments_are_answered(api: httpx.Client, name: str) -> None:
    assert bool(ask(api, name, {})["rows"]) == (name != "experiments")


def test_every_macro_of_the_contract_has_an_endpoint() -> None:
    assert {*EXAMPLES, *SCALARS} - {"variant_weight"} <= PATHS.keys()  # `variant` has the weight


@pytest.mark.parametrize("name", ["on_repeat", "rediscover", "new_for_user", "trending"])
def test_lists_from_times_are_answered_with_their_days(
    home: Home, tmp_path: Path, name: str
) -> None:
    timed = build_timed_world(tmp_path / "timed", seed=0)
    release = publish(home, timed.world.given, 1)
    with duckdb.connect(str(timed.world.database), read_only=True) as database, served(home) as api:
        about = "scope" if name == "trending" else "user_id"
        rows = 0
        for value in ["all"] if name == "trending" else timed.world.user_ids:
            answer = ask(api, name, {about: value})
            assert answer["release_id"] == release.manifest.release_id
            assert answer["rows"] == by_sql(database, f"FROM {name}(?)", [value])
            rows += len(answer["rows"])
        assert rows


def test_a_macro_that_the_release_does_not_have_is_not_found(home: Home, given: BuildInput) -> None:
    release = publish(home, given, 1)
    with duckdb.connect(str(release.database)) as database:
        database.execute("DROP MACRO TABLE radio")
    with served(home) as api:
        reply = api.get("/v1/radio", params={"track_ids": "T0"})
    assert reply.status_code == 404
    assert reply.json()["detail"] == "release 20260101T000001-test is older than `radio`"


def test_what_an_older_release_cannot_vary_is_a_404_and_its_list_is_there(
    tmp_path: Path, given: BuildInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tuple(
        replace(macro, varies=False, arguments=macro.arguments.removesuffix(f", {VARIETY}"))
        for macro in MACROS
    )
    monkeypatch.setattr("warehouse.contract.ranked.MACROS", plain)
    home = Home(tmp_path)
    publish(home, given, 1)
    with served(home) as api:
        listed = api.get("/v1/recommend_tracks", params={"track_ids": "T0", "diversity": 0})
        varied = api.get("/v1/recommend_tracks", params={"track_ids": "T0", "diversity": 0.5})
    assert listed.status_code == 200
    assert varied.status_code == 404
    assert varied.json()["detail"].endswith("is older than `diversity` and `calibrated`")


def test_lists_that_are_asked_for_at_once_are_each_ones_own(
    api: httpx.Client, database: duckdb.DuckDBPyConnection
) -> None:
    users = [row[0] for row in database.execute("SELECT user_id FROM users").fetchall()]

    def own(number: int) -> None:
        user, k, after = users[number % len(users)], 1 + number % 7, number % 3
        path = ("/v1/recommend_user", "/v1/user_recommendations")[number % 2]
        given = {"user_id": user, "k": k, "after": after}
        sql = "SELECT track_id FROM user_recommendations WHERE user_id = ? AND rank > ?"
        expected = database.cursor().execute(f"{sql} ORDER BY rank LIMIT {k}", [user, after])
        rows = api.get(path, params=given).json()["rows"]
        assert [row["track_id"] for row in rows] == [row[0] for row in expected.fetchall()]

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(own, range(400)))


@pytest.mark.parametrize("name", ["recommend_user", "user_candidates", "user_recommendations"])
def test_pages_of_a_release_are_its_list_also_after_another_was_published(
    home: Home, given: BuildInput, name: str
) -> None:
    publish(home, given, 1)
    user = {"user_id": "U0"}
    with served(home) as api:
        whole = api.get(f"/v1/{name}", params={**user, "k": 1000}).json()
        assert whole["next_after"] is None
        pages, page = [], api.get(f"/v1/{name}", params={**user, "k": 4}).json()
        publish(home, given, 2)
        wait(lambda: api.get("/health").json()["release_id"] == release_id(2))
        while page["next_after"] is not None:
            assert page["release_id"] == release_id(1)
            pages += page["rows"]
            following = {"after": page["next_after"], "release_id": release_id(1)}
            page = api.get(f"/v1/{name}", params={**user, "k": 4, **following}).json()
        assert pages + page["rows"] == whole["rows"]


def test_a_release_that_is_not_kept_or_was_never_published_is_gone(
    home: Home, given: BuildInput
) -> None:
    first = publish(home, given, 1)
    publish(home, given, 2)
    refused = keep(home, given, 3).noted(status="refused")
    with served(home) as api:
        asked = {"user_id": "U0", "release_id": first.manifest.release_id}
        assert api.get("/v1/recommend_user", params=asked).status_code == 200
        prune(home, 1)
        for missing in ("gone", "../releases", refused.manifest.release_id):
            reply = api.get("/v1/recommend_user", params={**asked, "release_id": missing})
            assert reply.status_code == 410
            assert reply.json()["errors"][0]["field"] == "release_id"


def test_a_client_that_has_the_answer_hears_so_until_the_next_release(
    home: Home, given: BuildInput
) -> None:
    publish(home, given, 1)
    with served(home) as api:
        first = api.get("/v1/recommend_user", params={"user_id": "U0"})
        tag = first.headers["etag"]
        assert tag.startswith(f'"{release_id(1)}')
        for named in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = api.get(
                "/v1/recommend_user", params={"user_id": "U0"}, headers={"If-None-Match": named}
            )
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        publish(home, given, 2)
        wait(lambda: api.get("/health").json()["release_id"] == release_id(2))
        changed = api.get(
            "/v1/recommend_user", params={"user_id": "U0"}, headers={"If-None-Match": tag}
        )
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag


def test_it_waits_for_the_first_release_and_keeps_the_last_that_can_be_read(
    home: Home, given: BuildInput
) -> None:
    with served(home) as api:
        reply = api.get("/v1/release")
        assert reply.status_code == 503
        assert "nothing is published yet" in reply.json()["detail"]
        assert api.get("/health").status_code == 503
        first = publish(home, given, 1)
        wait(lambda: api.get("/health").status_code == 200)
        second = keep(home, given, 2)
        make_current(home, second)
        wait(lambda: api.get("/health").json()["release_id"] == release_id(2))
        third = keep(home, given, 3)
        make_current(home, third)
        with third.database.open("r+b") as file:
            file.truncate(5000)
        make_current(home, first)
        wait(lambda: api.get("/health").json()["release_id"] == release_id(1))
        home.current.unlink()
        home.current.symlink_to(third.database)
        wait(lambda: api.get("/health").json()["status"] == "stale")
        assert api.get("/v1/release").json()["release_id"] == release_id(1)
