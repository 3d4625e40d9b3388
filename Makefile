# Weft: `make demo` shows the portal, `make test` proves it. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PORT ?= 8000
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
NODE_BIN := $(abspath $(VENV))/bin
PIP_FLAGS := --disable-pip-version-check --quiet --require-hashes
SOURCES := catalog harvesters api portal wsgi.py demo tests bench docs

.PHONY: help install install-dev static demo run worker test test-quick lint format types imports check \
        messages migration docs bench bench-city lock clean browser

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Weft needs Python 3.11 or newer; name one with: make PYTHON=python3.12 …"; exit 1; }
	@echo "Creating the environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements/weft.txt | $(VENV)/bin/python
	@echo "Installing the locked dependencies (some minutes the first time)"
	@$(PY) -m pip install $(PIP_FLAGS) -r requirements/weft.txt
	@touch $@

$(VENV)/.installed-dev: requirements/dev.txt $(VENV)/.installed
	@echo "Installing what tests and checks need"
	@$(PY) -m pip install $(PIP_FLAGS) -r requirements/dev.txt
	@touch $@

node_modules/.installed: package.json package-lock.json $(VENV)/.installed
	@echo "Installing the front end's packages"
	@PATH="$(NODE_BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error
	@touch $@

static/build/manifest.json: node_modules/.installed $(shell find portal/assets -type f)
	@echo "Building the front end"
	@PATH="$(NODE_BIN):$$PATH" node portal/assets/build.mjs
	@touch $@

portal/translations/.compiled: $(wildcard portal/translations/*/LC_MESSAGES/*.po) $(VENV)/.installed
	@$(VENV)/bin/pybabel -q compile -d portal/translations --statistics 2>/dev/null || $(VENV)/bin/pybabel compile -d portal/translations
	@touch $@

install: $(VENV)/.installed portal/translations/.compiled  ## Create the environment with what the portal needs
install-dev: $(VENV)/.installed-dev portal/translations/.compiled
static: static/build/manifest.json  ## Build styles and scripts for the browser

demo: free-port install static  ## Harvest the demo departments and serve the portal (PORT=8000)
	@exec $(PY) -m demo.start --port $(PORT)

.PHONY: free-port
free-port:
	@$(PYTHON) demo/port.py "$(PORT)"

run: install static  ## Serve pages and API with the settings of the environment
	@$(PY) wsgi.py migrate && exec $(PY) wsgi.py web --port $(PORT)

worker: install  ## Run jobs with the settings of the environment
	@exec $(PY) wsgi.py worker

browser:
	@./tests/functional/install-browser

.PHONY: services
services: $(VENV)/bin/python
	@PYTHON=$(PY) ./tests/services/install

test: install-dev static browser services check-code docs  ## Everything: checks, tests with coverage, the demo in a browser
	@rm -f .coverage .coverage.*
	@$(PY) -m coverage run -m pytest -n auto --dist loadscope --no-loadscope-reorder
	@$(PY) -m coverage combine -q
	@$(PY) -m coverage report --fail-under=95
	@$(PY) -m coverage report --fail-under=100 --include='catalog/permissions.py,catalog/db.py,catalog/tabular/sql.py,catalog/tabular/masking.py' --skip-covered

test-quick: install-dev  ## Tests without browser and demo
	@$(PY) -m pytest -m 'not browser and not demo'

.PHONY: check-code
check-code: lint types imports

lint: install-dev  ## ruff, djlint, codespell
	@$(VENV)/bin/ruff check $(SOURCES)
	@$(VENV)/bin/ruff format --check $(SOURCES)
	@$(VENV)/bin/djlint --lint --quiet portal/templates
	@$(VENV)/bin/codespell

format: install-dev  ## Format the code
	@$(VENV)/bin/ruff check --fix-only $(SOURCES)
	@$(VENV)/bin/ruff format $(SOURCES)

types: install-dev  ## mypy strict
	@$(VENV)/bin/mypy
	@$(VENV)/bin/mypy -m wsgi -m demo.start -m demo.port -m demo.server

imports: install-dev  ## The import contract
	@$(VENV)/bin/lint-imports --no-cache

check: check-code test-quick  ## Checks and quick tests

messages: install-dev  ## Collect the sentences of code and templates for translation
	@$(VENV)/bin/pybabel -q extract -F portal/translations/babel.cfg $(shell cat portal/translations/keywords) \
	  --no-location --sort-output --omit-header -o portal/translations/messages.pot .
	@$(VENV)/bin/pybabel -q update -i portal/translations/messages.pot -d portal/translations --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@rm portal/translations/messages.pot

migration: install-dev  ## Write a migration from the models (m="what changes")
	@$(VENV)/bin/flask --app wsgi:create_migrating_app db migrate -m "$(m)"

docs: install-dev  ## Build the documentation
	@$(VENV)/bin/sphinx-build -q -W -b html docs docs/_build

DATASETS ?= 2000
bench: install-dev static  ## CPU per operation, memory, size; a table of a million rows; a catalogue of DATASETS=
	@$(PY) -m bench
	@$(PY) -m bench.million
	@$(PY) -m bench.catalogue --datasets $(DATASETS)

DEPARTMENTS ?= 3
ROWS ?= 10000000
RELEASES ?= 50
FOLDER ?= $(if $(TMPDIR),$(TMPDIR),/tmp)
bench-city: install-dev static  ## Departments with large tables (DEPARTMENTS= ROWS= RELEASES= FOLDER=)
	@$(PY) -m bench.city --departments $(DEPARTMENTS) --rows $(ROWS) --releases $(RELEASES) --folder $(FOLDER)

lock: | $(VENV)/bin/python  ## Renew the locks (hashes, no addresses)
	@$(PY) -m pip install --quiet uv
	@for name in weft dev; do $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-header requirements/$$name.in -c requirements/weft.txt -o requirements/$$name.txt; done
	@for name in spark croissant; do $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	  --no-strip-extras --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt; done

clean:  ## Remove everything that was built, and the demo's data
	@rm -rf $(VENV) .services node_modules static/build var docs/_build .mypy_cache .ruff_cache .pytest_cache .coverage*
