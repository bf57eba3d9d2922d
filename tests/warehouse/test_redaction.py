"""Ids in texts: found as whole words in every spelling, and nothing else is touched."""

import html
import json
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from warehouse.redaction import PLACEHOLDER, Redactor

ID = "5a905f000fc1ff3df7ca807d57edb608863db05d"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (f"FROM recommend_user('{ID}');", f"FROM recommend_user('{PLACEHOLDER}');"),
        (f"listener {ID} with 9 tracks", f"listener {PLACEHOLDER} with 9 tracks"),
        (f"TR1,{ID},3", f"TR1,{PLACEHOLDER},3"),
        (f"{ID}{ID}", f"{ID}{ID}"),
        (f"x{ID} {ID}y {ID}", f"x{ID} {ID}y {PLACEHOLDER}"),
        ("nobody", "nobody"),
    ],
)
def test_an_id_is_found_as_a_whole_word(text: str, redacted: str) -> None:
    assert Redactor([ID]).redact(text) == redacted


def test_a_short_id_counts_where_a_listener_is_spoken_of() -> None:
    redactor = Redactor(["5", "bob"])
    text = "5 tables, listener 5, user_id=5, bob's, user 'bob', TR1,5,3"
    assert redactor.redact(text) == (
        f"5 tables, listener {PLACEHOLDER}, user_id={PLACEHOLDER}, bob's, user '{PLACEHOLDER}', "
        "TR1,5,3"
    )
    assert redactor.names("TR1,5,3", everywhere=True)
    assert not redactor.names("TR1,55,3", everywhere=True)


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=12)
        .map(lambda one: one.strip(" \t\r\n"))
        .filter(lambda one: len(one) >= 6 and "forgotten" not in one),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
@example(['say "hi" <you>', "it's him"])
def test_no_spelling_of_an_id_is_left(ids: list[str]) -> None:
    redactor = Redactor(ids)
    for one in ids:
        for spelled in (
            one,
            json.dumps(one)[1:-1],
            one.replace("'", "''"),
            html.escape(one),
            quote(one, safe=""),
        ):
            text = f"before ({spelled}) after"
            assert redactor.names(text)
            assert not redactor.names(redactor.redact(text))


def test_a_text_without_ids_is_the_same_object() -> None:
    text = "nothing"
    assert Redactor([ID]).redact(text) is text
    assert Redactor([]).redact(text) is text
