"""Refresh: new plays into the lists of a release, with the models that its base has learned."""
