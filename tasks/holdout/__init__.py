"""Who is held out of the measured model, to measure it on."""
