# Everything a person does with a checkout. Needs Python 3.11 or newer, git and make; `make` alone explains.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:

VAR ?= var
DAYS ?= 30
MINUTES ?= 15
DATABASE ?= sqlite
SEED ?= 0
# Debian packages that some test needs; `make test` installs them where it may and says so where it may not.
APT_PACKAGES := chromium

BIN := .venv/bin
BOT := $(BIN)/python -m bot --config $(VAR)/config.toml
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest -q -n auto --dist loadgroup
# One file serves every platform and every Python from 3.11 on; each is complete in itself.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
  --no-emit-index-url --annotation-style line $(if $(UPGRADE),--upgrade) --output-file requirements/
FAST_RINGS := $(wildcard $(addprefix tests/,unit contracts services web cli))

.PHONY: help run rehearse check test attack bench torture supply lock clean lint apt-packages

help: ## say what can be made (this list)
	@echo 'make WHAT, where WHAT is:'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

run: .venv/run.stamp $(VAR)/config.toml ## start the bot and its web pages here, with data in var/ (made if absent)
	@exec $(BOT) run

rehearse: .venv/run.stamp $(VAR)/config.toml ## show what the next 30 days would post, and send nothing (DAYS=90 for more)
	@exec $(BOT) rehearse --from today --days $(DAYS) --text

check: lint ## lint, types, import rules and the fast tests: run it before every commit
	@$(PYTEST) -m 'not slow and not postgres' $(FAST_RINGS)

test: apt-packages lint ## everything that must hold: as check, then all tests, more examples, Dockerfile, packaging
	@HYPOTHESIS_PROFILE=thorough $(PYTEST) tests

bench: .venv/dev.stamp ## measure beside peers on this machine, as ratios in one run (35 min; QUICK=1 takes 9)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick)

torture: .venv/dev.stamp ## kill, stop and halt it for MINUTES (15) on DATABASE (sqlite or postgresql), and count
	@MINUTES=$(MINUTES) DATABASE=$(DATABASE) SEED=$(SEED) $(BIN)/python -m tests.torture

supply: .venv/dev.stamp ## list what we ship of others with its licence, and ask which of it has known faults
	@$(BIN)/python -m tests.supply

lock: .venv/lock.stamp ## compile the pinned requirement files anew (UPGRADE=1 takes newer versions)
	@$(COMPILE)lock.txt --group lock
	@$(COMPILE)dev.txt pyproject.toml --extra postgres --group dev
	@$(COMPILE)postgres.txt pyproject.toml --extra postgres --constraints requirements/dev.txt
	@$(COMPILE)run.txt pyproject.toml --constraints requirements/dev.txt
	@$(COMPILE)build.txt --group build --constraints requirements/dev.txt

attack: .venv/dev.stamp ## attack the record in every way we know, and count what is found
	@$(BIN)/python -m tests.attacks

clean: ## remove the environment and what tools left behind (never var/, which is your data)
	@rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -path './$(VAR)' -prune -o -name __pycache__ -prune -exec rm -rf {} +

lint: .venv/dev.stamp
	@$(BIN)/ruff check --quiet --output-format concise .
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }
	@echo 'lint, types and imports: good'

apt-packages:
	@missing=(); \
	for package in $(APT_PACKAGES); do \
	  dpkg-query --show --showformat='$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$$package"); \
	done; \
	[ $${#missing[@]} -eq 0 ] && exit 0; \
	if [ "$$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then \
	  echo "The tests need these Debian packages: $${missing[*]}"; \
	  echo "Install them, then run make test again: sudo apt-get install $${missing[*]}"; \
	  exit 1; \
	fi; \
	echo "Installing $${missing[*]}"; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "$${missing[@]}" >/dev/null

# All that is yours in one folder: beside its configuration, not in a second var/ inside it.
$(VAR)/config.toml: | .venv/run.stamp
	@install -d -m 700 $(VAR)
	@sed 's|^# data_dir = "var"  |data_dir = "."      |' config.example.toml > $@
	@$(BOT) init || { rm -f $@; exit 1; }

# The environment. Each stamp is younger than what it was made from, or is made anew.
install = $(PIP) install -qq --require-hashes $(addprefix -r requirements/,$(1)) \
  && $(PIP) install -qq --no-deps --no-build-isolation --editable .

.venv/run.stamp: requirements/run.txt requirements/build.txt pyproject.toml | $(BIN)/python
	@echo 'Fetching what the bot needs (once, about a minute) …'
	@$(call install,run.txt build.txt)
	@touch $@

.venv/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo 'Fetching what the tests need (once, one to two minutes) …'
	@$(call install,dev.txt)
	@touch $@ .venv/run.stamp

.venv/lock.stamp: requirements/lock.txt | $(BIN)/python
	@$(PIP) install -qq --require-hashes -r requirements/lock.txt
	@touch $@

# Each candidate is started, not only found: a name on PATH may be a shim for nothing.
$(BIN)/python:
	@usable=; why='no python3 was found'; \
	for candidate in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
	  "$$candidate" -c '' 2>/dev/null || continue; \
	  if ! "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	    why="$$candidate is $$("$$candidate" --version 2>&1)"; \
	  elif ! "$$candidate" -c 'import ensurepip, venv' 2>/dev/null; then \
	    why="$$candidate lacks the venv module (on Debian and Ubuntu: sudo apt-get install python3-venv)"; \
	  else usable=$$candidate; break; fi; \
	done; \
	if [ -z "$$usable" ]; then \
	  echo "This needs Python 3.11 or newer, and $$why."; \
	  echo 'Install one, or name it: make PYTHON=/path/to/python3 …'; \
	  exit 1; \
	fi; \
	"$$usable" -m venv .venv
