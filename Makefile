# `make train` and `make test` work on a fresh machine that has Python 3.11 or newer, and nothing else.

PYTHON ?= python3
BIN = .venv/bin
OUTPUT = out/digits
HOW = --resume

.PHONY: train test test-engines test-cluster torture-cluster check clean

train: .venv/installed
	$(BIN)/trainer train configs/digits.cfg --output $(OUTPUT) $(HOW)
	$(BIN)/trainer evaluate $(OUTPUT) configs/data/digits-test.csv

test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile

test-engines: .venv-engines/installed
	.venv-engines/bin/python -m pytest tests/engines tests/test_rooms.py --numprocesses auto --dist loadfile

test-cluster: .venv-engines/installed
	.venv-engines/bin/python -m pytest tests/cluster --numprocesses 2 --dist loadfile

torture-cluster: .venv-engines/installed
	.venv-engines/bin/python tests/cluster/torture.py

check: .venv/installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv .venv-engines build dist *.egg-info out

.venv/installed: pyproject.toml
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[fast]"
	touch $@

.venv/installed-test: .venv/installed pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[fast,report,images,parquet,sweep,zst,test]"
	touch $@

# The other libraries whose models can be trained, and Ray, in an environment of their own: they are large. The torch of this
# version is the one for processors; a bare `torch` brings gigabytes for graphics cards along.
.venv-engines/installed: pyproject.toml
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv .venv-engines
	.venv-engines/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 \
		--editable ".[fast,torch,jax,thinc,spacy,ray,test]" flax equinox
	touch $@
