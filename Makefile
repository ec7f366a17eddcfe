# `make train` and `make test` work on a fresh machine that has Python 3.11 or newer, and nothing else.

PYTHON ?= python3
BIN = .venv/bin
OUTPUT = out/digits
HOW = --resume

.PHONY: train test check clean

train: .venv/installed
	$(BIN)/trainer train configs/digits.cfg --output $(OUTPUT) $(HOW)
	$(BIN)/trainer evaluate $(OUTPUT) configs/data/digits-test.csv

test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

check: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv build dist *.egg-info out

.venv/installed: pyproject.toml
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[fast]"
	touch $@

.venv/installed-test: .venv/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[fast,report,images,parquet,zst,test]"
	touch $@
