"""What a dataset TOML says: the files, their columns, feedback and experiments."""
