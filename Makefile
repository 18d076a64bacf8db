PYTHON ?= python3
VENV := $(or $(VIRTUAL_ENV),.venv)
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
OUT ?= runs/demo

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow check format

help:
	@echo "make demo       install into $(VENV), then run the demo; results in $(OUT)"
	@echo "make test       format, lint, types, import layers, tests with coverage"
	@echo "make test-slow  the tests marked slow"
	@echo "make format     put the source into shape"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/.manyview-all: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[all]'
	@touch $@

$(VENV)/.manyview-dev: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) -e '.[all,dev]'
	@touch $@ $(VENV)/.manyview-all

demo: $(VENV)/.manyview-all
	$(BIN)/manyview demo --out $(OUT)

check: $(VENV)/.manyview-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest --cov --cov-report=term

test-slow: $(VENV)/.manyview-dev
	$(BIN)/python -m pytest -m slow || [ $$? -eq 5 ]

format: $(VENV)/.manyview-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
