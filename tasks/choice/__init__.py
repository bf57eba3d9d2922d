"""The parameters of the learned model, chosen by a run itself for the data that it has."""
