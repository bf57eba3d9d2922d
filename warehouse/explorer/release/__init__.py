"""The Release view: quality, catalogue, input, changes and build of the current release."""
