-- What the macros on artists and sequences read, from the files that tasks/music makes.

-- One row per artist, as parallel lists: its tracks, and the artists it is close to.
CREATE TABLE store.artists AS
SELECT a.* FROM read_parquet(getvariable('artists')) a ORDER BY a.artist_key;

-- Of every track its artists, and bits that differ the more, the less two tracks are alike.
CREATE TABLE store.signatures AS
SELECT s.* FROM read_parquet(getvariable('signatures')) s ORDER BY s.track_key;
