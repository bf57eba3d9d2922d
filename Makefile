# Crossfade: `make run` and `make test` are all a fresh machine needs (Python >= 3.11 and a package index).
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# Absolute, inside the project: no state in the user's home, no telemetry, one thread per BLAS call.
export PREFECT_HOME := $(CURDIR)/.cache/prefect
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help run test test-slow lint format lock bench ui explore clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | column -t -s '	'

$(BIN)/crossfade: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $(BIN)/crossfade

lint: $(BIN)/crossfade  ## format, lint, types, import direction
	$(BIN)/ruff format --check --cache-dir .cache/ruff .
	$(BIN)/ruff check --cache-dir .cache/ruff .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .cache/import_linter

format: $(BIN)/crossfade  ## let ruff format and mend what it can
	$(BIN)/ruff format --cache-dir .cache/ruff .
	$(BIN)/ruff check --fix --cache-dir .cache/ruff .

lock: $(BIN)/crossfade  ## compile requirements.in into requirements.lock
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.11 -o requirements.lock requirements.in
