"""The datasets of every stage, one module each: a `StageContract` maps their names to contracts."""
