"""Tests of the ingest stage and what it is made of."""
