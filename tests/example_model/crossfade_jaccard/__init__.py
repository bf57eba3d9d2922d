"""An example of a package that brings a collaborative model."""
