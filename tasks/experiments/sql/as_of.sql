-- Until when the feedback reaches. A device with a wrong clock must not decide that: were it 2099,
-- everybody would be due to have come back. So the last day must have at least a hundredth of a
-- usual day's rows, and at least 10 (a hundredth of all rows where there are fewer than 1,000).
-- In so little feedback, days also do not count that come a year after all others.
CREATE TEMP TABLE days AS
WITH counted AS (
    SELECT x.occurred::DATE AS day, count(*) AS rows, max(x.occurred) AS shown, NULL::TIMESTAMP AS done
    FROM exposures x GROUP BY ALL
    UNION ALL
    SELECT e.occurred::DATE AS day, count(*) AS rows, NULL::TIMESTAMP AS shown, max(e.occurred) AS done
    FROM events e GROUP BY ALL
)
SELECT c.day, sum(c.rows)::BIGINT AS rows, max(c.shown) AS shown, max(c.done) AS done
FROM counted c GROUP BY c.day;

CREATE TEMP TABLE as_of AS
WITH usual AS (
    SELECT median(d.rows) AS day_rows, sum(d.rows) AS all_rows FROM days d
),
gaps AS (
    SELECT
        d.*, d.day - lag(d.day) OVER (ORDER BY d.day) AS gap,
        sum(d.rows) OVER (ORDER BY d.day DESC) AS rows_from_here
    FROM days d
),
judged AS (
    SELECT
        g.*,
        g.rows >= greatest(0.01 * u.day_rows, least(10, u.all_rows / 100)) AS is_busy,
        u.all_rows < 1000 AND bool_or(g.gap >= 365 AND 2 * g.rows_from_here < u.all_rows)
            OVER (ORDER BY g.day) IS true AS is_far
    FROM gaps g CROSS JOIN usual u
),
last_day AS (
    SELECT max(j.day) AS day FROM judged j WHERE j.is_busy AND NOT j.is_far
)
SELECT
    greatest(max(d.shown), max(d.done)) AS occurred,
    max(d.done) AS done,
    -- The next day may just have begun, and late events trickle in for weeks.
    (SELECT coalesce(sum(d.rows), 0)::BIGINT FROM days d, last_day l WHERE d.day > l.day + 31) AS strays
FROM days d JOIN last_day l ON d.day <= l.day;
