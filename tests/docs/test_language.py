"""Plain English in code and docs, and a glossary whose names exist."""

import importlib
import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, tables

ROOT = DOCS.parent
GLOSSARY = (DOCS / "glossary.md").read_text()
CONTRACT = (DOCS / "warehouse.md").read_text()

CALQUES = {
    r"so many": "state the number, or: as many",
    r"at the (most|least)": "at most, at least",
    r"mend(s|ed|ing)?": "fix",
    r"(is|does|do) no harm|means? harm": "idempotent, safe to repeat",
    r"in times of": "as a multiple of",
    r"as (it|they) comes?": "by default, unchanged",
    r"told": "distinguished, described, logged",
    r"what stays": "name it",
    r"(are|is|stays?) \w+ therefore": "are therefore …",
    r"the way of": "flow, path",
    r"are well": "are supported",
    r"nothing had changed": "the inputs were unchanged",
    r"stands? in (the|a|every|each|both|any\w*|some\w*)": "is in",
    r"as they stand|as it stood": "unchanged",
    r"silly": "a known flaw",
    r"shall": "should, must, or the imperative",
    r"seldom": "rarely",
    r"(is|are) heeded": "applies",
    r"look(s|ed)? (at|for) (itself|themselves)": "monitor",
    r"an? affair|affairs?": "responsibility",
    r"tried in turn": "tried, alternating",
}
"""Phrase (a regular expression over whole words) → what to write instead."""

ALLOWED: frozenset[tuple[str, str]] = frozenset()
"""Exceptions: path and phrase in lower case."""

PHRASES = [
    (re.compile(rf"\b(?:{phrase})\b".replace(" ", r"\s+"), re.IGNORECASE), plain)
    for phrase, plain in CALQUES.items()
]
MARKERS = re.compile(r"(?<=\n)[ \t]*(?:#|--|//)[ \t]*")
"""Comment signs, which may stand between the words of a phrase."""


def _files() -> list[str]:
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
    pages += [page for page in [ROOT / "CONTRIBUTING.md"] if page.exists()]
    code = [
        path
        for folder in ("flows", "tasks", "warehouse")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".sql"}
    ]
    return [path.relative_to(ROOT).as_posix() for path in [*pages, *code]]


def _calques(text: str) -> list[tuple[int, str, str]]:
    """Return line, phrase and plain wording of each; a phrase may continue on the next line."""
    bare = MARKERS.sub("", text)
    return sorted(
        (bare.count("\n", 0, match.start()) + 1, " ".join(match[0].lower().split()), plain)
        for pattern, plain in PHRASES
        for match in pattern.finditer(bare)
    )


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("It is mended.", ["mended"]),
        ("# at the\n# most ten", ["at the most"]),
        ("told_apart = recommended", []),
        ("Shall it be?", ["shall"]),
        ("The values are larger therefore.", ["are larger therefore"]),
        ("It is therefore larger.", []),
    ],
)
def test_calques_are_found_as_whole_words(text: str, phrases: list[str]) -> None:
    assert [phrase for _, phrase, _ in _calques(text)] == phrases


@pytest.mark.parametrize("path", _files())
def test_the_text_is_plain_english(path: str) -> None:
    found = [
        f"{path}:{line}: “{phrase}”; write: {plain}"
        for line, phrase, plain in _calques((ROOT / path).read_text())
        if (path, phrase) not in ALLOWED
    ]
    assert not found, "\n".join(found)


def _quoted(column: str) -> list[str]:
    return [
        name
        for rows in tables(GLOSSARY)
        for row in rows
        for name in re.findall(r"[^`\s,]+", row[column])
        if row[column]
    ]


def _exists(name: str) -> bool:
    """Return whether a path exists, or a dotted name can be imported."""
    if "/" in name:
        return (ROOT / name).exists()
    for dots in range(name.count(".") + 1):
        module, _, attribute = name.rpartition(".") if dots else (name, "", "")
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        return not attribute or hasattr(found, attribute)
    return False


@pytest.mark.parametrize(
    "name",
    sorted(
        {n for n in _quoted("code") if "/" in n or n.startswith(("tasks.", "flows.", "warehouse."))}
    ),
)
def test_the_glossary_s_code_exists(name: str) -> None:
    assert _exists(name), f"docs/glossary.md names {name}, which does not exist"


@pytest.mark.parametrize("name", sorted(set(_quoted("contract"))))
def test_the_glossary_s_contract_names_are_in_the_contract(name: str) -> None:
    relation, _, column = name.partition(".")
    if name == "current.duckdb":
        return
    names = set(re.findall(r"^### (\w+)$|^\| `(\w+)` \|", CONTRACT, re.MULTILINE))
    flat = {part for pair in names for part in pair if part}
    assert relation in flat
    assert not column or column in flat


def test_each_word_has_one_entry() -> None:
    words = [row["word"] for rows in tables(GLOSSARY) for row in rows]
    assert len(words) == len(set(words))


def test_files_named_in_the_docs_exist() -> None:
    named = re.compile(
        r"(?<![\w/.-])((?:flows|tasks|warehouse|tests|docs)/[\w/.-]+\.(?:py|sql|md|json))"
    )
    missing = [
        f"{page}: {name}"
        for page in _files()
        if page.endswith(".md") and page != "CHANGELOG.md"
        for name in named.findall((ROOT / page).read_text())
        # NAME is a placeholder
        if not (ROOT / name).exists() and "NAME" not in Path(name).with_suffix("").parts
    ]
    assert not missing, "\n".join(missing)
