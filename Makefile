# Each target makes what it needs first: a machine with Python 3.11 or newer and make is enough.
PYTHON ?= python3
BIN := .venv/bin
TYPED := wrapper emulator codegen tools examples benchmarks tests/typing
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test browser-test checkout check generate generate-next rehearse-httpx2 bench-codegen format build fuzz reliability mutation lock clean environment

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

demo: environment ## turn the published document into a client and create an invoice with it, offline
	@PYTHON="$(PYTHON)" ./generate.sh
	@$(BIN)/tazapay-lightning demo

test: environment ## run the tests; ARGS="-k memo" selects some
	@$(BIN)/python -m pytest --quiet --numprocesses=2 --dist=loadfile $(if $(ARGS),--no-cov $(ARGS),--cov --cov-report=term)

browser-test: ## run the example shop in Chromium (Debian's package), with screenshots
	@$(PYTHON) tools/environment.py .venv-browser requirements/browser.txt --install-project
	@.venv-browser/bin/python -m pytest --quiet --confcutdir=tests/browser tests/browser $(ARGS)

checkout: environment ## run the example shop against the emulator: order, scan, pay, offline
	@$(BIN)/python -m examples.checkout $(ARGS)

check: environment ## lint, types, and whether the committed client is what the document generates
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(TYPED)
	@PYTHON="$(PYTHON)" ./generate.sh --check

generate: ## regenerate the client from openapi.yaml and openapi.overlay.yaml
	@PYTHON="$(PYTHON)" ./generate.sh

generate-next: environment ## regenerate aside with the newest generator and report what would differ
	@$(BIN)/python tools/generate_next.py $(ARGS)

rehearse-httpx2: environment ## run the test suite in a scratch copy whose HTTP library is httpx2 (ten minutes)
	@$(PYTHON) tools/httpx2_rehearsal.py $(ARGS)

bench-codegen: ## measure import, comparison and generation with 30, 100 and 300 operations
	@$(PYTHON) tools/environment.py .venv-codegen codegen/requirements.txt
	@PYTHONPATH=. .venv-codegen/bin/python -P benchmarks/codegen_scale.py $(ARGS)

format: environment ## format the handwritten code
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

build: environment ## build the wheel and the source distribution into dist/
	@$(BIN)/python -m build --no-isolation

fuzz: environment ## 5,000 random replies, bodies and headers; the tests try 500
	@FUZZ_EXAMPLES=5000 $(BIN)/python -m pytest --quiet -p no:randomly tests/wrapper/test_hostile_replies.py -k undocumented

reliability: environment ## measure every fault against both clients and write the table of docs/reliability.md
	@$(BIN)/python tools/reliability.py docs/reliability.md

mutation: environment ## break the pure modules in 1,700 ways; fails if the tests notice less than 90 % of them (ten minutes)
	@$(BIN)/python tools/mutation.py $(ARGS)

lock: environment ## write the hash-locked requirements anew, with the newest versions that the .in files allow
	@cd codegen && ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet --upgrade requirements.in -o requirements.txt
	@cd requirements && ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet --upgrade --extra all dev.in ../pyproject.toml -o dev.txt
	@cd requirements && ../$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--quiet --extra all browser.in ../pyproject.toml -o browser.txt

clean: ## remove everything that the targets made
	@rm -rf .venv .venv-codegen .venv-browser .venv*.lock screenshots .codegen-scratch .next-generator .rehearsal .mutation dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

environment:
	@$(PYTHON) tools/environment.py .venv requirements/dev.txt --keep-wheels --install-project
