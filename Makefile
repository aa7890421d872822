# Every target sets up what it needs in .venv; `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := interlock/*.py interlock/cli lang compiler plans gate stdlib_policies tests benchmarks

.PHONY: help demo test check lint format bench fuzz agreement vsix editors clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t 10

$(VENV)/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/ready-dev: $(VENV)/ready
	$(BIN)/python -m pip install --quiet --editable '.[prove,lsp,database]' --group dev
	touch $@

demo: $(VENV)/ready  ## gate two migrations and a Terraform plan: a denial, a permit, a hold
	@sh examples/demo.sh $(BIN)/interlock

test: $(VENV)/ready-dev  ## run the tests
	$(BIN)/python -m pytest -q -n auto

check: lint test  ## format, lint, types, imports, policies, tests

lint: $(VENV)/ready-dev  ## format, lint, types, imports and policies, without the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/interlock fmt --check stdlib_policies
	$(BIN)/interlock check stdlib_policies
	$(BIN)/interlock test --coverage stdlib_policies
	$(BIN)/interlock prove --coverage stdlib_policies

format: $(VENV)/ready-dev  ## format code and policies
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/interlock fmt stdlib_policies

bench: $(VENV)/ready-dev  ## measure what things cost, beside the peers that install, and write docs/performance.md
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/blast.py
	$(BIN)/python benchmarks/sources.py
	$(BIN)/python benchmarks/sql_statements.py
	$(BIN)/python benchmarks/proofs.py
	$(BIN)/python benchmarks/globs_corpus.py
	$(BIN)/python benchmarks/editor.py
	-$(BIN)/python -m pip install --quiet --group peers
	$(BIN)/python benchmarks/evaluator.py --json benchmarks/results/evaluator.json
	$(BIN)/python benchmarks/page.py

fuzz: $(VENV)/ready-dev  ## the property tests with many more cases, then every parser for ten minutes (about four hours)
	INTERLOCK_TESTS=long $(BIN)/python -m pytest -q -n auto tests
	$(BIN)/python tests/fuzz_sources.py --seconds 600

agreement: $(VENV)/ready-dev  ## 100,000 generated requests before every back end; goes on where it stopped
	$(BIN)/python tests/agreement.py

vsix:  ## build the VS Code extension into build/interlock.vsix
	cd editors/vscode && npm ci --no-audit --no-fund --ignore-scripts
	cp LICENSE editors/vscode/LICENSE
	mkdir -p build
	cd editors/vscode && npx --no-install vsce package --no-dependencies --out ../../build/interlock.vsix

editors: $(VENV)/ready-dev  ## real editors with the real server, newer ones and VS Code among them; renews the pictures of docs/editors.md (slow)
	rm -rf build/pictures
	INTERLOCK_EDITORS=yes $(BIN)/python -m pytest -q -rs tests/test_editors_*.py tests/test_lsp_editors.py
	for picture in docs/images/*.png; do test ! -e build/pictures/$${picture##*/} || cp build/pictures/$${picture##*/} $$picture; done

clean:  ## remove everything that was set up or built
	rm -rf $(VENV) build dist *.egg-info .agreement .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache editors/vscode/node_modules editors/vscode/dist editors/vscode/LICENSE
