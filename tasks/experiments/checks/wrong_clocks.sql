-- Exposures and events dated after the last day on which the feedback reaches: wrong clocks.
-- warn: nothing
SELECT 'dated after ' || strftime(occurred, '%Y-%m-%d') AS offence, strays AS rows
FROM as_of
WHERE strays > 0;
