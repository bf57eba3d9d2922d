-- What a text of an exposure or event is worth, beside the macros of the history.

-- ISO 8601 with or without an offset (the session's zone is UTC), or seconds since 1970.
CREATE OR REPLACE TEMP MACRO moment(given) AS
    coalesce(
        make_timestamp(epoch_us(try_cast(given AS TIMESTAMPTZ))),
        make_timestamp(try_cast(1000000 * count_value(given) AS BIGINT))
    );

-- A moment from before there were recommendations, or from the future, is a broken clock.
CREATE OR REPLACE TEMP MACRO is_of_this_age(moment_given) AS
    coalesce(moment_given BETWEEN TIMESTAMP '2000-01-01' AND TIMESTAMP '2100-01-01', false);

CREATE OR REPLACE TEMP MACRO is_rank(given) AS
    coalesce(given BETWEEN 1 AND 1000000 AND given = floor(given), false);
