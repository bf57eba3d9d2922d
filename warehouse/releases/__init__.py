"""Releases on disk: folders and lock, manifest, pointer, reader."""
