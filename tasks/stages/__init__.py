"""Each stage of a run as one function: inputs in the lake → results in the lake."""
