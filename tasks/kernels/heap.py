"""The best m of a stream of (score, key) entries: a heap whose root is the worst one kept."""

from numba import njit


@njit(nogil=True, cache=True)
def push(scores, keys, kept, score, key):  # type: ignore[no-untyped-def]  # numba finds the types
    """Offer an entry to the heap of ``kept`` ones; return how many it holds then.

    The heap is full at len(scores). Equal scores go to the lower key.
    """
    if kept < len(scores):
        _sift_up(scores, keys, kept, score, key)
        return kept + 1
    if _worse(scores[0], keys[0], score, key):
        sift_down(scores, keys, score, key)
    return kept


@njit(nogil=True, cache=True)
def sort_best_first(scores, keys):  # type: ignore[no-untyped-def]  # numba finds the types
    """Turn a full heap into a list, best first."""
    for end in range(len(scores) - 1, 0, -1):
        score, key = scores[end], keys[end]
        scores[end], keys[end] = scores[0], keys[0]
        sift_down(scores[:end], keys[:end], score, key)


@njit(nogil=True, cache=True)
def _worse(score, key, other_score, other_key):  # type: ignore[no-untyped-def]  # numba finds the types
    return score < other_score or (score == other_score and key > other_key)


@njit(nogil=True, cache=True)
def _sift_up(scores, keys, place, score, key):  # type: ignore[no-untyped-def]  # numba finds the types
    while place > 0:
        parent = (place - 1) // 2
        if not _worse(score, key, scores[parent], keys[parent]):
            break
        scores[place] = scores[parent]
        keys[place] = keys[parent]
        place = parent
    scores[place] = score
    keys[place] = key


@njit(nogil=True, cache=True)
def sift_down(scores, keys, score, key):  # type: ignore[no-untyped-def]  # numba finds the types
    """Put an entry in place of the root, the worst of a full heap."""
    size = len(scores)
    place = 0
    while True:
        child = 2 * place + 1
        if child >= size:
            break
        right = child + 1
        if right < size and _worse(scores[right], keys[right], scores[child], keys[child]):
            child = right
        if not _worse(scores[child], keys[child], score, key):
            break
        scores[place] = scores[child]
        keys[place] = keys[child]
        place = child
    scores[place] = score
    keys[place] = key
