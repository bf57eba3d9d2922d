-- What a row of the history is worth: a number of plays, or the reason why it is set aside.

-- An integer written plainly takes the short way; everything else is looked at closely, because
-- casts alone would take 3.5 for 4 and 1_0 for 10.
CREATE OR REPLACE TEMP MACRO count_value(count_text) AS
    CASE
        WHEN try_cast(count_text AS INTEGER)::VARCHAR = count_text
            THEN try_cast(count_text AS INTEGER)::DOUBLE
        WHEN regexp_full_match(count_text, '\s*$number\s*')
            THEN coalesce(
                try_cast(trim(count_text, E' \t+') AS DOUBLE),
                if(starts_with(ltrim(count_text, E' \t'), '-'), -1, 1) * 'infinity'::DOUBLE
            )
    END;

CREATE OR REPLACE TEMP MACRO is_blank(value) AS
    value IS NULL OR trim(value, E' \t') = '';

CREATE OR REPLACE TEMP MACRO count_reason(count_text, plays, max_plays) AS
    CASE
        WHEN is_blank(count_text) THEN 'count_missing'
        WHEN plays IS NULL OR isnan(plays) THEN 'count_not_a_number'
        WHEN plays <= 0 THEN 'count_not_positive'
        WHEN plays > max_plays THEN 'count_too_large'
    END;

CREATE OR REPLACE TEMP MACRO id_reason(
    track_id, user_id, track_column, user_column, null_track, null_user
) AS
    CASE
        WHEN track_id = track_column AND user_id = user_column THEN 'repeated_header'
        WHEN is_blank(track_id) OR null_track THEN 'track_id_missing'
        WHEN is_blank(user_id) OR null_user THEN 'user_id_missing'
    END;

-- Ids that sort from '!' on are not blank. Trimming every id would cost more than reading it, so
-- only rows that are not plainly good are looked at closely. `null_track` and `null_user` say whether
-- an id is a null token.
CREATE OR REPLACE TEMP MACRO play_reason(
    track_id, user_id, count_text, plays, max_plays, track_column, user_column, null_track, null_user
) AS
    CASE
        WHEN track_id >= '!' AND user_id >= '!' AND track_id <> track_column
            AND NOT null_track AND NOT null_user
            AND plays BETWEEN 1 AND max_plays
            THEN NULL
        ELSE coalesce(
            id_reason(track_id, user_id, track_column, user_column, null_track, null_user),
            count_reason(count_text, plays, max_plays)
        )
    END;

-- How much a record counts by its strength: at least one play, if it has a strength at all.
CREATE OR REPLACE TEMP MACRO strength_plays(strength, scale) AS
    greatest(1, round(coalesce(strength, 0) * scale));

CREATE OR REPLACE TEMP MACRO strength_reason(strength_text, strength) AS
    CASE
        WHEN is_blank(strength_text) THEN 'strength_missing'
        WHEN strength IS NULL OR isnan(strength) OR isinf(strength) THEN 'strength_not_a_number'
    END;

-- What a row filter takes a text for: a flag or a moment (ISO 8601, or seconds or milliseconds
-- since 1970).
CREATE OR REPLACE TEMP MACRO flag_value(given) AS
    CASE
        WHEN lower(trim(given)) IN ('true', 't', 'yes', 'y', '1', '1.0') THEN true
        WHEN lower(trim(given)) IN ('false', 'f', 'no', 'n', '0', '0.0') THEN false
    END;

CREATE OR REPLACE TEMP MACRO moment_value(given) AS
    coalesce(
        try_cast(given AS TIMESTAMP),
        make_timestamp(
            try_cast(
                count_value(given) * if(abs(count_value(given)) < 1e11, 1000000, 1000) AS BIGINT
            )
        )
    );

-- When a play was, in seconds since 1970. The session's zone is that of times that do not say theirs.
CREATE OR REPLACE TEMP MACRO number_moment(given, per_second) AS
    CASE
        WHEN try_cast(given AS BIGINT)::VARCHAR = given THEN try_cast(given AS BIGINT) / per_second
        ELSE count_value(given) / per_second
    END;

CREATE OR REPLACE TEMP MACRO iso_moment(given) AS epoch(try_cast(given AS TIMESTAMPTZ));

-- What ISO 8601 allows and the cast does not: 20240131T1015, an hour alone, small letters, a comma
-- before the fraction, and leap seconds, which count as the second before them.
CREATE OR REPLACE TEMP MACRO tidied_moment(given) AS
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        replace(upper(trim(given, E' \t')), ',', '.'),
                        '^(\d{4})(\d{2})(\d{2})($$|[T ])', '\1-\2-\3\4'
                    ),
                    '([T ])(\d{2})(\d{2})(\d{2})', '\1\2:\3:\4'
                ),
                '([T ])(\d{2})(\d{2})($$|[Z+-])', '\1\2:\3\4'
            ),
            '([T ]\d{2})($$|[Z+-])', '\1:00\2'
        ),
        '(\d{2}:\d{2}):60', '\1:59'
    );

-- ISO 8601, or seconds: a number of eight digits is a date, a shorter one no time at all.
CREATE OR REPLACE TEMP MACRO written_moment(given) AS
    CASE
        WHEN substr(given, 5, 1) IN ('-', '/')
            THEN coalesce(iso_moment(given), iso_moment(tidied_moment(given)))
        WHEN count_value(given) <= 0 OR count_value(given) >= 1e8 THEN count_value(given)
        ELSE iso_moment(tidied_moment(given))
    END;

-- January 1970 is what zero becomes in any zone, and what seconds become that are read as
-- milliseconds. A missing time is none that is wrong.
CREATE OR REPLACE TEMP MACRO at_reason(at_text, played_at, latest, null_at) AS
    CASE
        WHEN played_at BETWEEN $earliest AND latest THEN NULL
        WHEN is_blank(at_text) OR null_at THEN NULL
        WHEN played_at IS NULL THEN 'at_not_a_time'
        WHEN played_at < $earliest THEN 'at_too_early'
        ELSE 'at_in_the_future'
    END;
