# Two commands do it all on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TRITON_VENV := .venv-triton
TRITON_STAMP := $(TRITON_VENV)/.installed
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile
DEMO_RUN ?= runs/demo

export TF_CPP_MIN_LOG_LEVEL ?= 3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install demo docs docs-links tutorials test test-all test-triton coverage lint
.PHONY: format hooks bench dist release-check test-matrix licences clean

install: $(STAMP)

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "keras-csg needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(STAMP)
	rm -rf $(DEMO_RUN)
	$(BIN)/keras-csg train --out $(DEMO_RUN)
	$(BIN)/keras-csg evaluate $(DEMO_RUN)
	@echo "Results are in $(DEMO_RUN): metrics.json, history.csv, curves.png, gate.png, model.keras"

test: $(STAMP)
	$(PYTEST)

test-all: $(STAMP)
	$(PYTEST) -m ''

# Triton's schemas need an older protobuf: an environment of their own.
$(TRITON_STAMP): pyproject.toml
	$(PYTHON) -m venv $(TRITON_VENV)
	$(TRITON_VENV)/bin/pip install --quiet --editable '.[server,test-core,triton]'
	@touch $@

test-triton: $(TRITON_STAMP)
	$(TRITON_VENV)/bin/python -m pytest -m '' \
		tests/deployment/test_layouts.py tests/serving/test_grpc_messages.py

coverage: $(STAMP)
	$(PYTEST) --cov --cov-report term:skip-covered

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP)
	$(BIN)/python docs/site build/site

# Asks for the addresses outside, which needs a network.
docs-links: $(STAMP)
	$(BIN)/python docs/site build/site --check-links

# Executes the notebooks of docs/tutorials and keeps what they print, ten minutes;
# `make tutorials NAMES=5_deploy` executes one.
tutorials: $(STAMP)
	$(BIN)/python tools/run_tutorials.py $(NAMES)

# Lets git run what `make lint` runs before each commit.
hooks: $(STAMP)
	$(BIN)/pre-commit install

# What docs/speed.md says, and times beside others that are named elsewhere. The
# other scripts of benchmarks/ train networks for hours, or need files of yours.
BENCHES = training end_to_end input batch_normalization gate reference_gate \
	floor startup serving server localization mutual_information backends
bench: $(STAMP)
	@for name in $(BENCHES); do \
		echo "== $$name"; \
		$(BIN)/python benchmarks/bench_$$name.py || exit 1; done

# The sdist and the wheel, equal bytes every time.
dist: $(STAMP)
	$(BIN)/python tools/build_dist.py dist

# All that has to hold of a release.
release-check: $(STAMP)
	$(BIN)/python tools/release_check.py

# The table of docs/licences.md, from what is installed.
licences: $(STAMP)
	$(BIN)/python tools/dependency_licences.py --write

# Python 3.11 to 3.13, each with the lowest and the newest dependencies; goes on
# where it was stopped. `make test-matrix TESTS=tests/layers` runs some.
TESTS ?= tests
test-matrix: $(STAMP)
	$(BIN)/python tools/test_matrix.py --tests $(TESTS)

clean:
	rm -rf $(VENV) $(TRITON_VENV) build dist *.egg-info
	rm -rf .coverage .mypy_cache .pytest_cache .ruff_cache
