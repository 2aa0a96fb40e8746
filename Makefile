# Each target makes what it needs first: a machine with Python 3.11 or newer and make is enough.
PYTHON ?= python3
BIN := .venv/bin
TYPED := wrapper emulator codegen tools examples benchmarks tests/typing
PYTEST := $(BIN)/python -m pytest --quiet --numprocesses=4 --dist=worksteal
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test browser-test distributed-test frameworks-test checkout distributed-bulk check lint types \
	generated generate generate-next rehearse-httpx2 bench bench-check bench-codegen real-pages lines format build fuzz thorough bulk-soak \
	reliability docs docs-serve docs-test recording mutation oldest newest lock clean environment codegen-environment \
	browser-environment bench-environment distributed-environment docs-environment frameworks-environment

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

demo: environment ## turn the published document into a client and create an invoice with it, offline
	@PYTHON="$(PYTHON)" ./generate.sh
	@$(BIN)/tazapay-lightning demo

# Python may keep what it compiled, whatever the caller has set: the tests start hundreds of Pythons. Coverage is that of
# the wrapper by its own tests; counting it takes half as long again, so it is counted where COVERAGE=1 asks, as CI does.
WRAPPER_TESTS := tests/wrapper tests/journeys wrapper
OTHER_TESTS := $(filter-out tests/wrapper/ tests/journeys/ tests/support/ tests/typing/ tests/pages/,$(wildcard tests/*/)) \
	emulator codegen examples README.md CONTRIBUTING.md docs
test: export PYTHONDONTWRITEBYTECODE =
test: environment codegen-environment ## run the tests; ARGS="-k memo" selects some, COVERAGE=1 counts the wrapper's branches
ifneq ($(strip $(ARGS)),)
	@$(PYTEST) $(ARGS)
else ifneq ($(strip $(COVERAGE)),)
	@$(PYTEST) $(WRAPPER_TESTS) --cov --cov-report=term
	@$(PYTEST) $(OTHER_TESTS)
else
	@$(PYTEST) $(WRAPPER_TESTS) $(OTHER_TESTS)
endif

browser-test: browser-environment ## run the example shop and the emulator's page in Chromium (Debian's package), with screenshots
	@.venv-browser/bin/python -m pytest --quiet --confcutdir=tests/browser tests/browser $(ARGS)

checkout: environment ## run the example shop against the emulator: order, scan, pay, offline
	@$(BIN)/python -m examples.checkout $(ARGS)

distributed-bulk: distributed-environment ## bill orders from several processes, by Celery over Redis (Debian's package), against the emulator
	@.venv-distributed/bin/python -m examples.distributed_bulk $(or $(ARGS),--orders 500 --workers 2 --kill)

distributed-test: distributed-environment ## test that: workers killed in the middle, one invoice for each order
	@.venv-distributed/bin/python -m pytest --quiet --numprocesses=4 --dist=worksteal --confcutdir=tests/distributed \
		tests/distributed $(ARGS)

frameworks-test: frameworks-environment ## run the guides of docs/frameworks as their readers would: FastAPI, Django, Flask, Celery
	@.venv-frameworks/bin/python -m pytest --quiet --numprocesses=2 --dist=loadfile --confcutdir=tests/frameworks \
		tests/frameworks $(ARGS)

check: lint types generated ## lint, types, and whether the committed client is what the document generates

lint: environment
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: environment
	@$(BIN)/mypy $(TYPED)

generated:
	@PYTHON="$(PYTHON)" ./generate.sh --check

generate: ## regenerate the client from openapi.yaml and openapi.overlay.yaml
	@PYTHON="$(PYTHON)" ./generate.sh

generate-next: environment ## regenerate aside with the newest generator and report what would differ
	@$(BIN)/python tools/generate_next.py $(ARGS)

rehearse-httpx2: environment ## run the test suite in a scratch copy whose HTTP library is httpx2 (ten minutes)
	@$(PYTHON) tools/httpx2_rehearsal.py $(ARGS)

bench: bench-environment ## measure the client against its peers and write docs/performance.md (a quarter of an hour; close what else runs)
	@.venv-bench/bin/python -m benchmarks --write docs/performance.md $(ARGS)

bench-check: bench-environment ## measure, and fail for each limit that is missed
	@.venv-bench/bin/python -m benchmarks --check $(ARGS)

real-pages: codegen-environment ## import each published page of a folder into a scratch copy, and tell what comes of it: DIR=pages
	@PYTHONPATH=. .venv-codegen/bin/python -P tools/real_pages.py $(DIR)

bench-codegen: codegen-environment ## measure import, comparison and generation with 30, 100 and 300 operations
	@PYTHONPATH=. .venv-codegen/bin/python -P benchmarks/codegen_scale.py $(ARGS)

lines: environment ## count lines of code by room, without blank lines, comments and docstrings
	@$(BIN)/python tools/lines.py

format: environment ## format the handwritten code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

# Archives hold times: those of the last commit, so that everybody builds the same bytes from it.
build: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1764201600)
build: environment ## build the wheel and the source distribution into dist/, the same bytes everywhere
	@rm -rf dist
	@$(BIN)/python -m build --no-isolation
	@cd dist && sha256sum *

fuzz: environment ## 5,000 random replies, bodies and headers; the tests try 100
	@FUZZ_EXAMPLES=5000 $(BIN)/python -m pytest --quiet -p no:randomly tests/wrapper/transport/test_hostile_replies.py -k undocumented

thorough: environment codegen-environment ## the tests that otherwise take samples, in full (half an hour)
	@THOROUGH=1 $(PYTEST) tests $(ARGS)

bulk-soak: environment ## bill 20,000 orders, with 30 % of requests failing and the program killed: one invoice each (two minutes)
	@BULK_ROWS=20000 $(BIN)/python -m pytest --quiet tests/wrapper/cli/test_cli_bulk_killed.py

reliability: environment ## measure every fault against both clients and write the tables of docs/reliability.md
	@$(BIN)/python -m tools.reliability docs/reliability.md $(ARGS)

# The configuration names modules of tools/, which are found from here.
docs docs-serve: export PYTHONPATH = .
docs: docs-environment ## build the site of docs/ into site/, offline, and fail for a broken link or a foreign asset
	@.venv-docs/bin/zensical build --strict --clean
	@.venv-docs/bin/python -P -m tools.site_check site

docs-serve: docs-environment ## serve the site while you write
	@.venv-docs/bin/zensical serve $(ARGS)

docs-test: docs ## test the site that was built, and that the terminal recordings are what the commands show
	@SITE_TESTS=required .venv-docs/bin/python -m pytest --quiet --confcutdir=tests/site tests/site $(ARGS)

recording: docs-environment ## record the demonstration anew, as pictures of a terminal in docs/images/
	@.venv-docs/bin/python -m tools.recording docs/images

mutation: environment ## break the pure modules in 4,000 ways; fails if the tests notice less than 98 % of them (half an hour)
	@$(BIN)/python tools/mutation.py $(ARGS)

oldest: ## test the wrapper and the emulator with the oldest dependencies that pyproject.toml allows
	@$(PYTHON) tools/environment.py .venv-oldest requirements/oldest.txt --install-project
	@.venv-oldest/bin/python -m pytest --quiet --numprocesses=2 --dist=loadfile tests/wrapper tests/journeys tests/emulator wrapper emulator $(ARGS)

newest: ## test them with the newest, resolved in this run and not locked, and report what differs from the lock
	@$(PYTHON) tools/newest.py $(ARGS)

COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-strip-extras --quiet
lock: environment ## write the hash-locked requirements anew, with the newest versions that the .in files allow
	@cd codegen && ../$(BIN)/$(COMPILE) --upgrade requirements.in -o requirements.txt
	@cd requirements && ../$(BIN)/$(COMPILE) --upgrade --extra all dev.in ../pyproject.toml -o dev.txt
	@cd requirements && for name in browser bench distributed frameworks docs container; do \
		../$(BIN)/$(COMPILE) --extra all $$name.in ../pyproject.toml -o $$name.txt || exit; done
	@$(BIN)/python tools/pins.py requirements/tests.in requirements/dev.txt > .venv/test-tools.txt
	@cd requirements && ../$(BIN)/$(COMPILE) --upgrade --resolution lowest-direct --only-binary :all: \
		--constraint ../.venv/test-tools.txt --extra all tests.in ../pyproject.toml -o oldest.txt
	@cd requirements/pips && for name in *.in; do \
		../../$(BIN)/$(COMPILE) --upgrade $$name -o $${name%.in}.txt || exit; done

clean: ## remove everything that the targets made
	@rm -rf .venv .venv-codegen .venv-browser .venv-bench .venv-distributed .venv-docs .venv-frameworks .venv-oldest .venv-newest .venv*.lock .bench screenshots site .cache .codegen-scratch .next-generator .rehearsal .mutation dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

environment:
	@$(PYTHON) tools/environment.py .venv requirements/dev.txt --keep-wheels --download requirements/pips/*.txt \
		--install-project

codegen-environment:
	@$(PYTHON) tools/environment.py .venv-codegen codegen/requirements.txt

browser-environment:
	@$(PYTHON) tools/environment.py .venv-browser requirements/browser.txt --install-project

bench-environment:
	@$(PYTHON) tools/environment.py .venv-bench requirements/bench.txt --install-project

distributed-environment:
	@$(PYTHON) tools/environment.py .venv-distributed requirements/distributed.txt --install-project

docs-environment:
	@$(PYTHON) tools/environment.py .venv-docs requirements/docs.txt --install-project

frameworks-environment:
	@$(PYTHON) tools/environment.py .venv-frameworks requirements/frameworks.txt --install-project
