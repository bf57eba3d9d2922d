"""The collaborative models, one module each, and their registry."""
