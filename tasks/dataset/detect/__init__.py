"""Look at data files and propose the dataset TOML that describes them.

Pure functions over bounded samples: `content` (kind of file, compression), `encoding`, `dialect`
(delimiter, quotes, header), `table` (one sampled table), `values` (kinds of columns), `names`
(what a column's name suggests), `matching` (which files belong together), `proposal` (all
decisions, with their sureness) and `document` (the TOML text).
"""
