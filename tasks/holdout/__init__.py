"""Who is held out of the published model, to measure it on."""
