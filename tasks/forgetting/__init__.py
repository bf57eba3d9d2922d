"""Take listeners out of what the home keeps, for ever."""
