# Two commands do everything on a machine with Python >= 3.11, git and make:
#   make run     install into .venv, fetch the built-in model, chat
#   make test    install into .venv, run all checks
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Chatting needs less than checking does, so each has its own stamp.
CHAT := $(VENV)/.installed-chat
STAMP := $(VENV)/.installed
TRAIN := $(VENV)/.installed-train

.PHONY: bench-tasks train-tasks task-data run test lint types contracts unit bench budget-proof security audit sbom lock docs clean install

install: $(STAMP)

$(CHAT): pyproject.toml requirements/run.txt
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + " (make PYTHON=/path/to/python run)" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $(CHAT)

$(STAMP): $(CHAT) requirements/dev.txt
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $(STAMP)

run: $(CHAT)
	@$(BIN)/aircher local pull --if-missing
	@$(BIN)/aircher

test: lint types contracts unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

unit: $(STAMP)
	@$(BIN)/aircher local pull --if-missing || echo "The built-in model is not here: its tests are skipped." >&2
	$(BIN)/python -m pytest -n auto

# Every row of docs/security.md: all its tests, whole, and the guard's figures.
security: $(STAMP)
	AIRCHER_TEST_WHOLE=1 $(BIN)/python -m pytest -m security -q
	$(BIN)/python -m benchmarks.guard
	$(BIN)/python -m benchmarks.lag

# Every row of the table in docs/reliability.md, which it writes anew.
faults: $(STAMP)
	$(BIN)/python -m tests.faults

bench: $(STAMP)
	$(BIN)/python -m benchmarks

budget-proof: $(STAMP)
	$(BIN)/python -m benchmarks.budget

# How well task detection does, from the repository's own (hashed) data; one to three minutes.
bench-tasks: $(TRAIN)
	$(BIN)/python -m benchmarks.tasks

# Trains policy/detect/model.bin anew; task-data needs the texts beside the project.
train-tasks: $(TRAIN)
	$(BIN)/python -m benchmarks.tasks.train

task-data: $(TRAIN)
	$(BIN)/python -m benchmarks.tasks.data

$(TRAIN): $(STAMP)
	@$(PIP) --require-hashes -r requirements/train.txt
	@touch $(TRAIN)

docs: $(STAMP)
	$(BIN)/python -m aircher.bootstrap.docs
	$(BIN)/python -m aircher.tui.keys > docs/keys.md

# The tools for packages have an environment of their own.
TOOLS := .venv-tools

$(TOOLS)/.installed: requirements/tools.txt
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/tools.txt
	@touch $@

# What is installed is what is locked, nothing runs by itself at start, no known hole.
audit: $(STAMP) $(TOOLS)/.installed
	$(BIN)/python .ci/audit.py $(TOOLS)/bin/pip-audit

sbom: $(TOOLS)/.installed
	$(TOOLS)/bin/cyclonedx-py requirements requirements/run.txt --pyproject pyproject.toml --output-reproducible -o sbom.cdx.json
	@echo "sbom.cdx.json"

# New versions, none younger than a week.
WEEK_AGO = $(shell $(PYTHON) -c 'import datetime as d; print(f"{d.datetime.now(d.timezone.utc) - d.timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}")')
LOCK = $(TOOLS)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --exclude-newer $(WEEK_AGO) --upgrade
lock: $(TOOLS)/.installed
	$(LOCK) pyproject.toml requirements/build.in --extra local --extra dev -o requirements/dev.txt
	$(LOCK) pyproject.toml requirements/build.in --extra local -c requirements/dev.txt -o requirements/run.txt
	$(LOCK) pyproject.toml --extra train -c requirements/dev.txt -o requirements/train.txt
	$(LOCK) requirements/tools.in -o requirements/tools.txt

clean:
	rm -rf $(TOOLS) sbom.cdx.json
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
