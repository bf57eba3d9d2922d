"""Why a row is set aside: the whole vocabulary of `rejected_rows.reason`."""

REASONS = {
    "too_few_fields": "the record has fewer fields than the header",
    "too_many_fields": "the record has more fields than the header",
    "open_quote": "a quoted field is never closed; only the line that opens it is set aside",
    "text_after_quote": "text follows the closing quote of a field",
    "not_utf8": "the record has bytes that are not of the file's encoding (UTF-8 unless given)",
    "not_json": "the line is not a JSON object",
    "nul_byte": "the record has a NUL byte",
    "id_too_long": "the id is longer than the limit `longest_text`",
    "repeated_header": "the header stands among the rows again",
    "track_id_missing": "the track id is empty, blank or a null token",
    "user_id_missing": "the listener's id is empty, blank or a null token",
    "count_missing": "the play count is empty",
    "count_not_a_number": "the play count is not a number",
    "count_not_positive": "the play count is zero or negative",
    "count_too_large": "the play count is above the limit `max_plays`",
    "strength_missing": "the strength is empty",
    "strength_not_a_number": "the strength is not a number",
    "at_not_a_time": "the time is written neither as `plays.at` says nor as missing",
    "at_too_early": "the time is before February 1970: a zero, or a number in another unit",
    "at_in_the_future": "the time is more than a day after the run",
    "track_id_repeated": "an earlier row of the catalogue has this track id; the first is kept",
}

FEEDBACK_REASONS = {
    "exposure_id_missing": "the exposure id is empty or blank",
    "exposure_id_repeated": "an earlier row of the file has this exposure id; the first is kept",
    "rank_not_positive": "the rank is not a whole number from 1",
    "variant_missing": "an experiment is named but no variant",
    "time_unreadable": "the moment is not ISO 8601, not in seconds since 1970, or not of this age",
    "kind_unknown": "the kind of event is none of the known words",
    "event_of_nobody": "neither the exposure id nor the listener's id is there",
    "value_not_a_number": "the value is not a number from 0",
}
"""The same for exposures and events, beside those of the records and ids above."""
