# Every command of the project. `make help` lists them; options are variables: make run DATA=rows.csv
.DEFAULT_GOAL := help
SHELL := /bin/sh

ifeq ($(OS),Windows_NT)
$(error On Windows, run this in WSL, the Linux of Windows: wsl --install)
endif

PORT ?= 8566
# The set-up fetches a uv if there is none, or only an old one.
UV = $(or $(wildcard .uv/bin/uv),$(shell command -v uv),.uv/bin/uv)
RUN := .venv/bin/python -m
READY := .venv/.ready
# Tests start many processes: caching the bytecode pays, even where the environment turns that off.
# The files run in their order, which has the long ones of end_to_end early. Else those of few tests would run last.
# One worker more than processors, because the tests wait a third of their time for processes and answers.
WORKERS = $(shell workers=$$(($$(getconf _NPROCESSORS_ONLN) + 1)); echo $$((workers < 4 ? workers : 4)))
PYTEST = PYTHONDONTWRITEBYTECODE= $(RUN) pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The data of an example are written when a command first needs them.
EXAMPLES := wages planes flights loans happiness
# loans-xgboost.yaml has the data of loans.yaml.
EXAMPLE_CONFIG := $(patsubst %-xgboost.yaml,%.yaml,$(CONFIG:./%=%))
EXAMPLE_DATA := $(patsubst examples/%.yaml,examples/data/%.csv,$(filter $(EXAMPLES:%=examples/%.yaml),$(EXAMPLE_CONFIG)))

# What make docs shows: the documentation, and the files that it links to.
PAGES := $(wildcard *.md docs data/README.md examples/*.md examples/*.yaml examples/*.ipynb infra/*.yaml LICENSE)

# Options given on the command line reach the commands through their environment.
OPTIONS := CONFIG DATA LABEL STUDIO_PORT PARAMS EXECUTION INPUT OUTPUT FOLDS LAYOUT ENDPOINT LEVEL YES PRICES EXPIRATION_DAYS KEEP FILE BATCH ALGORITHM
export $(OPTIONS)

# make itself would ignore both, and the command would run with other values than those meant.
OTHERS := $(filter-out $(OPTIONS) PORT PYTHON WORKERS UV OS SHELL MAKE% .%,$(.VARIABLES))
UNKNOWN := $(strip $(foreach name,$(OTHERS),$(if $(filter command,$(origin $(name))),$(name))))
ifneq ($(UNKNOWN),)
$(error There is no option $(UNKNOWN): 'make help' lists the options)
endif
FILES := $(filter-out examples/data/%,$(filter %.yaml %.yml %.csv %.json,$(MAKECMDGOALS)))
ifneq ($(FILES),)
$(error $(FILES) is no command: give a file with its option, such as CONFIG=config.yaml or DATA=file.csv)
endif

# A shell's own settings of Python would reach the commands: modules that hide theirs, warnings that become errors.
# In the POSIX locale, paths with other letters than ASCII need Python's UTF-8 mode.
export PYTHONUTF8 = 1
unexport PYTHONPATH PYTHONHOME PYTHONWARNINGS

.PHONY: help run init check-data runs test test-slow test-long coverage test-clients doctor local local-env studio definition lint-definition upsert start status predict report delete bootstrap estimate rollback fold bench check format browser pictures setup docs completion clean-local clean clean-all

help:  ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "CONFIG=file.yaml gives a command another configuration than config.yaml."

run: $(READY)  ## Run the whole pipeline on this machine [DATA=file.csv CONFIG=config.yaml PARAMS="MaxMse=4e7"]
	@$(RUN) scripts.run

test: $(READY)  ## Run all but the slow tests: no network, no AWS account
	@$(PYTEST) -m "not slow"

test-slow: $(READY)  ## Run the slow tests: clusters, kills, load, whole runs
	@$(PYTEST) -m "slow and not long"

test-long: $(READY)  ## Run the tests that take minutes or fetch packages: examples, strangers' pipelines, environments of images
	@$(PYTEST) -m long

coverage: $(READY)  ## Run the tests as make test does, and list coverage by folder and files under 80 % (not of subprocesses)
	@$(PYTEST) -m "not slow" --cov --cov-report=
	@$(RUN) scripts.coverage_report

test-clients: $(READY)  ## Run clients of S3 and a notebook with version 2 of the SDK on the local service (installs them separately)
	@PYTHONPATH=. .venv/bin/python tests/clients/run.py $(UV)

local: $(READY)  ## Run the local service in the foreground [PORT=8566]
	@$(RUN) local --port $(PORT) --region "$$($(RUN) scripts.region)"

local-env: $(READY)  ## Print the environment of the local service: eval "$(make -s local-env)"
	@$(RUN) local --port $(PORT) --region "$$($(RUN) scripts.region)" --print-environment

studio: $(READY)  ## Show pipelines, models and endpoints of the account or the local service in a browser [STUDIO_PORT=8567]
	@$(RUN) scripts.studio

lint-definition: $(READY)  ## Check any pipeline definition: make lint-definition FILE=definition.json
	@$(RUN) scripts.lint_definition

init: $(READY)  ## Draft a configuration for a CSV file: make init DATA=file.csv LABEL=column [CONFIG=new.yaml ALGORITHM=xgboost]
	@$(RUN) scripts.init

completion: $(READY)  ## Print what makes your shell complete the commands: eval "$(make -s completion)"
	@$(RUN) scripts.completion

check-data: $(READY)  ## Compare a local file with the configuration, and describe it [DATA=file.csv CONFIG=config.yaml LABEL=column]
	@$(RUN) scripts.check_data

definition: $(READY)  ## Print the pipeline's definition; no AWS call
	@$(RUN) scripts.definition

doctor: $(READY)  ## Check your AWS account, read-only, and print what to do
	@$(RUN) scripts.doctor; status=$$?; $(RUN) local --describe-jobs; exit $$status

bootstrap: $(READY)  ## Create the bucket and the roles on AWS, after asking [YES=1 EXPIRATION_DAYS=n]
	@$(RUN) scripts.bootstrap

upsert: $(READY)  ## Publish the pipeline, after showing the changes and asking [YES=1]
	@$(RUN) scripts.upsert

estimate: $(READY)  ## Estimate the cost of an execution and the endpoint, and list the quotas they need [PRICES=file]
	@$(RUN) scripts.estimate

start: $(READY)  ## Start an execution [PARAMS="MaxMse=4e7 DataVersion=2"]
	@$(RUN) scripts.start

status: $(READY)  ## Follow an execution [EXECUTION=arn-or-id]
	@$(RUN) scripts.status

runs: $(READY)  ## List the runs of this folder with their results, the newest first
	@$(RUN) scripts.runs

report: $(READY)  ## Show the results of an execution, and draw a page about them [EXECUTION=arn-or-id]
	@$(RUN) scripts.report

predict: $(READY)  ## Score the rows of INPUT, a file, folder or s3:// URI [OUTPUT=scored.csv ENDPOINT=name BATCH=1]
	@$(RUN) scripts.predict

rollback: $(READY)  ## Return the endpoint to the model that it served before [YES=1 ENDPOINT=name]
	@$(RUN) scripts.rollback

delete: $(READY)  ## Delete what the project created on AWS, after asking [LEVEL=endpoint|pipeline|all YES=1]
	@$(RUN) scripts.delete

fold: $(READY)  ## Split local files into folds: make fold INPUT=folder OUTPUT=folder [FOLDS=5 LAYOUT=folders]
	@$(RUN) scripts.fold

bench: $(READY)  ## Run the benchmarks and print the tables of docs/performance.md
	@$(UV) sync --quiet --locked --inexact --group bench
	@$(RUN) benchmarks

docs: $(READY)  ## Build the documentation as pages in build/site; dead links are errors
	@$(UV) sync --quiet --locked --inexact --group docs
	@rm -rf build && mkdir -p build/pages
	@tar -cf - $(PAGES) | tar -xf - -C build/pages
	@.venv/bin/zensical build --clean --strict
	@echo "build/site/index.html; with the search: .venv/bin/python -m http.server --bind 127.0.0.1 --directory build/site"

check: $(READY)  ## Check format, style, types, imports between folders, and that the lock file is up to date
	@$(RUN) ruff format --check --quiet
	@$(RUN) ruff check --quiet
	@$(RUN) mypy
	@PYTHONPATH=steps .venv/bin/lint-imports --no-logo --no-cache > /dev/null || PYTHONPATH=steps .venv/bin/lint-imports --no-logo --no-cache
	@$(UV) lock --check --quiet

format: $(READY)  ## Format the code
	@$(RUN) ruff format
	@$(RUN) ruff check --fix

pictures: $(READY) browser  ## Take the pictures of README.md and the outputs of the notebook anew, of new runs
	@PYTHONPATH=. .venv/bin/python tests/docs/pictures.py
	@PYTHONPATH=. .venv/bin/python tests/examples/notebooks.py

browser:  ## Install Chromium, without which the tests in a browser are skipped (Debian and Ubuntu)
	@command -v chromium || command -v chromium-browser || command -v google-chrome || \
	  { as=$$(command -v sudo || true); $$as apt-get update -qq && $$as apt-get install -qq -y --no-install-recommends chromium > /dev/null; }

setup: $(READY)  ## Install the packages; the other commands do this too if needed [PYTHON=/path/to/python3.12]
	@[ -z "$(PYTHON)" ] || [ "$$("$(PYTHON)" -V)" = "$$(.venv/bin/python -V)" ] || \
	  { echo ".venv has $$(.venv/bin/python -V), which another Python cannot replace. Delete it (rm -r .venv), then repeat the command." >&2; exit 1; }

clean-local: $(READY)  ## Delete old runs with their objects and logs, and the environments of images: make clean-local KEEP=3
	@$(RUN) scripts.clean_local

clean:  ## Delete the caches of the tools and the built pages; packages and runs stay
	rm -rf build .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

clean-all: clean  ## Delete also the installed packages and all data of the local service
	rm -rf .venv .uv .local

run check-data definition upsert: $(EXAMPLE_DATA)

examples/data/%.csv: examples/write_data.py | $(READY)
	@echo "Writing $@, the data of the example" >&2
	@$(RUN) examples.write_data $@

# The Python that .venv refers to may have been removed.
ifeq ($(realpath .venv/bin/python),)
.PHONY: $(READY)
endif

# PYTHON names the Python of .venv, where the set-up should not look for one.
$(READY): pyproject.toml uv.lock
	@PYTHON="$(PYTHON)" sh scripts/setup/start.sh
