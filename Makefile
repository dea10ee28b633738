# `make demo` and `make test` are all the set-up there is: each makes .venv and installs what it needs.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test lint types unit browser notebooks wheel docs bench clean

demo: $(VENV)/.demo
	$(BIN)/doimages demo

test: lint types unit notebooks docs wheel

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev browser
	$(BIN)/pytest

# Some tests drive Chromium. Root gets it by apt-get; without it they fail if CI is "true", and are skipped if not.
HAS_CHROMIUM = for name in chromium chromium-browser google-chrome; do command -v $$name && break; done > /dev/null
browser:
	@$(HAS_CHROMIUM) || if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  echo "installing Chromium"; apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium > /dev/null; \
	fi; \
	$(HAS_CHROMIUM) || echo "NO CHROMIUM: THE BROWSER TESTS WILL NOT RUN. Install it: apt-get install chromium" >&2

notebooks: $(VENV)/.dev
	$(BIN)/pytest -p no:cacheprovider -o addopts= --nbval --nbval-current-env --nbval-cell-timeout=60 --nbval-sanitize-with notebooks/sanitize.cfg notebooks

docs: $(VENV)/.dev
	$(BIN)/sphinx-build -q -W -n --fail-on-warning docs docs/_build/html

# The built wheel, in an environment of its own, away from the sources.
wheel: $(VENV)/.dev
	rm -rf dist build/wheel
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(PYTHON) -m venv build/wheel
	build/wheel/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt dist/*.whl
	cd build && wheel/bin/doimages demo --no-notebook

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py --long --write docs/reference/benchmarks.md

clean:
	rm -rf $(VENV) build dist docs/_build

$(VENV)/.pip: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) pip
	@touch $@

$(VENV)/.demo: $(VENV)/.pip pyproject.toml
	$(INSTALL) --editable . --group demo
	@touch $@

$(VENV)/.dev: $(VENV)/.pip pyproject.toml
	$(INSTALL) --editable . --group dev
	@touch $@

$(VENV)/.bench: $(VENV)/.pip pyproject.toml
	$(INSTALL) --editable . --group bench
	@touch $@
