# The commands of this repository, run from its root. Each installs on first use.
#
#   make demo      trains, exports, verifies and uses the translator of phrases
#   make test      the tests that a change must pass
#   make test-all  the slow ones too
#   make lint      ruff and mypy

PYTHON := $(shell command -v python3.11 || command -v python3.12 || \
	command -v python3.13 || command -v python3)
VENV := .venv
STAMP := $(VENV)/.installed
RUN := $(VENV)/bin/python
# A file's tests share what is slow to make, so a file stays in one process. In their
# own order the files with few and long tests are not all left for the end.
PYTEST := $(RUN) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-all lint clean

demo: $(STAMP)
	$(RUN) -m recipes.translate

test: $(STAMP)
	$(PYTEST)

test-all: $(STAMP)
	$(PYTEST) -m "not own_process"

lint: $(STAMP)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .nox
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

$(STAMP): setup.cfg pyproject.toml
	@echo "Installing into $(VENV): TensorFlow and JAX are large, this takes minutes."
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --editable ".[dev]"
	touch $@
