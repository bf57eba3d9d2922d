-- Exposures and events dated more than 31 days after the last day of the feedback: wrong clocks.
-- warn: nothing
SELECT 'dated long after ' || strftime(occurred, '%Y-%m-%d') AS offence, strays AS rows
FROM as_of
WHERE strays > 0;
