# Needs Python 3.11 or newer, make and git. Everything else is installed into .venv, nothing anywhere else.

.DEFAULT_GOAL := help
.PHONY: help install demo up try test test-long upgrade-test chaos bfcl openapi mcp bench image compose-test pictures contract lint format clean

PYTHON3 = python3
PORT = 7233
UI_PORT = 8233
DOOR_PORT = 8240
HTTP_PORT = 7243
EXTRAS = --extra local --extra openapi --extra mcp --extra web --extra encryption --extra telemetry
INSTALLED := .venv/.installed
PYTHON := .venv/bin/python

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-19s %s\n", $$1, $$2 }'

install: $(INSTALLED)  ## install what is missing into .venv

demo: $(INSTALLED)  ## start everything, carry out three requests, stop; or one of your own: make demo REQUEST="…"
	@exec $(PYTHON) -m deploy.local.demo

up: $(INSTALLED)  ## start everything and keep it up until Ctrl-C; other ports: make up PORT=… UI_PORT=… DOOR_PORT=… HTTP_PORT=…
	@exec $(PYTHON) -m deploy.local.up --port $(PORT) --ui-port $(UI_PORT) --door-port $(DOOR_PORT) --http-port $(HTTP_PORT)

try: $(INSTALLED)  ## hold the embedded model to the cases in deploy/local/cases.toml (3 minutes)
	@exec $(PYTHON) -m deploy.local.try_cases

test: $(INSTALLED)  ## run the tests (4 minutes)
	@$(PYTHON) -m pytest -n 6 --dist worksteal -m "not long" --hypothesis-profile few \
		--durations 5 --durations-min 10

test-long: $(INSTALLED)  ## run what make test leaves out: all cases of what it samples, and many random examples
	@$(PYTHON) -m pytest -n 6 --dist worksteal -m "long or hypothesis" --hypothesis-profile many

upgrade-test: $(INSTALLED)  ## take requests and conversations from one version of workers to the next and back; part of make test and test-long
	@$(PYTHON) -m pytest tests/integration/versions tests/integration/replay

chaos: $(INSTALLED)  ## kill, freeze and lock everything while mail goes out, and count (10 minutes); make chaos JSON=1
	@$(PYTHON) -m tests.chaos $(if $(JSON),--json)

mcp: $(INSTALLED)  ## list the tools of MCP servers of others (npm, PyPI), and call one of each
	@$(PYTHON) -m tests.mcp

bfcl: $(INSTALLED)  ## hold the service to the Berkeley Function-Calling Leaderboard's data (10 minutes); make bfcl JSON=1
	@$(PYTHON) -m tests.bfcl $(if $(JSON),--json)

openapi: $(INSTALLED)  ## import real OpenAPI documents, and hold the requests that are made to them (2 minutes)
	@$(PYTHON) -m tests.openapi
	@$(PYTHON) -m tests.many_tools

bench: $(INSTALLED)  ## what a request costs, beside the same job by hand (5 minutes); make bench JSON=1, CHECK=1, ENCRYPTION=1
	@$(PYTHON) -m tests.bench $(if $(JSON),--json) $(if $(CHECK),--check) $(if $(ENCRYPTION),--encryption)

image: $(INSTALLED)  ## build the container image and run a request through it; with Docker, or as root with buildah and runc
	@$(PYTHON) -m tests.container

compose-test: $(INSTALLED)  ## start deploy/compose with that image, and do what an operator does; takes Docker (3 minutes)
	@$(PYTHON) -m tests.compose

pictures: $(INSTALLED)  ## record the pictures of README.md anew, from real runs (2 minutes)
	@$(PYTHON) -m deploy.local.pictures

contract: $(INSTALLED)  ## write docs/contract and its TypeScript types anew (takes npm)
	@$(PYTHON) -m deploy.client.contract_files
	@cd docs/contract/typescript && npm ci --silent --ignore-scripts && npm run --silent types

lint: $(INSTALLED)  ## check style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/basedpyright

format: $(INSTALLED)  ## rewrite the code in the project's style
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

clean:  ## remove what was installed and what the embedded deployment has kept
	rm -rf .venv .errand .pytest_cache .ruff_cache .hypothesis docs/contract/typescript/node_modules

# The tests start many processes: where the environment forbids bytecode, each would compile the whole product anew.
test test-long upgrade-test: export PYTHONDONTWRITEBYTECODE =

# As the shell got it: the environment carries a request unharmed, whatever quotes and dollars are in it.
demo: export DEMO_REQUEST = $(value REQUEST)

$(INSTALLED): pyproject.toml uv.lock
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: Python 3.11 or newer is needed; name one with make PYTHON3=…" >&2; exit 2; }
	@if command -v uv >/dev/null; then uv sync --inexact --compile-bytecode $(EXTRAS); else \
	  { [ -x .venv/bin/uv ] || { $(PYTHON3) -m venv .venv && $(PYTHON) -m pip install --quiet uv; }; } \
	  && .venv/bin/uv sync --inexact --compile-bytecode $(EXTRAS); fi
	@touch $@
