"""From finished stages to a release: candidate, drift, build, gate, publish."""
