# Two commands do everything on a machine with Python >= 3.11, git and make:
#   make run     install into .venv, fetch the built-in model, chat
#   make test    install into .venv, run all checks
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test lint types contracts unit bench docs clean install

install: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[local,dev]'
	@touch $(STAMP)

run: $(STAMP)
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
	@$(BIN)/aircher local pull --if-missing || echo "no built-in model: its tests are skipped" >&2
	$(BIN)/python -m pytest -n auto

bench: $(STAMP)
	$(BIN)/python -m benchmarks

docs: $(STAMP)
	$(BIN)/python -m aircher.bootstrap.docs

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
