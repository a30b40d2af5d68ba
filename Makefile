# Every command of the project. `make help` lists them; options are variables: make run DATA=rows.csv
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
PORT ?= 8566
UV := $(shell command -v uv || echo .uv/bin/uv)
RUN := .venv/bin/python -m
READY := .venv/.ready
# Tests start many processes: caching the bytecode pays, even where the environment turns that off.
PYTEST := PYTHONDONTWRITEBYTECODE= $(RUN) pytest -n auto --maxprocesses 4 --dist loadfile

# Options given on the command line reach the commands through their environment.
export CONFIG DATA PARAMS EXECUTION INPUT OUTPUT FOLDS LAYOUT ENDPOINT LEVEL YES PRICES EXPIRATION_DAYS

# uv warns of every interpreter that it passes over; what it does is shown.
export UV_NO_PROGRESS ?= 1

.PHONY: help run test test-slow coverage test-clients doctor local local-env definition lint-definition upsert start status predict report delete bootstrap estimate rollback fold bench check format setup clean

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY)  ## Run the whole pipeline on this machine [DATA=file.csv CONFIG=config.yaml]
	@$(RUN) scripts.run_local

test: $(READY)  ## Run the tests but for the slow ones: no network, no AWS account
	@$(PYTEST) -m "not slow"

test-slow: $(READY)  ## Run the slow tests: clusters, kills, load, whole runs
	@$(PYTEST) -m slow

coverage: $(READY)  ## Run the tests as make test does, and list coverage by folder and files under 80 % (not of subprocesses)
	@$(PYTEST) -m "not slow" --cov --cov-report=
	@$(RUN) scripts.coverage_report

test-clients: $(READY)  ## Run a notebook's code against the local service with the SDK's version 2 (installs it apart)
	@PYTHONPATH=. .venv/bin/python tests/clients/run.py $(UV)

local: $(READY)  ## Serve the AWS API of this machine in the foreground [PORT=8566]
	@$(RUN) local --port $(PORT) --region "$$($(RUN) scripts.region)"

local-env: $(READY)  ## Print what points a shell at it: eval "$(make -s local-env)"
	@$(RUN) local --port $(PORT) --region "$$($(RUN) scripts.region)" --print-environment

lint-definition: $(READY)  ## Check anybody's pipeline definition: make lint-definition FILE=definition.json
	@$(RUN) scripts.lint_definition "$(FILE)"

definition: $(READY)  ## Print the pipeline's definition; no AWS call
	@$(RUN) scripts.definition

doctor: $(READY)  ## Check the account that the environment points at: read-only, says what to do
	@$(RUN) scripts.doctor

bootstrap: $(READY)  ## Make the bucket and the roles on AWS, after asking [YES=1 EXPIRATION_DAYS=n]
	@$(RUN) scripts.bootstrap

upsert: $(READY)  ## Publish the pipeline, after showing what changes [YES=1]
	@$(RUN) scripts.upsert

estimate: $(READY)  ## Say what an execution and the endpoint would cost on AWS, and the quotas they need [PRICES=file]
	@$(RUN) scripts.estimate

start: $(READY)  ## Start an execution [PARAMS="MaxMse=4e7 EndpointName=trial"]
	@$(RUN) scripts.start

status: $(READY)  ## Follow an execution [EXECUTION=arn]
	@$(RUN) scripts.status

report: $(READY)  ## Show what an execution found [EXECUTION=arn]
	@$(RUN) scripts.report

predict: $(READY)  ## Score the rows of a file: make predict INPUT=file.csv
	@$(RUN) scripts.predict

rollback: $(READY)  ## Put the endpoint back to the model it served before [YES=1 ENDPOINT=name]
	@$(RUN) scripts.rollback

delete: $(READY)  ## Delete what the project made, after asking [LEVEL=endpoint|pipeline|all YES=1]
	@$(RUN) scripts.delete

fold: $(READY)  ## Make folds of local files: make fold INPUT=folder OUTPUT=folder [FOLDS=5 LAYOUT=folders]
	@$(RUN) scripts.fold

bench: $(READY)  ## Measure, and print the tables of docs/performance.md
	@$(UV) sync --quiet --locked --inexact --group bench
	@$(RUN) benchmarks

check: $(READY)  ## Check format, style, types, imports between folders, and that the lock file is up to date
	@$(RUN) ruff format --check --quiet
	@$(RUN) ruff check --quiet
	@$(RUN) mypy
	@.venv/bin/lint-imports --no-logo --no-cache > /dev/null || .venv/bin/lint-imports --no-logo --no-cache
	@$(UV) lock --check --quiet

format: $(READY)  ## Format the code
	@$(RUN) ruff format
	@$(RUN) ruff check --fix

setup: $(READY)  ## Install what the other commands need; they do it by themselves

clean:  ## Remove what was installed and everything that the local service keeps
	rm -rf .venv .uv .local .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml uv.lock | $(UV)
	@echo "Installing the project's packages into .venv (a minute or so the first time)" >&2
	@$(UV) sync --quiet --locked --inexact >&2
	@echo "Preparing Java's classes for quick Spark jobs (half a minute; does without if it cannot)" >&2
	-@$(RUN) local.runtime.jobs.spark_archive >&2
	@touch $@

# Without --target, a system's own Python may refuse to be installed into.
.uv/bin/uv:
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --target .uv uv >&2
