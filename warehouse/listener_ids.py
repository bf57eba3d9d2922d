"""What counts as the same id where listeners are forgotten."""

WHITE = " \t\r\n"
"""White space that an input may have around an id. Ids are compared byte for byte, so `7` and `7 `
are two listeners; they are forgotten together, as they are hardly two people."""
