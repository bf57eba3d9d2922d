-- How texts are compared by the search and by the macros that take an artist's name: without case and
-- accents, any white space as one space.
CREATE MACRO store.spelled(words) AS
trim(regexp_replace(lower(strip_accents(coalesce(words, ''))), '\s+', ' ', 'g'));
