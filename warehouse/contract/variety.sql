-- The order of a list by more than its scores: rows that are unlike each other, and genres in the shares that
-- they have in the history. docs/scoring.md defines it. The best tracks of a list are brought into one row of
-- lists, and a fold over the rows of the answer picks one place after the other.

-- A share between 0 and 1 in whole thousandths. greatest and least skip NULL, so it comes first.
CREATE MACRO store.thousandths(share) AS
floor(1000 * least(1, greatest(0, coalesce(share::DOUBLE, 0))) + 0.5e0)::BIGINT;

-- How alike two tracks sound, in ticks: 0 where half of the bits differ, as they do for unrelated tracks.
CREATE MACRO store.likeness(a, b) AS
{ticks} * greatest(0, 64
    - bit_count(xor(struct_extract(a, 'sound_1'), struct_extract(b, 'sound_1')))::INTEGER
    - bit_count(xor(struct_extract(a, 'sound_2'), struct_extract(b, 'sound_2')))::INTEGER
)::BIGINT // 64;

-- What a row of a genre gains: by how much the divergence of the list's genres from those of the history falls,
-- times the rows so far and this one. `had` of them have the genre, whose share is `share`.
CREATE MACRO store.genre_gain(share, had, rows) AS
floor({genre_ticks} * rows * share * ln(
    ({genre_trust} * (had + 1) / rows + (1 - {genre_trust}) * share)
    / ({genre_trust} * had / rows + (1 - {genre_trust}) * share)
) + 0.5e0)::BIGINT;

-- Places in the given lists in the order of the answer. `likest` is how alike each track is to the likest one
-- above, NULL where it is taken; the largest value wins, of equal ones the first. `kinds` are the places of the
-- tracks' genres in `shares`. Without a candidate the lists are NULL, and least would skip their length.
CREATE MACRO store.varied(scores, sounds, kinds, shares, rows, diverse, calibrate) AS
struct_extract(list_reduce(
    list_transform(range(least(greatest(rows, 0), coalesce(len(scores), 0)) + 1), lambda step: {
        'places': []::BIGINT[],
        'likest': list_transform(scores, lambda score: 0::BIGINT),
        'had': list_transform(shares, lambda share: 0::BIGINT)
    }),
    lambda state, step: list_transform(
        [list_transform(
            [list_transform(
                [list_transform(shares, lambda share, kind: store.genre_gain(
                    share, struct_extract(state, 'had')[kind], len(struct_extract(state, 'places')) + 1))],
                lambda gains: list_transform(struct_extract(state, 'likest'), lambda likeness, place:
                    (1000 - calibrate) * ((1000 - diverse) * scores[place] - diverse * likeness)
                    + 1000 * calibrate * coalesce(gains[kinds[place]], 0))
            )[1]],
            lambda worth: list_position(worth, list_max(worth))
        )[1]],
        lambda best: {
            'places': list_append(struct_extract(state, 'places'), best::BIGINT),
            'likest': list_transform(struct_extract(state, 'likest'), lambda likeness, place: CASE
                WHEN likeness IS NULL OR place = best THEN NULL
                WHEN diverse > 0 THEN greatest(likeness, store.likeness(sounds[place], sounds[best]))
                ELSE likeness
            END),
            'had': list_transform(struct_extract(state, 'had'), lambda count, kind:
                CASE WHEN kinds[best] = kind THEN count + 1 ELSE count END)
        }
    )[1]
), 'places');
