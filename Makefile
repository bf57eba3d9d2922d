# Crossfade: `make run` and `make test` are all a fresh machine needs (Python >= 3.11 and a package index).
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
CROSSFADE_HOME ?= data
# No state in the user's home, the same place as for the command line; no telemetry; one thread per BLAS call.
export CROSSFADE_HOME
export PREFECT_HOME ?= $(abspath $(CROSSFADE_HOME))/prefect
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
# By the code, as numba does not see that a kernel which another one calls has changed.
export NUMBA_CACHE_DIR := $(CURDIR)/.cache/numba/$(shell find tasks -name '*.py' | LC_ALL=C sort | xargs cat | cksum | cut -d' ' -f1)
export OPENBLAS_NUM_THREADS := 1

.DEFAULT_GOAL := help
SAMPLE = $(CROSSFADE_HOME)/sample
# What names an input where neither TRACKS nor DATASET is given.
CONFIGURED = $(CROSSFADE_DATASET)$(CROSSFADE_TRACKS)$(wildcard crossfade.toml)
# How many tests run at once: a number, or as many as there are processors.
WORKERS ?= logical
# Where `make ui` listens, on 127.0.0.1.
PORT ?= 4200

.PHONY: help install install-dev run ui ui-stop ui-auth ui-pictures deploy explore explore-pictures test test-slow test-all bench lint format lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | column -t -s '	'

install: .cache/installed  ## what `make run` needs, from hashed locks

install-dev: .cache/installed-dev  ## the tools for test, lint and bench on top

# uv installs everything else; pip checks its hash.
$(BIN)/uv: requirements/bootstrap.lock
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r $<
	@touch $@

# Make .venv hold the packages of the named locks and this one, and no others.
define sync
@$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python $(1)
@$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
endef

.cache/installed: $(BIN)/uv requirements/runtime.lock pyproject.toml
	@echo "installing into .venv"
	$(call sync,requirements/bootstrap.lock requirements/runtime.lock)
	@$(BIN)/python -m compileall -q flows tasks warehouse
	@echo "compiling the kernels"
	@mkdir -p .cache && $(BIN)/python -W ignore -m flows.warm_up
	@$(BIN)/python -W ignore -m flows.server.database
	@touch $@

.cache/installed-dev: .cache/installed requirements/dev.lock
	@echo "installing the development tools into .venv"
	$(call sync,requirements/bootstrap.lock requirements/runtime.lock requirements/dev.lock)
	@touch $@

run: install  ## the whole pipeline, on TRACKS="…" PLAYS="…", DATASET="….toml", what crossfade.toml names, or a sample
ifneq ($(DATASET),)
	@$(BIN)/crossfade run --dataset "$(DATASET)"
else ifneq ($(TRACKS)$(PLAYS),)
	@$(BIN)/crossfade run --tracks "$(TRACKS)" --plays "$(PLAYS)"
else ifneq ($(CONFIGURED),)
	@$(BIN)/crossfade run
else
	@$(BIN)/crossfade sample --out "$(SAMPLE)"
	@$(BIN)/crossfade run --tracks "$(SAMPLE)/Music Info.csv" \
		--plays "$(SAMPLE)/User Listening History.csv"
endif

ui: install  ## a Prefect server with UI, a worker and the schedules on 127.0.0.1:$(PORT), kept running
ifneq ($(DATASET),)
	@CROSSFADE_DATASET="$(abspath $(DATASET))" $(BIN)/python -m flows.service start --port $(PORT)
else ifneq ($(TRACKS)$(PLAYS),)
	@CROSSFADE_TRACKS="$(TRACKS)" CROSSFADE_PLAYS="$(PLAYS)" \
		$(BIN)/python -m flows.service start --port $(PORT)
else ifneq ($(CONFIGURED),)
	@$(BIN)/python -m flows.service start --port $(PORT)
else
	@test -f "$(SAMPLE)/Music Info.csv" || $(BIN)/crossfade sample --out "$(SAMPLE)"
	@CROSSFADE_TRACKS="$(SAMPLE)/Music Info.csv" CROSSFADE_PLAYS="$(SAMPLE)/User Listening History.csv" \
		$(BIN)/python -m flows.service start --port $(PORT)
endif

ui-stop: install  ## end what `make ui` started
	@$(BIN)/python -m flows.service stop

ui-auth: install  ## print the string that signs in to the UI; RENEW=1 replaces it
	@$(BIN)/python -m flows.service $(if $(RENEW),renew-auth,auth)

ui-pictures: .cache/installed-dev  ## take the pictures of docs/operations.md again, from a server with a published run
	@$(BIN)/python -m tests.docs.prefect_pictures

deploy: install  ## deployments and alerts onto the Prefect server that PREFECT_API_URL names
	@$(BIN)/python -m flows.deploy

explore: install  ## look at the current release in a browser
	@$(BIN)/crossfade explore

explore-pictures: .cache/installed-dev  ## take the pictures of docs/explorer.md again, from the current release
	@$(BIN)/python -m tests.warehouse.explorer.screenshots "$(CROSSFADE_HOME)"

test: .cache/installed-dev  ## the test suite
	$(BIN)/pytest -m "not slow" -n $(WORKERS)

test-slow: .cache/installed-dev  ## the long tests: crash storms, scale
	$(BIN)/pytest -m slow -n $(WORKERS)

test-all: .cache/installed-dev  ## both in one session, which shares servers and homes
	$(BIN)/pytest -n $(WORKERS) --durations=40 --durations-min=10

bench: .cache/installed-dev  ## the whole pipeline beside two scripts, at Kaggle scale (RUNS=5: 25 minutes)
	$(BIN)/python -W ignore -m tests.benchmarks.whole --runs $(or $(RUNS),5)

lint: .cache/installed-dev  ## format, lint, types, import direction, declared dependencies
	$(BIN)/ruff format --check --cache-dir .cache/ruff .
	$(BIN)/ruff check --cache-dir .cache/ruff .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .cache/import_linter
	$(BIN)/deptry flows tasks warehouse

format: .cache/installed-dev  ## let ruff format the code and apply its fixes
	$(BIN)/ruff format --cache-dir .cache/ruff .
	$(BIN)/ruff check --fix --cache-dir .cache/ruff .

# A lock keeps its versions unless pyproject.toml excludes them; UPGRADE=1 takes the newest.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --generate-hashes \
	--python-version 3.11 $(if $(UPGRADE),--upgrade)

lock: $(BIN)/uv  ## compile the dependencies of pyproject.toml into requirements/*.lock (UPGRADE=1 takes the newest versions)
	$(COMPILE) --group bootstrap -o requirements/bootstrap.lock
	$(COMPILE) --extra explorer --extra serve --group build -o requirements/runtime.lock pyproject.toml
	$(COMPILE) --group dev --constraint requirements/runtime.lock -o requirements/dev.lock

clean:  ## delete the environment, caches and data
	rm -rf .venv .cache "$(CROSSFADE_HOME)"
