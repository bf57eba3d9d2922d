-- Exposures and events of all files, each once: days are exported again, and files overlap.

-- Exposure ids that several files have. The first moment counts: it is the one that was served.
CREATE TEMP TABLE repeated_exposures AS
SELECT x.exposure FROM exposures_given x GROUP BY x.exposure HAVING count(*) > 1;

CREATE TEMP TABLE exposures_once AS
SELECT DISTINCT ON (x.exposure) x.*
FROM exposures_given x SEMI JOIN repeated_exposures r ON r.exposure = x.exposure
ORDER BY x.exposure, x.occurred, x.experiment, x.variant, x."user", x.track_id, x.rank;

CREATE TEMP VIEW exposures AS
FROM exposures_given x ANTI JOIN repeated_exposures r ON r.exposure = x.exposure
UNION ALL
FROM exposures_once;

-- Events are the same if they have one id, or no id and equal values. Of one id the first moment
-- counts, and the largest value of it: a play that was still running was exported with fewer seconds.
CREATE TEMP VIEW events_named AS
SELECT
    coalesce(e.event, hash(e.exposure, e."user", e.kind, e.occurred, e.value)) AS name, e.*
FROM events_given e;

CREATE TEMP TABLE repeated_events AS
SELECT e.name FROM events_named e GROUP BY e.name HAVING count(*) > 1;

CREATE TEMP TABLE events_once AS
SELECT
    min_by(e.exposure, e.occurred) AS exposure, min_by(e."user", e.occurred) AS "user",
    min_by(e.kind, e.occurred) AS kind, min(e.occurred) AS occurred, max(e.value) AS value
FROM events_named e SEMI JOIN repeated_events r ON r.name = e.name
GROUP BY e.name;

CREATE TEMP VIEW events AS
SELECT e.exposure, e."user", e.kind, e.occurred, e.value
FROM events_named e ANTI JOIN repeated_events r ON r.name = e.name
UNION ALL
FROM events_once;
