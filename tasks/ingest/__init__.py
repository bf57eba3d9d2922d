"""From any files to typed, sorted, key-encoded Parquet: what comes in and what is kept.

`files` finds and opens the inputs, `records` reads damaged CSV record by record, `catalogue` and
`history` make the tables, `checks` judge them.
"""
