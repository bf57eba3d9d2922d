"""The collaborative models, one module each."""
