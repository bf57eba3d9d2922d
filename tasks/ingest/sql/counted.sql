-- Records of the history that are not left out, each with its strength and number of plays.
records AS (
    $records
),
strong AS (
    SELECT *, $strength AS strength$moment
    FROM records
),
counted AS (
    SELECT *, $plays AS plays
    FROM strong
    WHERE $kept
)
