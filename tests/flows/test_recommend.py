"""`crossfade recommend` asks for artists, playlists and radios, and names what it does not know."""

import json

import duckdb
import pytest

from tests.conftest import Published


def _some(published: Published, query: str) -> list[str]:
    with duckdb.connect(str(published.database), read_only=True) as release:
        return [row[0] for row in release.execute(query).fetchall()]


def _tracks(published: Published) -> list[str]:
    return _some(published, "SELECT track_id FROM tracks ORDER BY listeners DESC, track_id LIMIT 3")


def _answer(published: Published, *arguments: str) -> list[dict[str, object]]:
    said = published.crossfade.here("recommend", *arguments, "--format", "json")
    assert said.exit_code == 0, said.output
    rows: list[dict[str, object]] = json.loads(said.stdout)
    return rows


def test_artists_are_asked_for_by_name(published: Published) -> None:
    [name] = _some(published, "SELECT artist FROM tracks ORDER BY listeners DESC, track_id LIMIT 1")
    assert {row["artist"] for row in _answer(published, "--artist", name.upper())} == {name}
    close = _answer(published, "--similar-artists", name, "-k", "5", "--weight", "1")
    assert len(close) == 5
    assert name not in {row["artist"] for row in close}


def test_artists_for_a_listener_are_new_to_them(published: Published) -> None:
    [user] = _some(published, "SELECT user_id FROM users ORDER BY user_id LIMIT 1")
    heard = _some(
        published,
        "SELECT artist FROM tracks JOIN listens USING (track_id) "
        "WHERE user_id = (SELECT min(user_id) FROM users)",
    )
    found = {row["artist"] for row in _answer(published, "--artists-for", user)}
    assert len(found) == 20
    assert not found & set(heard)


def test_a_seed_decides_what_a_radio_plays(published: Published) -> None:
    given = ["--radio", *_tracks(published)]
    one, same, other = (_answer(published, *given, "--seed", seed) for seed in ("1", "1", "2"))
    assert one == same != other
    assert len(one) == 50


def test_a_playlist_goes_on_with_other_tracks(published: Published) -> None:
    tracks = _tracks(published)
    found = _answer(published, "--continue", *tracks)
    assert len(found) == 20
    assert not {row["track_id"] for row in found} & set(tracks)


def test_a_list_is_varied_on_request(published: Published) -> None:
    tracks = _tracks(published)
    dials = ["--diversity", "0.6", "--calibrated", "0.2"]
    found = _answer(published, "--like", *tracks, *dials)
    with duckdb.connect(str(published.database), read_only=True) as release:
        rows = release.execute(
            "SELECT track_id FROM recommend_tracks(?, diversity := 0.6, calibrated := 0.2)",
            [tracks],
        ).fetchall()
    assert [row["track_id"] for row in found] == [row[0] for row in rows]
    assert found != _answer(published, "--like", *tracks)


def test_only_lists_of_recommendations_are_varied(published: Published) -> None:
    said = published.crossfade.here("recommend", "--radio", "a track", "--diversity", "0.5")
    assert said.exit_code == 2
    assert "--diversity and --calibrated go with --user and --like only" in said.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--artist", "no artist 'nobody here' in this release"),
        ("--similar-artists", "no artist 'nobody here' in this release"),
        ("--artists-for", "no user_id 'nobody here' in this release"),
        ("--radio", "no track_id 'nobody here' in this release"),
        ("--continue", "no track_id 'nobody here' in this release"),
    ],
)
def test_what_is_not_known_is_named(published: Published, option: str, message: str) -> None:
    said = published.crossfade.here("recommend", option, "nobody here")
    assert said.exit_code == 0
    assert message in said.stderr
