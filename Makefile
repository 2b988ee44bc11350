.PHONY: help install test quick lint format ci

help:  ## Show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

install:  ## Install for development into .venv
	python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[dev]"

test:  ## Run every test that this machine can run
	.venv/bin/pytest

quick:  ## Run the tests that take less than half a minute each
	.venv/bin/pytest -m "not slow and not gpu"

lint:  ## Lint, format check, types, import contracts
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy && .venv/bin/lint-imports

format:  ## Format and sort imports
	.venv/bin/ruff check --fix . && .venv/bin/ruff format .

ci:  ## Run what has to pass before a change lands
	.ci/run
