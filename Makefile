# One command each; `make help` lists them. Everything is installed below .venv, data goes to var.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -q
SAY = @printf '\033[1m==> %s\033[0m\n'

.DEFAULT_GOAL := help
.PHONY: help run lab up down test chaos lint format events bench

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 16

run: $(VENV)/.runtime ## everything in one process, with demo data, on 127.0.0.1:4280
	@exec $(BIN)/krill run

lab: $(VENV)/.runtime ## the same with a big network: 4 OLTs, a CMTS or two, 2,000 ONUs, in var/lab
	@KRILL_DATA_DIR=var/lab exec $(BIN)/krill run --cpes 3200

up: $(VENV)/.runtime ## the same on RabbitMQ and PostgreSQL, one process a service (Ctrl-C or `make down` ends it)
	@exec $(BIN)/krill up

down: $(VENV)/.runtime ## end what `make up` started; its data stays
	@$(BIN)/krill down

test: lint ## linters, then every test, on real servers too
	$(SAY) 'Looking for RabbitMQ and PostgreSQL'
	@$(BIN)/python -m deploy.local.packages rabbitmq-server postgresql
	$(SAY) 'Running the tests'
	@$(BIN)/python -m pytest

chaos: $(VENV)/.development ## 100 kills over 50,000 writes: what is lost, applied twice or late (a quarter of an hour)
	@$(BIN)/python -m deploy.local.packages rabbitmq-server postgresql
	@KRILL_CHAOS_KILLS=100 KRILL_CHAOS_WRITES=50000 $(BIN)/python -m pytest -s tests/chaos

lint: $(VENV)/.development ## ruff, mypy, import-linter
	$(SAY) 'Checking the code'
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo

format: $(VENV)/.development ## rewrite the code as ruff wants it
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

events: $(VENV)/.development ## the catalogue of events, and golden samples of new ones
	@$(BIN)/python -m deploy.cli events catalogue > docs/events.md
	@$(BIN)/python -m tests.contract.golden

bench: $(VENV)/.development ## the comparison with Django REST framework, on PostgreSQL
	@$(BIN)/python -m deploy.local.packages rabbitmq-server postgresql wrk
	@$(BIN)/python -m tests.bench

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo 'Python 3.11 to 3.13 is needed: make PYTHON=/path/to/python3.x …' >&2; exit 1; }
	$(SAY) 'Making the virtual environment'
	@$(PYTHON) -m deploy.local.packages python3-venv
	@$(PYTHON) -m venv $(VENV)

# The lock pins whatever is installed; a plain installation leaves out the tools for tests.
$(VENV)/.runtime: pyproject.toml requirements.lock | $(BIN)/python
	$(SAY) 'Installing Python packages'
	@$(PIP) --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.development: $(VENV)/.runtime
	$(SAY) 'Installing what tests, linters and the benchmark need'
	@$(PIP) --constraint requirements.lock --editable '.[test,lint,bench]'
	@touch $@
