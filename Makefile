# One way to do it: `make help` lists the commands. ENV names the environment (a Pulumi.<ENV>.yaml); TOOLCHAIN=system
# uses the Pulumi and the plugins that are installed on this machine.
PYTHON ?= python3
VENV := .venv/bin/python
# tests/shares.py says which tests run side by side, and in which order.
TESTS := $(VENV) -m pytest --dist loadscope --no-loadscope-reorder
MAKEFLAGS += --no-print-directory
# Where it is set, pytest would rewrite the assertions of every test anew each time: half of the time until the first one runs.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.DEFAULT_GOAL := help
.PHONY: help up preview repair down check lint test fidelity coverage reliability bench graph costs doctor docs update-pins lock

help: ## list the commands
	@echo "usage: make COMMAND [ENV=dev|preprod|prod] [TOOLCHAIN=system]"
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-13s %s\n", $$1, $$2 }'

up: .venv/ready ## bring an environment up in the sandbox (default: dev)
	@$(VENV) -m sandbox up $(ENV)

preview: .venv/ready ## show what `make up` would change
	@$(VENV) -m sandbox preview $(ENV)

repair: .venv/ready ## mend an environment whose `make up` was cut off
	@$(VENV) -m sandbox repair $(ENV)

down: .venv/ready ## destroy an environment (default: all), then stop the sandbox
	@$(VENV) -m sandbox down $(ENV)

check: lint ## lint, types and the quick tests: no engine, no hostile input
	@$(TESTS) -n auto -m "not engine and not hostile" --ignore=tests/engine --ignore=tests/pipelines --hypothesis-profile=quick

lint: .venv/ready
	@$(VENV) -m ruff format --check .
	@$(VENV) -m ruff check .
	@$(VENV) -m mypy
	@for program in examples/*/__main__.py; do $(VENV) -m mypy "$$program" || exit 1; done
	@.venv/bin/lint-imports --no-logo

test: .venv/ready ## every test, with the real engine and control planes
	@$(VENV) -m sandbox.toolchain.build > /dev/null
	@$(TESTS) -n $$(($$(getconf _NPROCESSORS_ONLN) + 2)) # two more than there are cores: an engine test often waits

fidelity: .venv/ready ## replay recordings of Scaleway's API (CASSETTE="PATH …")
	@$(VENV) -m tests.fidelity $(CASSETTE)

coverage: .venv/ready ## write anew which test asks each route of the stand-ins
	@folder=$$(mktemp -d) && RECORD_ROUTES=$$folder $(VENV) -m pytest -n auto -m "not engine" tests/sandbox/gitlab tests/sandbox/scaleway \
	  && RECORD_ROUTES=$$folder $(VENV) -m tests.sandbox.routes; code=$$?; rm -rf "$$folder"; exit $$code

reliability: .venv/ready ## a fault in each request, and kills; hours (ONLY="PATTERN")
	@$(VENV) -m tests.reliability $(if $(ONLY),--only "$(ONLY)")

bench: .venv/ready ## measure, write docs/performance.md; long (ONLY="start tools")
	@$(VENV) -m benchmarks $(ONLY)

graph: .venv/ready ## draw what an environment holds into ENV.svg (default: dev)
	@shell=$$($(VENV) -m sandbox env) && eval "$$shell" && $(VENV) -m graph --stack $(or $(ENV),dev)

costs: .venv/ready ## tell what an environment's nodes cost a month (default: dev)
	@shell=$$($(VENV) -m sandbox env) && eval "$$shell" && $(VENV) -m costs --stack $(or $(ENV),dev)

doctor: .venv/ready ## check what an environment needs, say what mends it (default: dev)
	@shell=$$($(VENV) -m sandbox env) && eval "$$shell" && $(VENV) -m doctor --stack $(or $(ENV),dev)

docs: .venv/ready ## write anew what follows from settings and outputs
	@$(VENV) docs/generate.py

update-pins: .venv/ready ## tell which pins have newer versions; changes nothing
	@$(VENV) -m pins

# In a new environment: the constraints that are to be written hold the old versions of what is pinned. What that brings stays as it
# was where it can.
lock: ## write constraints.txt anew from the requirements
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(PYTHON) -m venv "$$folder/venv" \
	  && for file in requirements.txt requirements-dev.txt; do sed '/^-c constraints.txt$$/d' $$file > "$$folder/$$file" || exit 1; done \
	  && sed -nE 's/^([A-Za-z0-9._-]+)(\[.*\])?==.*/^\1==/p' requirements.txt requirements-dev.txt \
	    | sed 's/[-_.]/[-_.]/g' > "$$folder/pinned" \
	  && grep -viEf "$$folder/pinned" constraints.txt > "$$folder/brought" \
	  && install() { "$$folder/venv/bin/python" -m pip install --quiet -r "$$folder/requirements-dev.txt" "$$@"; } \
	  && { install -c "$$folder/brought" 2> /dev/null || install; } \
	  && { echo "# Written by \`make lock\`: what the pinned requirements bring, pinned as well."; \
	    "$$folder/venv/bin/python" -m pip freeze --exclude pip --exclude setuptools; } > "$$folder/constraints.txt" \
	  && cp "$$folder/constraints.txt" constraints.txt

.venv/ready: requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: $(PYTHON) is older than 3.11. Fix: make PYTHON=python3.11 …" >&2; exit 1; }
	@echo "Installing the Python packages into .venv …"
	@$(PYTHON) -m venv .venv
	@$(VENV) -m pip install --quiet -r requirements-dev.txt
	@touch $@
