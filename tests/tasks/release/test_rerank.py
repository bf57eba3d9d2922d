"""Two models answer one question: the same listeners, histories, targets and candidates."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from tasks.blend.model import BlendCatalogue, EdgeTable, HybridModel, track_edges
from tasks.blend.parameters import segment_of
from tasks.blend.ranking import rank_histories
from tasks.evaluation.metrics import ndcg_at_k, recall_at_k
from tasks.evaluation.split import Split
from tasks.holdout.hashing import id_hashes
from tasks.holdout.rule import HoldoutRule
from tasks.release.measured_model import MeasuredModel
from tasks.release.rerank import HeldOutPlays, Paired, rerank, rotated
from tests.tasks.release.measured_models import (
    RULE,
    TRACKS,
    random_measured,
    random_plays,
    track_ids,
    with_new_tracks,
)


def assert_equal(one: Paired, other: Paired) -> None:
    """Assert that both models reached the same in both."""
    for metric, values in one.ours.items():
        np.testing.assert_array_equal(values, other.ours[metric])
        np.testing.assert_array_equal(one.theirs[metric], other.theirs[metric])


def test_a_model_is_as_good_as_itself() -> None:
    model = random_measured(0)
    paired = rerank(model, model, random_plays(0))
    assert (paired.tracks, paired.new_tracks, paired.newly_played) == (TRACKS, 0, 0)
    for metric, ours in paired.ours.items():
        np.testing.assert_array_equal(ours, paired.theirs[metric])
        assert 0 < ours.mean() < 1


def by_hand(model: MeasuredModel, plays: HeldOutPlays, number: int) -> tuple[np.ndarray, ...]:
    """Rank by the kernel of the published lists; return recall@20 and NDCG@100."""
    strangers = RULE.holds_out(RULE.hashes(plays.user_ids))
    keep = strangers & (np.bincount(plays.listener, minlength=len(strangers)) >= 2)
    mine = keep[plays.listener]
    row = (np.cumsum(keep) - 1)[plays.listener[mine]]
    ids = plays.user_ids.filter(pa.array(keep))
    hashes = id_hashes(ids, 0)
    split = Split.of(hashes, row, plays.track[mine], id_hashes(model.track_ids, 0))
    split = rotated(split, number)
    of_plays = track_edges(model.weights, model.track_of_played)
    columns = {"listeners": model.listeners, "artist_key": model.artist_key}
    catalogue = BlendCatalogue.from_tracks(pa.table(columns))
    recalls, ndcgs = np.zeros(len(split)), np.zeros(len(split))
    for half, choice in enumerate((model.choices[1], model.choices[0])):
        ours = np.flatnonzero(split.half == half)
        hybrid = HybridModel(
            EdgeTable.from_edges(of_plays, TRACKS),
            EdgeTable.from_edges(model.content, TRACKS),
            catalogue,
            model.hybrid.model_copy(update={"gamma": choice.gamma}),
        )
        indptr, history = split.histories(ours, split.fold_in[ours])
        of = segment_of(split.fold_in[ours], choice.segments)
        w = np.array([one.weight for one in choice.segments])[of]
        p = np.array([one.popularity for one in choice.segments])[of]
        lists = rank_histories(hybrid, indptr, history, w, p, 100).tracks
        at, targets = split.to_find(ours)
        wanted = sparse.csr_array((np.ones(len(targets)), targets, at), shape=(len(ours), TRACKS))
        recalls[ours], ndcgs[ours] = recall_at_k(lists, wanted, 20), ndcg_at_k(lists, wanted, 100)
    return recalls, ndcgs


def test_the_lists_are_those_that_would_be_published() -> None:
    model, plays = random_measured(1), random_plays(1)
    paired = rerank(model, random_measured(2), plays)
    # of tracks that both have, but for the first plays: make the other's catalogue agree
    same = rerank(model, replace(random_measured(2), listeners=model.listeners), plays)
    rounds = [by_hand(model, plays, number) for number in range(5)]
    recalls, ndcgs = (np.mean(values, axis=0) for values in zip(*rounds, strict=True))
    np.testing.assert_allclose(same.ours["recall@20"], recalls, rtol=0, atol=1e-12)
    np.testing.assert_allclose(same.ours["ndcg@100"], ndcgs, rtol=0, atol=1e-12)
    assert paired.newly_played > 0


@pytest.mark.parametrize("seed", range(3))
def test_a_grown_catalogue_speaks_neither_for_nor_against_a_challenger(seed: int) -> None:
    model, plays = random_measured(seed), random_plays(seed)
    new = [f"t{2 * x:04}" for x in (0, 7, 8, 30, TRACKS)]
    grown, key_of = with_new_tracks(model, new, seed)
    listener = np.concatenate([plays.listener, np.arange(40)])
    track = np.concatenate(
        [key_of[plays.track], np.full(40, grown.track_ids.index(new[1]).as_py())]
    )
    order = np.lexsort((track, listener))
    today = HeldOutPlays(plays.user_ids, listener[order], track[order].astype(np.int32))
    paired = rerank(grown, model, today)
    assert (paired.tracks, paired.new_tracks) == (TRACKS, len(new))
    assert_equal(paired, rerank(model, model, plays))
    # and one that has lost the new tracks again is asked about all it has
    back = rerank(model, grown, plays)
    assert (back.tracks, back.new_tracks) == (TRACKS, 0)
    assert_equal(back, rerank(model, model, plays))


def test_first_plays_are_left_out_and_lost_plays_count() -> None:
    model, plays = random_measured(3), random_plays(3)
    before = replace(model, listeners=np.where(np.arange(TRACKS) < 10, 0, model.listeners))
    more = rerank(model, before, plays)
    assert more.newly_played == int((model.listeners[:10] > 0).sum())
    assert more.tracks == TRACKS - more.newly_played
    less = rerank(before, model, plays)
    assert (less.newly_played, less.tracks) == (0, TRACKS)
    assert less.ours["ndcg@100"].mean() != less.theirs["ndcg@100"].mean()


def test_only_strangers_to_both_are_asked() -> None:
    model, plays = random_measured(4), random_plays(4)
    for rule in (HoldoutRule(seed=0, share=0.25), HoldoutRule(seed=7, share=0.5)):
        paired = rerank(model, replace(model, rule=rule), plays)
        unseen = rule.holds_out(rule.hashes(plays.user_ids))
        kept = unseen & (np.bincount(plays.listener, minlength=len(unseen)) >= 2)
        assert paired.user_ids == plays.user_ids.filter(pa.array(kept))
    nobody = rerank(model, replace(model, rule=HoldoutRule(seed=0, share=1e-9)), plays)
    assert len(nobody.user_ids) == 0


def test_five_questions_ask_for_every_track_once() -> None:
    size, listeners = 20, 6
    row = np.repeat(np.arange(listeners), size)
    track = np.tile(np.arange(size, dtype=np.int32), listeners)
    hashes = id_hashes(pa.array([f"u{x}" for x in range(listeners)]), 0)
    split = Split.of(hashes, row, track, id_hashes(pa.array(track_ids(size)), 0))
    everyone = np.arange(listeners)
    asked = [
        rotated(split, number).to_find(everyone)[1].reshape(listeners, 4) for number in range(5)
    ]
    for u in everyone:
        assert sorted(np.concatenate([one[u] for one in asked])) == list(range(size))
    for number in range(5):
        moved = rotated(split, number)
        at, folded = moved.histories(everyone, moved.fold_in)
        for u in everyone:
            assert not set(folded[at[u] : at[u + 1]]) & set(asked[number][u])
    again = rotated(split, 5)
    np.testing.assert_array_equal(again.tracks, split.tracks)
