# Two commands matter: `make demo` and `make test`. Both work on a fresh Debian or Ubuntu machine with Python 3.11 or
# newer, make and git, and say what is missing otherwise.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PORT ?= 5000
FOR ?= 300
RECORDS ?= 10000000
# One more than there are processors, as the tests in a browser wait for a good part of their time.
WORKERS ?= $(shell echo $$(($$(nproc) + 1)))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser)
export CHROMIUM

.PHONY: help demo demo-evidence test lint bench bench-gate bench-log bench-notice wheels soak screenshots languages docs clean browser

help:
	@echo "make demo PORT=5000   a news site that asks first, its twin that doesn't, and what the others saw"
	@echo "                      (LIVE=1 uses the real third parties instead of stand-ins on this machine)"
	@echo "make demo-evidence    answers on the demo, bundled, verified, tampered with, and found out"
	@echo "make test             all tests, WORKERS=$(WORKERS) files at once; needs Chromium for those in a browser"
	@echo "make bench            figures, side by side with what else there is"
	@echo "make bench-gate       the gate beside python-lolhtml, turbohtml, selectolax, lxml, html.parser, BeautifulSoup"
	@echo "make bench-log        the consent log beside one commit each, a hash chain, pymerkle"
	@echo "make bench-notice     the notice beside vanilla-cookieconsent, orejime, klaro, tarteaucitron in Chromium; needs npm"
	@echo "make wheels           what an index of packages is given, in dist/: the source, a wheel in plain Python for everybody,"
	@echo "                      and one with the gate compiled for this machine's Python"
	@echo "make soak FOR=300     visitors without a pause for so many seconds, then every count compared; as long"
	@echo "                      writers and sealers killed at every step; an audit of RECORDS=10000000 records;"
	@echo "                      every theme in every layout, look and direction, of which make test has each two"
	@echo "make screenshots      the pictures in docs/images"
	@echo "make languages        the notice in every language, in two pictures in docs/images"
	@echo "make docs             the documentation, in docs/_build"
	@echo "make clean            forget the virtual environment and everything made"

# The newest Python from 3.11 on that really starts: an installation may have no more than a name for it.
$(VENV)/bin/python:
	@for name in python3.14 python3.13 python3.12 python3.11 python3; do \
		if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$${python:-}" ]; then \
		echo "Missing: Python 3.11 or newer. On Debian: apt-get install python3 python3-venv" >&2; exit 2; fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "Missing: $$python can't make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 2; fi; \
	echo "Making $(VENV) with $$($$python --version) …"; \
	$$python -m venv --clear $(VENV) || { rm -rf $(VENV); exit 2; }

$(VENV)/.demo: $(VENV)/bin/python pyproject.toml
	@echo "Installing the project …"
	@$(PIP) install --upgrade 'pip>=25.1'
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.demo
	@echo "Installing what the tests need …"
	@$(PIP) install --group dev
	@touch $@

demo: $(VENV)/.demo
	@exec $(BIN)/python -m examples.flask_demo --port $(PORT) $(if $(LIVE),--live)

demo-evidence: $(VENV)/.demo
	@$(BIN)/python -m examples.flask_demo.evidence

browser:
	@[ -x "$(CHROMIUM)" ] || { \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing Chromium …"; \
			export DEBIAN_FRONTEND=noninteractive; \
			apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null; \
		else \
			echo "Missing: Chromium, for the tests in a browser. On Debian: sudo apt-get install chromium" >&2; \
			echo "Or name one: make $(MAKECMDGOALS) CHROMIUM=/path/to/it" >&2; exit 2; fi; }

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# A file's tests share browsers and servers, so that one worker runs a file from its beginning to its end.
test: browser lint
	@$(BIN)/python -m pytest -p tests.coverage_floor -n $(WORKERS) --dist loadfile --no-loadscope-reorder

bench: $(VENV)/.dev
	@for bench in tests/bench/bench_*.py; do echo "$$bench"; $(BIN)/python $$bench; done

# Builds the gate as a module in C, by way of the source archive, so that nothing is left beside the source.
COMPILE = command -v cc >/dev/null || { echo "Missing: a C compiler. On Debian: apt-get install gcc python3-dev" >&2; exit 2; }; \
	echo "Compiling the gate …"; HATCH_BUILD_HOOK_ENABLE_MYPYC=1 $(BIN)/python -m build . >/dev/null --outdir

# pip takes the compiled wheel where it fits.
wheels: $(VENV)/.dev
	@rm -rf dist
	@echo "Building in plain Python …"
	@$(BIN)/python -m build . >/dev/null
	@$(COMPILE) dist
	@ls -1 dist/*

# To be measured beside the one that is read as it is.
$(VENV)/compiled: $(VENV)/.dev $(wildcard consent/gate/*.py)
	@rm -rf $@ && folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT; \
		$(COMPILE) "$$folder"; $(PIP) install --no-deps --target $@ "$$folder"/*.whl

bench-gate: $(VENV)/compiled
	@$(BIN)/python tests/bench/bench_gate.py $(VENV)/compiled

bench-log: $(VENV)/.dev
	@$(BIN)/python tests/bench/bench_log.py 1000000

bench-notice: browser $(VENV)/.dev
	@$(BIN)/python tests/bench/bench_notice.py

soak: browser $(VENV)/.dev
	@$(BIN)/python tests/soak/soak_visitors.py --seconds $(FOR)
	@$(BIN)/python tests/soak/soak_gate.py --seconds $(FOR)
	@$(BIN)/python tests/soak/soak_gate.py --seconds $(FOR) --browser
	@$(BIN)/python tests/soak/soak_log.py --seconds $(FOR) --records $(RECORDS)
	@CONSENT_EVERY_CASE=1 $(BIN)/python -m pytest tests/banner/test_banner_axe.py tests/banner/test_banner_zoom.py tests/gate/test_gate_skim.py tests/gate/test_gate_every_short_page.py

screenshots: browser $(VENV)/.dev
	@$(BIN)/python tests/browser/screenshots.py docs/images

languages: browser $(VENV)/.dev
	@$(BIN)/python tests/languages/contact_sheet.py docs/images

docs: $(VENV)/.dev
	@$(BIN)/sphinx-build -q -W --keep-going -b html docs docs/_build
	@echo "docs/_build/index.html"

clean:
	@rm -rf $(VENV) docs/_build build dist htmlcov .coverage* .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache examples/flask_demo/instance
	@find consent examples tests -name __pycache__ -type d -prune -exec rm -rf {} +
