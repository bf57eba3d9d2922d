"""The best m of a stream of (score, key) entries: a heap whose root is the worst one kept."""

from numba import njit


@njit(nogil=True, cache=True)
def worse(score, key, other_score, other_key):  # type: ignore[no-untyped-def]
    """Tell whether the first entry ranks below the other: lower score, or equal and higher key."""
    return score < other_score or (score == other_score and key > other_key)


@njit(nogil=True, cache=True)
def sift_up(scores, keys, place, score, key):  # type: ignore[no-untyped-def]
    """Add an entry at the end of the heap, whose length is ``place``."""
    while place > 0:
        parent = (place - 1) // 2
        if not worse(score, key, scores[parent], keys[parent]):
            break
        scores[place] = scores[parent]
        keys[place] = keys[parent]
        place = parent
    scores[place] = score
    keys[place] = key


@njit(nogil=True, cache=True)
def sift_down(scores, keys, size, score, key):  # type: ignore[no-untyped-def]
    """Put an entry in the place of the root, the worst one, and mend the heap."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        right = child + 1
        if right < size and worse(scores[right], keys[right], scores[child], keys[child]):
            child = right
        if not worse(scores[child], keys[child], score, key):
            break
        scores[place] = scores[child]
        keys[place] = keys[child]
        place = child
    scores[place] = score
    keys[place] = key
