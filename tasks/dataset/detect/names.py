"""What the name of a column or file suggests, in the habits of many data sets."""

import re
from functools import lru_cache


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


USER = word_set(
    "user users uid usr userid listener reviewer customer member account person profile player "
    "viewer client subscriber visitor session household msno steamid cookie device patron "
    "borrower buyer consumer rater critic playlist pid shopper reader watcher follower fan "
    "login username nick nickname utilisateur usuario benutzer nutzer utente utilizador cust "
    "userno usernum persona personid"
)
ORDERS = word_set("order orders basket invoice transaction receipt cart ticket visit purchase")
"""What stands between a listener and tracks: one listener has many."""
ITEM = word_set(
    "item items track tracks song songs movie movies film films book books isbn isbn13 asin "
    "product products sku article anime manga game games app business restaurant recipe joke "
    "beer wine venue place poi video videos show shows program programme media content doc "
    "document news story ad iid itemid trackid songid movieid bookid tid mid sid bid gid vid "
    "work podcast episode uri mbid traid stockcode listing offer course post photo question "
    "hotel destination repo paper title_id titel titre titulo cancion morceau livre buch libro"
)
ALBUM = frozenset(["album", "albums", "record", "release", "disc"])
ARTIST = word_set(
    "artist artists artista artiste artistes singer band performer musician musicians "
    "interpreter kunstler künstler interpret artname artistname artid artmbid"
)
CREATOR = word_set(
    "author authors creator creators writer writers director directors brand brands publisher "
    "publishers studio studios developer developers manufacturer brewery composer composers "
    "auteur auteurs autor autores autore podcaster channel seller store vendor designer company "
    "producer producers winery"
)
TITLE = word_set(
    "title titles name names trackname songname artname traname moviename track_name prod "
    "headline label titre titel titolo titulo título nom nombre nome primarytitle"
)
TAGS = word_set("tags tag keywords shelves mots etiquetas labels styles toptags")
GENRE = word_set(
    "genre genres category categories style kategorie categorie género genero generi gattung "
    "subgenre"
)
COUNT = word_set(
    "count counts plays playcount playcounts play_count listens listencount num n times "
    "time_played frequency freq weight quantity qty hours hrs playtime minutes mins occurrences "
    "purchases views watches total amount cnt nb repeats ecoutes écoutes reproducciones "
    "interactions"
)
RATING = word_set(
    "rating ratings stars star score scores rate overall grade vote note bewertung calificacion "
    "puntuacion valoracion voto wertung like_score preference"
)
EVENT = word_set(
    "event events action actions behavior behaviour interaction eventtype type kind activity "
    "status feedback verb operation"
)
TIME = word_set(
    "time timestamp ts date datetime day when at unixreviewtime reviewtime created updated "
    "played_at tstamp epoch played ended started end stop t_dat zeit datum fecha data "
    "horodatage moment listened month hour"
)
YEAR = word_set(
    "year years released release date published publication premiered aired startyear yr année "
    "annee jahr año anno ano launch debut"
)
DURATION = word_set("duration length ms msplayed seconds sec secs millis milliseconds runtime")
URL = word_set("url preview link href sample mp3 audio")
IMAGE = word_set("image img picture cover poster thumbnail photo icon")
ID = word_set("id ids key code no number nr uri uuid guid gid mbid asin isbn sku hash")
AUDIENCE = word_set(
    "ratings_count rating_count votes members followers reviews listeners average_rating "
    "rating_number ratings vote_count"
)
NEGATIVE_FLAGS = word_set("skipped skip is_skip isskip disliked dislike hated banned removed")
POSITIVE_FLAGS = word_set(
    "liked like loved favorite favourite favorited is_read completed finished recommended "
    "is_recommended recommend listened target is_listened purchased watched owned is_like "
    "is_click clicked long_view thumb thumbs thumbs_up upvote upvoted"
)
OTHER = word_set(
    "row index position rank order age gender country city language lang description text "
    "summary popularity tempo energy danceability loudness valence key mode price tag comment "
    "playlist playlistname value lat lon latitude longitude episodes explicit plot review "
    "helpful acousticness instrumentalness liveness speechiness budget revenue pages overview "
    "store extra email phone address state zip currency discount sex occupation"
)

_ALL = (
    USER | ITEM | ALBUM | ARTIST | CREATOR | TITLE | TAGS | GENRE | COUNT | RATING | EVENT | TIME
    | YEAR | DURATION | URL | IMAGE | ID | AUDIENCE | NEGATIVE_FLAGS | POSITIVE_FLAGS | OTHER
)  # fmt: skip

_CAMEL = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SPLIT = re.compile(r"[\W_]+")
_GLUED = ("id", "ids", "name", "title", "count", "time", "date", "uri", "url", "year", "mbid")
"""Words that are written without a gap after another one: `trackid`, `artistname`."""

HISTORY_FILES = word_set(
    "ratings rating plays play listens listening history interactions events event reviews "
    "review transactions purchases checkins scrobbles views logs log train interaction triplets "
    "sessions implicit explicit users_items les listens_count playlists orders streams"
)
CATALOGUE_FILES = word_set(
    "tracks track songs song movies movie items item products books book catalogue catalog "
    "music info meta metadata games game anime animes films titles business articles artists "
    "artist content features spotify albums"
)


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """Split a name into lower-case words: ``reviewerID`` is reviewer, id."""
    parts = [part.lower() for part in _SPLIT.split(_CAMEL.sub(" ", name.strip())) if part]
    found: list[str] = []
    for part in parts:
        glued = next(
            (end for end in _GLUED if part.endswith(end) and part.removesuffix(end) in _STEMS), None
        )
        found += [part.removesuffix(glued), glued] if glued else [part]
    return tuple(found)


_STEMS = (USER | ITEM | ALBUM | ARTIST | CREATOR | frozenset(("tag", "play", "art", "tra"))) - {
    "id"
}


def has(name: str, meaning: frozenset[str]) -> bool:
    """Tell whether a name, whole or a word of it, has a meaning."""
    whole = name.strip().lower()
    return whole in meaning or any(word in meaning for word in words(name))


def same_name(one: str, other: str) -> bool:
    """Tell whether two columns have the same name but for case, gaps and punctuation."""
    return "".join(words(one)) == "".join(words(other))


def is_made_up(name: str) -> bool:
    """Tell whether a column without a name was numbered."""
    return re.fullmatch(r"column_\d+", name) is not None


def is_known_name(cell: str) -> bool:
    """Tell whether a cell of a first line reads like the name of a column."""
    if len(cell) > 60 or not cell or cell[0].isdigit():
        return False
    found = words(cell)
    if cell.strip().lower() in _ALL:
        return True
    if len(found) > 4 or not found:
        return False
    known = sum(word in _ALL for word in found)
    # "Song 8" is a value, "song_id" a name.
    return known * 2 >= len(found) and not any(word.isdigit() for word in found)


def is_id_name(name: str) -> bool:
    """Tell whether a name ends as ids do, or is one: ``movieId``, ``asin``, ``msno``."""
    found = words(name)
    return bool(found) and (
        any(word in ID for word in found) or found[-1] in ("uid", "pid", "msno", "steamid", "asin")
    )


def user_strength(name: str) -> float:
    """Return how much a name sounds like a listener's id, 0 to 1."""
    if not has(name, USER):
        return 0.0
    strength = 1.0 if is_id_name(name) or len(words(name)) == 1 else 0.6
    if has(name, frozenset(("playlist", "session", "device", "cookie", "pid"))):
        strength *= 0.7  # a stand-in where there is no listener
    if has(name, frozenset(("name", "username", "nick", "nickname", "country", "age", "gender"))):
        strength *= 0.6
    return strength


def item_strength(name: str) -> float:
    """Return how much a name sounds like an item's id, 0 to 1."""
    found = words(name)
    if not found or (has(name, USER) and not has(name, frozenset(("playlist",)))):
        return 0.0
    if has(name, COUNT - {"plays"}) and not is_id_name(name):
        return 0.0
    described = has(name, frozenset(("url", "image", "img", "price", "type", "genre", "year")))
    descriptive = has(name, TITLE | GENRE | TAGS) and not is_id_name(name)
    for meaning, strength in ((ITEM, 1.0), (ALBUM, 0.6), (ARTIST, 0.55), (CREATOR, 0.2)):
        if has(name, meaning):
            return strength * (0.2 if described else 0.6 if descriptive else 1.0)
    return 0.4 if found == ("id",) else 0.2 if is_id_name(name) else 0.0


def file_words(stem: str) -> frozenset[str]:
    """Return the words of a file's name."""
    return frozenset(words(stem))
