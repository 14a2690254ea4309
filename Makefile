# make demo: sets everything up, then runs three methods on the embedded data set (a few minutes on two cores).
# make test: sets everything up, then runs the whole test suite in two processes (make slow: the slow tests too, in one).
# make lint: ruff and mypy. make bench: the benchmarks. make ratios: measured against the targets.
# make claims: how often the tests are wrong where the truth is known, beside those before (seconds).
# make training-ratios: training steps against the released ones (minutes).
# make equivalence: does the code of here train and draw bit by bit as an older commit's (minutes)?
# make docs: the generated pages of docs/.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
PYTEST ?= $(BIN)/python -m pytest
PROCESSES ?= 2

.PHONY: help demo test lint slow bench claims ratios training-ratios equivalence docs clean

help:
	@sed -n 's/^# //p' Makefile

demo: $(READY)
	$(BIN)/mrbench run --method proseg --method unet-majority --method staple --dataset phantom --preset quick --jobs 2

test: $(READY)
	$(PYTEST) --numprocesses $(PROCESSES) --dist loadfile $(ARGS)

slow: $(READY)
	$(PYTEST) --slow $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)
	$(PYTEST) tests/benchmarks --benchmark-enable --benchmark-only --benchmark-columns=median,min,rounds $(ARGS)

claims: $(READY)
	$(BIN)/python tests/benchmarks/test_claims.py $(ARGS)

ratios: $(READY)
	$(BIN)/python tests/benchmarks/ratios.py $(ARGS)

training-ratios: $(READY)
	$(BIN)/python tests/benchmarks/training_ratios.py $(ARGS)

equivalence: $(READY)
	$(BIN)/python tests/benchmarks/equivalence.py $(ARGS)

docs: $(READY)
	$(BIN)/python docs/generate.py

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'mrbench needs Python 3.11 or later: make PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
