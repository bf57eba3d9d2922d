"""The Prefect server that Crossfade starts: authenticated, for one user, gone when it should be."""
