-- What a row of the history is worth: a number of plays, or the reason why it is set aside.

-- An integer written plainly takes the short way; everything else is looked at closely, because
-- casts alone would take 3.5 for 4 and 1_0 for 10.
CREATE OR REPLACE TEMP MACRO count_value(count_text) AS
    CASE
        WHEN try_cast(count_text AS INTEGER)::VARCHAR = count_text
            THEN try_cast(count_text AS INTEGER)::DOUBLE
        WHEN regexp_full_match(count_text, '\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*')
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
        WHEN plays <> floor(plays) THEN 'count_not_whole'
    END;

CREATE OR REPLACE TEMP MACRO id_reason(track_id, user_id, track_column, user_column) AS
    CASE
        WHEN track_id = track_column AND user_id = user_column THEN 'repeated_header'
        WHEN is_blank(track_id) THEN 'track_id_missing'
        WHEN is_blank(user_id) THEN 'user_id_missing'
    END;

-- Ids that sort from '!' on are not blank. Trimming every id would cost more than reading it, so
-- only rows that are not plainly good are looked at closely..
CREATE OR REPLACE TEMP MACRO play_reason(
    track_id, user_id, count_text, plays, max_plays, track_column, user_column
) AS
    CASE
        WHEN track_id >= '!' AND user_id >= '!' AND track_id <> track_column
            AND plays BETWEEN 1 AND max_plays AND plays = floor(plays)
            THEN NULL
        ELSE coalesce(
            id_reason(track_id, user_id, track_column, user_column),
            count_reason(count_text, plays, max_plays)
        )
    END;
