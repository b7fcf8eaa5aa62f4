# make demo [PORT=5000] [LIVE=1]   the news site, in .venv; Ctrl-C stops all
# make test                        linters, types, import contracts, tests
# make bench | soak | screenshots | docs | clean

PORT ?= 5000
VENV := .venv
BIN  := $(VENV)/bin
PIP  := $(BIN)/python -m pip --quiet --disable-pip-version-check
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
export CHROMIUM

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak screenshots docs clean chromium

help:
	@sed -n 's/^# \(make.*\)/  \1/p' Makefile

# The newest Python from 3.11 on that really starts; some installations only have a name for it.
$(VENV)/bin/python:
	@python=$$(for name in python3.14 python3.13 python3.12 python3.11 python3; do \
	  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done); \
	[ -n "$$python" ] || { echo "Missing: Python 3.11 or newer. Debian, Ubuntu: apt install python3 python3-venv" >&2; exit 1; }; \
	$$python -c 'import ensurepip, venv' 2>/dev/null || { echo "Missing: the venv module of $$python. Debian, Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	echo "Making $(VENV) with $$($$python --version)"; \
	rm -rf $(VENV) && $$python -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# What the demo needs is the project itself.
$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	@echo "Installing the project"
	@$(PIP) install --upgrade 'pip>=25.1' && $(PIP) install --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@echo "Installing what the tests need"
	@$(PIP) install --group dev
	@touch $@

demo: $(VENV)/.demo
	@exec $(BIN)/python -m examples.flask_demo --port $(PORT) $(if $(LIVE),--live)

chromium:
	@[ -x "$(CHROMIUM)" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && echo "Installing Chromium" && apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
	  apt-get -qq install --no-install-recommends chromium fonts-noto-core >/dev/null; } \
	|| { echo "Missing: Chromium, which the browser tests drive. Debian: apt install chromium; elsewhere: make $(MAKECMDGOALS) CHROMIUM=/path/to/it" >&2; exit 1; }

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: chromium lint
	$(BIN)/python -m pytest

bench: $(VENV)/.dev
	$(BIN)/python -m pytest tests/bench

soak: $(VENV)/.dev
	$(BIN)/python -m examples.flask_demo.soak $(if $(SECONDS),--seconds $(SECONDS))

screenshots: chromium $(VENV)/.dev
	$(BIN)/python tests/browser/screenshots.py docs/images

docs: $(VENV)/.dev
	$(BIN)/python -m sphinx -q --fail-on-warning docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	rm -rf $(VENV) build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov examples/flask_demo/instance
	find consent examples tests -name __pycache__ -type d -prune -exec rm -rf {} +
