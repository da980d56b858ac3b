# Two commands matter: `make run` (the whole system) and `make test` (the proof).
# Everything they need is installed into .venv from hash-pinned lock files.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not ((3,11) <= sys.version_info < (3,14)))' \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
CORE_LOCKS := requirements/uv.txt requirements/core.txt
LOCKS := $(CORE_LOCKS) requirements/dev.txt
E2E_LOCKS := $(LOCKS) requirements/e2e.txt
export UV_PYTHON_DOWNLOADS := never

.PHONY: run test e2e simulate nightly faults check demo bench bench-counts test-ib-insync lock format clean help

help:  ## List the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

run: $(VENV)/.core  ## Start everything: http://localhost:8000, Ctrl-C stops it
	@$(BIN)/python manage.py up

demo: $(VENV)/.core  ## A trading day over HTTP, with a receipt; exit status tells
	@$(BIN)/python manage.py demo

test: $(VENV)/.dev  ## Every test but the browser's
	@$(BIN)/python -m tests.run $(ARGS)

e2e: $(VENV)/.e2e  ## The browser's tests, on the Chromium of this machine
	@$(BIN)/python -m pytest -q tests/e2e $(ARGS)

simulate: $(VENV)/.dev  ## 20,000 seeded schedules of orders, faults and crashes
	@$(BIN)/python -m tests.reliability --seed 1 --schedules 20000 $(ARGS)

nightly: $(VENV)/.dev  ## The long forms: docs/testing.md says what each proves
	@$(BIN)/python -m tests.reliability --schedules 1000000
	@$(BIN)/python -m tests.reliability.mutants
	@OMS_TEST_WHOLE_LIVES=300 OMS_TEST_SAMPLED_LIVES=50000 OMS_TEST_LIVES=1500 \
		$(BIN)/python -m pytest -q tests/reliability/test_arrivals.py tests/reliability/test_simulation.py
	@OMS_TEST_DIFFERENTIAL=5000 $(BIN)/python -m pytest -q tests/oms/test_differential.py
	@OMS_TEST_ORDERS=10000 $(BIN)/python -m pytest -q tests/oms/test_replay.py -k one_tampered

bench: $(VENV)/.core  ## Orders beside the limit and a plain reference; JSON=FILE keeps the figures
	@$(BIN)/python manage.py bench orders $(if $(JSON),--json $(JSON)) $(ARGS)

bench-counts: $(VENV)/.core  ## Statements, commits and WAL bytes of an order are as they are kept
	@$(BIN)/python manage.py bench counts $(ARGS)

faults: $(VENV)/.dev  ## Every fault at every adapter as a matrix; JSON=FILE writes it down
	@$(BIN)/python -m tests.faults $(if $(JSON),--json $(JSON))

check: $(VENV)/.dev  ## Format, lint, types, imports, migrations, deployment profile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	DJANGO_SETTINGS_MODULE=config.settings.typecheck $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m config.deploy_check

format: $(VENV)/.dev  ## Put every file into the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test-ib-insync: .venv-ib-insync/.stamp  ## The broker tests against ib_insync, in its own environment
	@.venv-ib-insync/bin/python -m pytest -q tests/ib_library tests/simulators tests/brokers/ib tests/faults $(ARGS)

lock: $(VENV)/.core  ## Resolve pyproject.toml anew into requirements/*.txt
	@sh requirements/lock.sh $(BIN)/uv

clean:  ## Remove environments and caches; the state in .oms stays
	rm -rf .venv .venv-ib-insync .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/uv: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Blotter needs Python 3.11, 3.12 or 3.13 on the PATH."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; on Debian: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# `uv pip sync` removes what is not listed, so every set is synced in one call; a development
# environment serves `make run` too and is never stripped back.
$(VENV)/.core: $(VENV)/bin/uv $(CORE_LOCKS)
	@if [ -f $(VENV)/.dev ]; then $(MAKE) -s $(VENV)/.dev; else \
		$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes $(CORE_LOCKS); fi
	@touch $@

$(VENV)/.dev: $(VENV)/bin/uv $(LOCKS)
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes \
		$(if $(wildcard $(VENV)/.e2e),$(E2E_LOCKS),$(LOCKS))
	@touch $@ $(VENV)/.core

$(VENV)/.e2e: $(VENV)/bin/uv $(E2E_LOCKS)
	@$(BIN)/uv pip sync -q --python $(BIN)/python --require-hashes $(E2E_LOCKS)
	@touch $@ $(VENV)/.dev $(VENV)/.core

.venv-ib-insync/.stamp: $(VENV)/bin/uv requirements/ib_insync.txt
	@$(PYTHON) -m venv .venv-ib-insync
	@$(BIN)/uv pip sync -q --python .venv-ib-insync/bin/python --require-hashes requirements/ib_insync.txt
	@touch $@
