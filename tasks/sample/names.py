"""Names for synthetic artists and songs, with the characters of real ones.

Commas, double quotes, accents, kana and artists whose name is a number are edge cases for CSV
readers. Names depend on the genre, so that lists look like music.
"""

from collections.abc import Callable, Sequence

import numpy as np

from tasks.sample import words

NUMERIC_ARTISTS = ("112", "311", "702", "1349")

Pick = Callable[[Sequence[str]], str]
Pattern = Callable[[Pick], str]


def _people(pick: Pick) -> str:
    return f"{pick(words.FIRST_NAMES)} {pick(words.LAST_NAMES)}"


def _plural_band(pick: Pick) -> str:
    return f"The {pick(words.ADJECTIVES)} {pick(words.NOUNS)}s"


def _pair(pick: Pick) -> str:
    return f"{pick(words.ADJECTIVES)} {pick(words.NOUNS)}"


def _nouns(pick: Pick) -> str:
    return f"{pick(words.NOUNS)} {pick(words.NOUNS)}"


def _dark(pick: Pick) -> str:
    return pick(words.DARK_NOUNS) + pick(words.DARK_ENDINGS)


def _dark_pair(pick: Pick) -> str:
    return f"{pick(words.ADJECTIVES)} {pick(words.DARK_NOUNS)}"


def _disc_jockey(pick: Pick) -> str:
    return f"DJ {pick(words.NOUNS)} {pick(words.PLACES)}"


def _backed(pick: Pick) -> str:
    return f"{_people(pick)} & The {pick(words.NOUNS)}s"


def _ensemble(pick: Pick) -> str:
    return f"{pick(words.LAST_NAMES)} {pick(words.NOUNS)} {pick(words.ENSEMBLES)}"


def _enumeration(pick: Pick) -> str:
    return f"{pick(words.NOUNS)}, {pick(words.NOUNS)} & {pick(words.NOUNS)}"


def _nickname(pick: Pick) -> str:
    return f'{pick(words.FIRST_NAMES)} "{pick(words.NOUNS)}" {pick(words.LAST_NAMES)}'


def _kana(pick: Pick) -> str:
    return pick(words.KANA_FIRST) + pick(words.KANA_LAST)


_BAND = (_plural_band, _pair, _nouns, _pair, _nouns, _people)
_PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "Metal": (_dark, _dark_pair, _dark, _dark_pair, _pair),
    "Punk": (_plural_band, _dark_pair, _plural_band, _nouns),
    "Electronic": (_pair, _nouns, _disc_jockey, _people, _nouns),
    "Rap": (_disc_jockey, _people, _pair, _nouns),
    "Jazz": (_people, _ensemble, _people, _backed),
    "Blues": (_people, _backed, _people),
    "Folk": (_people, _pair, _people, _plural_band),
    "Country": (_people, _backed, _people),
    "RnB": (_people, _backed, _plural_band),
    "New Age": (_people, _ensemble, _nouns),
    "Japanese": (_kana, _pair, _kana, _people),
}
# Each occurs at least once, so that the smallest catalogue has every edge case.
_QUIRKS: tuple[Pattern, ...] = (_enumeration, _nickname, _kana, _enumeration, _nickname)
_QUIRK_SHARE = 0.006


def artist_names(kinds: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Return one distinct name for each artist; ``kinds`` are genre labels or "Japanese"."""
    pick = _Picker(rng, 8 * len(kinds) + 64)
    names: dict[str, None] = dict.fromkeys(NUMERIC_ARTISTS[: len(kinds)])
    quirky = rng.random(len(kinds)) < _QUIRK_SHARE
    quirky[len(names) : len(names) + 2 * len(_QUIRKS)] = True
    for index in range(len(names), len(kinds)):
        patterns = _QUIRKS if quirky[index] else _PATTERNS.get(kinds[index], _BAND)
        pattern = patterns[index % len(patterns)]
        name = pattern(pick)
        while name in names:
            name = f"{name} of {pick(words.PLACES)}"
        names[name] = None
    return list(names)


def track_names(kinds: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Return a title for each track; titles may repeat, as in real catalogues."""
    pick = _Picker(rng, 4 * len(kinds) + 64)
    pattern = np.searchsorted(_TITLE_SHARES, rng.random(len(kinds)), side="right")
    return [
        _kana(pick) if kind == "Japanese" and choice % 2 else _TITLES[choice](pick, kind)
        for kind, choice in zip(kinds, pattern.tolist(), strict=True)
    ]


def _noun(pick: Pick, kind: str) -> str:
    return pick(words.DARK_NOUNS if kind == "Metal" else words.NOUNS)


_TITLES: tuple[Callable[[Pick, str], str], ...] = (
    lambda pick, kind: f"{pick(words.ADJECTIVES)} {_noun(pick, kind)}",
    lambda pick, _: f"{pick(words.VERBS)} {pick(words.OBJECTS)}",
    lambda pick, kind: _noun(pick, kind),
    lambda pick, kind: f"The {_noun(pick, kind)}",
    lambda pick, kind: f"{_noun(pick, kind)} in {pick(words.PLACES)}",
    lambda pick, kind: f"{pick(words.VERBS)} the {_noun(pick, kind)}",
    lambda pick, _: f"Don't {pick(words.VERBS)} {pick(words.OBJECTS)}",
    lambda pick, _: f"{pick(words.VERBS)}, {pick(words.VERBS)}, {pick(words.VERBS)}",
    lambda pick, kind: f"{_noun(pick, kind)} (Live in {pick(words.PLACES)})",
    lambda pick, kind: f'{pick(words.VERBS)} (From "{pick(words.ADJECTIVES)} {_noun(pick, kind)}")',
    lambda pick, kind: f"{_noun(pick, kind)} für {pick(words.FIRST_NAMES)}",
    lambda pick, _: _kana(pick),
)
_TITLE_SHARES = np.cumsum((0.24, 0.22, 0.12, 0.1, 0.1, 0.09, 0.05, 0.025, 0.03, 0.01, 0.01))


class _Picker:
    """Pick words with random numbers drawn in bulk, because single draws would take seconds."""

    def __init__(self, rng: np.random.Generator, stock: int) -> None:
        self._rng = rng
        self._size = stock
        self._stock: list[float] = []

    def __call__(self, choices: Sequence[str]) -> str:
        if not self._stock:
            self._stock = self._rng.random(self._size).tolist()
        return choices[int(self._stock.pop() * len(choices))]
