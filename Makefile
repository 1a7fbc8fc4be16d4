# Every target sets up what it needs on a machine with Python 3.11 and pip, says what it is doing, and is quick the
# second time. INPUT=path directs your own footage in `make demo`; ONLY=group runs one group in `make bench`.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

CINEMA_HOME ?= .cinema
export CINEMA_HOME
FOOTAGE := $(CINEMA_HOME)/footage
OUT ?= out
INPUT ?=
ONLY ?=
#: Tests side by side: most wait for a server or a clock longer than they compute.
WORKERS ?= 3
#: How many times as many examples as in `make test` are explored.
TIMES ?= 20

.PHONY: help demo test explore lint format bench eval up schema histories golden lock clean typescript-clients

help: ## Show the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

$(INSTALLED): requirements.lock pyproject.toml
	@echo "==> Setting up Python packages in $(VENV) (about a minute, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || deploy/install-python-venv $(PYTHON) $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## Direct the demo footage (or INPUT=path) into all four outputs in out/
ifeq ($(INPUT),)
	@echo "==> Making the demo footage in $(FOOTAGE) (once)"
	@$(BIN)/python -m demo $(FOOTAGE)
	@echo "==> Directing it into $(OUT)/"
	@$(BIN)/cinema direct $(FOOTAGE)/talk.mp4:a_roll $(FOOTAGE)/city.mp4:b_roll $(FOOTAGE)/demo.mov:screen \
	  $(FOOTAGE)/mic.wav:audio --title demo -o $(OUT)
else
	@echo "==> Directing $(INPUT) into $(OUT)/"
	@$(BIN)/cinema direct "$(INPUT)" -o $(OUT)
endif

test: $(INSTALLED) typescript-clients ## Run every test, with coverage
	@deploy/install-faketime
	@echo "==> Testing"
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n $(WORKERS) --no-loadscope-reorder
	@$(BIN)/coverage combine --quiet 2>/dev/null
	@rm -f .coverage.* # half-written by processes that tests kill on purpose
	@$(BIN)/coverage report --format=total | sed 's/^/Coverage, percent: /'

explore: $(INSTALLED) ## Run the property-based tests on new examples, TIMES as many as `make test`
	@echo "==> Exploring"
	@CINEMA_EXPLORE=$(TIMES) $(BIN)/python -m pytest -m hypothesis -n $(WORKERS) -o timeout=3600

# Programs that a test runs as clients in another language would be; types are made from the contract's JSON Schemas.
CLIENTS := tests/clients/typescript

typescript-clients:
	@if command -v npm >/dev/null; then $(MAKE) --silent $(CLIENTS)/.built; \
	  else echo "==> Node.js (20 or later, with npm) is not here, so the TypeScript client is not tested"; fi

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package-lock.json
	@echo "==> Setting up Node packages in $(CLIENTS) (once)"
	@cd $(CLIENTS) && npm ci --silent
	@touch $@

$(CLIENTS)/.built: $(CLIENTS)/node_modules/.package-lock.json $(wildcard $(CLIENTS)/*.ts) \
  $(CLIENTS)/package.json $(CLIENTS)/tsconfig.json $(wildcard schemas/contract/*.json)
	@cd $(CLIENTS) && rm -rf contract dist && npm run --silent build
	@touch $@

lint: $(INSTALLED) ## Check style, formatting, types and the rooms' import rule
	@echo "==> Linting"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "==> Checking types"
	@$(BIN)/mypy
	@echo "==> Checking who imports whom"
	@$(BIN)/lint-imports

format: $(INSTALLED) ## Format the sources
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

bench: $(INSTALLED) ## Run the benchmarks (ONLY=group for one) and print their figures
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

eval: $(INSTALLED) ## Measure the quality of edits and print the figures
	@$(BIN)/python -m benchmarks.quality

up: $(INSTALLED) ## Run Postgres, Temporal, the API and the workers until Ctrl-C
	@$(BIN)/cinema up

schema: $(INSTALLED) ## Export the API's description and the JSON Schemas of the EDL, webhooks and the workflow contract
	@$(BIN)/python -m cinema.api_description > docs/openapi.json.new
	@mv docs/openapi.json.new docs/openapi.json
	@$(BIN)/python -c 'import json; from director import edl_json_schema; print(json.dumps(edl_json_schema(), indent=1))' \
	  > docs/edl.schema.json.new
	@mv docs/edl.schema.json.new docs/edl.schema.json
	@$(BIN)/python -c 'from pathlib import Path; from workflows.contract_schemas import export_schemas as export; \
	  export(Path("schemas/contract"))'
	@$(BIN)/python -c 'import json; from schemas.webhooks import webhook_json_schema as schema; print(json.dumps(schema(), indent=1))' \
	  > docs/webhooks.schema.json.new
	@mv docs/webhooks.schema.json.new docs/webhooks.schema.json

histories: $(INSTALLED) ## Record this version's workflow histories for the replay test
	@echo "==> Recording on a Temporal server of its own"
	@$(BIN)/python -m tests.workflows.histories

golden: $(INSTALLED) ## Keep the golden frames as they are rendered now; look at each before committing it
	@echo "==> Drawing tests/render/golden/"
	@$(BIN)/python -m tests.render.golden_frames

lock: ## Resolve dependencies again (needs uv)
	@uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --extra embedded --extra offline --group dev pyproject.toml -o requirements.lock

clean: ## Remove everything the targets made, the stack's state included
	@if [ -x $(BIN)/cinema ]; then $(BIN)/cinema down; fi
	@rm -rf $(addprefix $(CLIENTS)/,node_modules contract dist .built) $(VENV) $(CINEMA_HOME) $(OUT) benchmarks/out .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache
