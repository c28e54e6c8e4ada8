# Dormouse. Everything is installed into .venv and node_modules by the targets themselves.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEPLOY := $(VENV)/.installed-deploy
CDK    := infrastructure/.venv/.installed
NODE   := node_modules/.installed
PYTEST := $(BIN)/python -m pytest -q

.DEFAULT_GOAL := help
.PHONY: help run test check fmt types clean bench bench-uploads bench-functions \
        test-unit test-integration test-conformance test-sdk test-deployed test-cdk \
        package deploy bootstrap superuser import destroy

help:  ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

run: $(STAMP)  ## Start Dormouse with a local AWS (Ctrl-C ends both; state in .local/)
	@$(BIN)/python -m tools.run

test: check test-unit test-integration test-conformance test-sdk  ## Everything that CI runs

check: $(STAMP)  ## Formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test-unit: $(STAMP)  ## Pure tests, in seconds
	$(PYTEST) tests/unit

test-integration: $(STAMP)  ## Tests on the local AWS
	$(PYTEST) -n 2 --dist loadfile tests/integration

test-conformance: $(STAMP)  ## The same scenarios on the real PocketBase and on Dormouse
	$(PYTEST) tests/conformance

test-sdk: $(STAMP) $(NODE)  ## The unchanged JavaScript SDK against Dormouse
	$(PYTEST) tests/e2e

test-deployed: $(DEPLOY) $(NODE)  ## Deploy to a local AWS by CloudFormation and test that; not part of make test
	$(PYTEST) tests/deployed

test-cdk: $(STAMP) $(CDK)  ## Synthesise the CDK stack and compare it; installs 240 MB
	$(PYTEST) tests/cdk

package: $(STAMP)  ## STAGE=dev: the zip and the template, in .local/package
	@$(BIN)/python -m tools.deploy.package --stage "$(STAGE)" $(OPTIONS)

deploy: $(STAMP)  ## STAGE=dev: package, upload, create or update the stack (docs/deploy.md)
	@$(BIN)/python -m tools.deploy.deploy --stage "$(STAGE)" $(OPTIONS)

bootstrap: $(STAMP)  ## STAGE=dev: table, bucket and policy for chalice deploy
	@$(BIN)/python -m tools.deploy.bootstrap --stage "$(STAGE)"

superuser: $(STAMP)  ## STAGE=dev EMAIL=you@example.com: make a superuser of a deployed stage
	@$(BIN)/python -m tools.deploy.superuser --stage "$(STAGE)" --email "$(EMAIL)"

import: $(STAMP)  ## FROM=pb_data STAGE=dev: move a PocketBase's data into a deployed stage
	@$(BIN)/python -m tools.import_pocketbase "$(FROM)" --stage "$(STAGE)"

destroy: $(STAMP)  ## STAGE=dev: delete the stack; table and bucket stay
	@$(BIN)/python -m tools.deploy.destroy --stage "$(STAGE)"

bench: $(STAMP)  ## Measure; a table, and JSON with BENCH="--json FILE"
	$(BIN)/python -m tests.benchmarks $(BENCH)

bench-uploads: $(STAMP)  ## A large file through the app, by presigned parts, by boto3
	$(BIN)/python -m tests.benchmarks.uploads

bench-functions: $(STAMP)  ## /fn/{name} beside a direct call of Lambda
	$(BIN)/python -m tests.benchmarks.functions

fmt: $(STAMP)  ## Format and fix what can be fixed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:  ## Remove what make made; the state in .local/ stays
	rm -rf $(VENV) infrastructure/.venv node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Dormouse needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV) \
	  || { echo "No virtual environment could be made (Debian: apt install python3-venv)"; exit 1; }
	@echo "Installing the pinned requirements into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@$(BIN)/pip check
	@touch $@

$(DEPLOY): $(STAMP) requirements-deploy.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-deploy.txt
	@$(BIN)/pip check
	@touch $@

$(CDK): infrastructure/requirements.txt
	$(PYTHON) -m venv infrastructure/.venv
	infrastructure/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(NODE): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@
