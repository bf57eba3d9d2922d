"""The lake: stages hand each other Parquet files with a content hash, never frames.

`contracts` declares the datasets, `record` is a stage's folder with what it left behind, `keys` and
`code` decide when a result is reused, `blocks` runs a stage's work on Dask.

Key spaces. Ids are byte-exact strings; everything computed uses dense int32 keys, given out in byte
order of the ids, so that "ties by id" and "ties by key" are the same order.

* ``track_key``: position of the track in the catalogue (dataset `tracks`, row i has key i).
* ``played_key``: position among the catalogue's tracks that have listeners. The map from
  played_key to track_key is increasing. Collaborative data lives in this space, so that unplayed
  tracks coming or going do not change it.
* ``user_key``: position of the listener in `users` (row i has key i).
"""
