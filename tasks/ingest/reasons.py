"""Why a row is set aside: the whole vocabulary of `rejected_rows.reason`."""

REASONS = {
    "too_few_fields": "the record has fewer fields than the header",
    "too_many_fields": "the record has more fields than the header",
    "open_quote": "a quoted field is never closed; only the line that opens it is set aside",
    "text_after_quote": "text follows the closing quote of a field",
    "not_utf8": "the record has bytes that are not UTF-8",
    "nul_byte": "the record has a NUL byte",
    "repeated_header": "the header stands among the rows again",
    "track_id_missing": "the track id is empty or blank",
    "user_id_missing": "the listener's id is empty or blank",
    "count_missing": "the play count is empty",
    "count_not_a_number": "the play count is not a number",
    "count_not_whole": "the play count has a fraction",
    "count_not_positive": "the play count is zero or negative",
    "count_too_large": "the play count is above the limit `max_plays`",
    "number_unreadable": "a numeric column of the catalogue holds text",
    "track_id_repeated": "an earlier row of the catalogue has this track id; the first is kept",
}
