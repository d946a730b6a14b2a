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

.PHONY: bench-tasks train-tasks task-data run test lint types contracts unit bench budget-proof security docs clean install

install: $(STAMP)

$(CHAT): pyproject.toml
	@echo "Installing into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + " (make PYTHON=/path/to/python run)" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable '.[local]'
	@touch $(CHAT)

$(STAMP): $(CHAT)
	@$(PIP) --editable '.[local,dev]'
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

bench: $(STAMP)
	$(BIN)/python -m benchmarks

budget-proof: $(STAMP)
	$(BIN)/python -m benchmarks.budget

# How well task detection does, from the repository's own (hashed) data; some two minutes.
bench-tasks: $(TRAIN)
	$(BIN)/python -m benchmarks.tasks

# Trains policy/detect/model.bin anew; task-data needs the texts beside the project.
train-tasks: $(TRAIN)
	$(BIN)/python -m benchmarks.tasks.train

task-data: $(TRAIN)
	$(BIN)/python -m benchmarks.tasks.data

$(TRAIN): $(STAMP)
	@$(PIP) --editable '.[train]'
	@touch $(TRAIN)

docs: $(STAMP)
	$(BIN)/python -m aircher.bootstrap.docs
	$(BIN)/python -m aircher.tui.keys > docs/keys.md

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
