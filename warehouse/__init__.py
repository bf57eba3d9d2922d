"""What readers see: schema, macros and checks as SQL files, releases and the read-only reader."""
