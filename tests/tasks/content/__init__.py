"""Tests of tasks.content."""
