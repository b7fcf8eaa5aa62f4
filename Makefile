# Two commands matter: `make demo` and `make test`. Both work on a fresh Debian or Ubuntu machine with Python 3.11 or
# newer, make and git, and say what is missing otherwise.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do \
	if command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)

.PHONY: help demo test lint bench soak screenshots docs clean browser

help:
	@echo "make demo PORT=5000   a news site that asks first, its twin that doesn't, and what the others saw"
	@echo "make test             all tests; needs Chromium for those in a browser"
	@echo "make bench            figures, side by side with what else there is"
	@echo "make soak             the long rounds of the fault and fuzz tests"
	@echo "make screenshots      the pictures in docs/images"
	@echo "make docs             the documentation, in docs/_build"
	@echo "make clean            forget the virtual environment and everything made"

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "consentry needs Python 3.11 or newer, and there is none. On Debian: apt-get install python3 python3-venv" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) can't make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 2; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev --group docs
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	@exec $(BIN)/python -m examples.flask_demo --port $(PORT)

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing Chromium …"; apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null; \
		else echo "The browser tests need Chromium. On Debian: sudo apt-get install chromium" >&2; exit 2; fi; }

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

test: browser lint
	@$(BIN)/python -m pytest

bench: $(VENV)/.dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	@for bench in tests/bench/bench_*.py; do $(BIN)/python $$bench; done

soak: browser $(VENV)/.dev
	@CONSENT_SOAK=1 $(BIN)/python -m pytest

screenshots: browser $(VENV)/.dev
	@$(BIN)/python -m tests.browser.screenshots docs/images

docs: $(VENV)/.dev
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build
	@echo "docs/_build/index.html"

clean:
	@rm -rf $(VENV) docs/_build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache examples/flask_demo/instance
