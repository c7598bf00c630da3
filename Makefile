# The developers' manual: each verb works on a fresh clone and sets up what it needs first.
# The newest that really runs: version managers put names on the PATH that only print an error.
PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help setup demo up test check test-real bench lock

help:  ## what each verb does
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/.ready  ## the Python environment, from the lock file

.venv/.ready: requirements.lock
	@test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) --version) (once, about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -c 'import django, neo4j, celery, sklearn, pytest' && touch $@

demo: setup  ## recorded real incidents, through the real doors, to ranked causes
	@$(BIN)/python manage.py demo $(if $(DEMO_EXIT),--exit)

up: setup  ## serve, empty, ready for real sources
	@$(BIN)/python manage.py up

test: setup  ## all tests on the embedded engines; no network, no root
	@$(BIN)/python -m pytest -n 2

check: setup  ## lint, format, types, import contracts, commits, migrations, deploy check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python tools/check_commits.py
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@ALLOWED_HOSTS=incident-graph.example PUBLIC_URL=https://incident-graph.example $(BIN)/python manage.py check --deploy --fail-level WARNING

test-real: setup  ## the stories against the real upstream programs (installs them)
	@tests/real/install.sh
	@$(BIN)/python -m pytest -m real tests/real

bench: setup  ## ratios from interleaved runs, as a table and var/bench.json
	@$(BIN)/python -m bench

lock:  ## the pins, written anew where pyproject.toml asks for others (needs uv)
	@uv pip compile pyproject.toml --extra dev --generate-hashes --no-header --no-annotate --python-version 3.11 \
	  --universal --quiet -o requirements.lock >/dev/null
