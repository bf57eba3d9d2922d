-- The percentiles of features in the catalogue, 0 to 100.
SELECT quantile_cont(COLUMNS(*), list_transform(range(0, 101), lambda percent: percent / 100))
FROM (SELECT {columns} FROM tracks)
