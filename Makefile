# Every target does its own set-up. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
IMAGE ?= ak-instagram:dev
SIMULATOR_IMAGE ?= ak-instagram-simulator:dev
REVISION = $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready

.DEFAULT_GOAL := help
.PHONY: help install demo test agents lint bench chaos load trace docs image chart reference lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "ak-instagram needs Python 3.11 or newer; set PYTHON=python3.x")'
	@$(PYTHON) -m venv $(VENV)

# The package itself is installed from the tree, editable, so that edits count at once.
$(RUN_READY): requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what the service needs (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(DEV_READY): requirements-dev.lock $(RUN_READY)
	@echo "installing what tests and checks need (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

install: $(DEV_READY) ## Make .venv with everything from the hashed locks

demo: $(RUN_READY) ## A conversation through service and simulator, no account needed (ARGS=--once exits after it)
	@$(BIN)/ak-instagram demo $(ARGS)

test: $(DEV_READY) ## Run the whole test-suite, four files at a time, since many tests wait (ARGS go to pytest)
	@$(BIN)/python -m pytest -n 4 --dist loadfile $(ARGS)

lint: $(DEV_READY) ## Ruff, mypy and the import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

agents: $(DEV_READY) ## Ask the published agent servers, those from npm too: some minutes and gigabytes the first time
	@AGENTS=all $(BIN)/python -m pytest -m agents $(ARGS)

bench: $(DEV_READY) ## Speed and memory as ratios against a limit measured in the same run
	@$(BIN)/python -m qa.benchmarks $(ARGS)

chaos: $(DEV_READY) ## Kill, stall and cut off at random, then count what was lost or doubled (ARGS=--help)
	@$(BIN)/python -m qa.chaos $(ARGS)

load: $(DEV_READY) ## Messages at a fixed rate: latencies, and that each is answered once (ARGS=--help)
	@$(BIN)/python -m qa.benchmarks.load $(ARGS)

trace: $(DEV_READY) ## The way of one message through the code, file by file (ARGS=--full for every call)
	@$(BIN)/python -m qa.trace $(ARGS)

docs: $(DEV_READY) ## Make the documentation's site in dist/site; a warning is an error
	@$(BIN)/python -m sphinx -W --keep-going --quiet -b html -c docs . dist/site $(ARGS)

image: | $(BIN)/python ## Build the images and hold the service's to its promises, with the docker on PATH (ARGS go to docker build)
	docker build $(ARGS) --build-arg REVISION=$(REVISION) --tag $(IMAGE) .
	docker build $(ARGS) --target simulator --tag $(SIMULATOR_IMAGE) .
	@$(BIN)/python -m qa.image $(IMAGE) --simulator $(SIMULATOR_IMAGE) --revision $(REVISION)

chart: ## Lint the Helm chart, render it with each file in ci/ and pack it into dist/, with the helm on PATH
	@for values in helm/ak-instagram/ci/*-values.yaml; do helm lint --quiet --strict helm/ak-instagram --values $$values \
	    && helm template demo helm/ak-instagram --values $$values >/dev/null || exit 1; done
	helm package helm/ak-instagram --destination dist

reference: $(DEV_READY) ## Write what repeats the settings: docs, config.yaml, .env.example, the chart's comments
	@$(BIN)/python -m qa.reference
	@$(BIN)/python helm/readme.py

lock: $(DEV_READY) ## Write the lock files anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    --all-extras pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	    --all-extras --group dev pyproject.toml -o requirements-dev.lock
	echo "hatchling>=1.27" | $(BIN)/uv pip compile - --quiet --universal --python-version 3.11 --generate-hashes \
	    --no-header --upgrade -o requirements-build.lock
	cd examples/agent-kernel && ../../$(BIN)/uv pip compile --quiet --universal --python-version 3.12 \
	    --generate-hashes --no-header --upgrade requirements.in -o requirements.lock

clean: ## Remove the environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
