# A virtual environment with a CPU build of torch; users who install the package choose their own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# All but torch has one version and its hashes; of torch's builds, that for the machine.
LOCK := requirements-ci.txt
TORCH ?= torch==2.13.0
TORCH_LOWEST ?= torch==2.10.0
PLAYWRIGHT := playwright==1.65.2
TEACHER := h5py==3.16.0 pyjaspar==4.0.0
WORKERS ?= 2
PYTEST = "$(BIN)/python" -m pytest -n $(WORKERS) --dist loadfile
CPU_BUILDS := https://download.pytorch.org/whl/cpu
COMPILE := --quiet --python-version 3.11 --extra test --extra docs --fork-strategy fewest --generate-hashes \
	--no-annotate --excludes .ci/gpu-packages.txt --no-emit-package torch --no-emit-package dream-promoter-bert \
	--custom-compile-command 'make lock' setup.cfg

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit test-slow coverage test-lowest page-tools teacher-tools lint lock audit artifacts docs dist notebooks space clean

# As many processes as cores: threads of each would only wait for one another.
unit test-slow coverage: export OMP_NUM_THREADS ?= 1

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(READY)  ## Make the virtual environment

# Where the CPU builds cannot be reached, pip takes what it finds of the version that the tests are written for. That may
# be a CUDA build, which cannot be imported without the libraries that it asks for.
$(READY): $(LOCK) setup.cfg pyproject.toml Makefile
	"$(PYTHON)" -m venv "$(VENV)"
	"$(BIN)/pip" install --quiet --no-deps --retries 1 --index-url $(CPU_BUILDS) "$(TORCH)" || \
		"$(BIN)/pip" install --quiet torch==2.13.0
	"$(BIN)/pip" install --quiet --no-deps --require-hashes --requirement $(LOCK)
	"$(BIN)/pip" install --quiet --no-deps --no-build-isolation --editable .
	@touch "$@"

demo: setup  ## Predict the expression of the example promoters
	@"$(BIN)/dream-bert" predict examples/promoters.fa | expand -t 18

test: lint unit  ## Run the linters and the quick tests

unit: setup
	$(PYTEST) -m "not slow"

test-slow: setup  ## Run the other tests; those of the page need `make page-tools` and chromium
	$(PYTEST) -m slow

coverage: setup  ## Run all tests with branch coverage, at least 95 %
	$(PYTEST) --cov

test-lowest:  ## Run the quick tests with the lowest versions that setup.cfg allows
	$(MAKE) unit VENV=$(VENV)-lowest LOCK=requirements-lowest.txt TORCH=$(TORCH_LOWEST)

page-tools: setup  ## Install what the page's tests drive a browser with (needs npm)
	npm --prefix space ci --ignore-scripts --no-audit --no-fund
	"$(BIN)/pip" install --quiet $(PLAYWRIGHT)

teacher-tools: setup  ## Install what the tests of the extra `teacher` need
	"$(BIN)/pip" install --quiet $(TEACHER)

lint: setup  ## Check style and spelling
	PATH="$(CURDIR)/$(BIN):$$PATH" pre-commit run --all-files

$(VENV)-tools/ready: Makefile
	"$(PYTHON)" -m venv "$(VENV)-tools"
	"$(VENV)-tools/bin/pip" install --quiet 'uv>=0.9' 'pip-audit>=2.9'
	@touch "$@"

lock: $(VENV)-tools/ready  ## Choose all versions anew: the newest for CI, and the lowest of setup.cfg
	echo "$(TORCH)" | "$(VENV)-tools/bin/uv" pip compile $(COMPILE) --upgrade --universal --constraint - -o requirements-ci.txt
	"$(VENV)-tools/bin/uv" pip compile $(COMPILE) --upgrade --resolution lowest-direct -o requirements-lowest.txt

audit: $(VENV)-tools/ready  ## Look for known vulnerabilities in the versions chosen
	for lock in requirements-ci.txt requirements-lowest.txt; do \
		"$(VENV)-tools/bin/pip-audit" --strict --disable-pip --requirement $$lock || exit 1; done

artifacts: setup  ## Rebuild the tokenizers that are committed
	"$(BIN)/python" -m dream_bert.export.checkpoint

docs: setup  ## Build the documentation into docs/_build
	"$(BIN)/python" -m sphinx -W --keep-going -q -c docs . docs/_build

dist: setup  ## Build the wheel and the source archive into dist, and check what an index reads of them
	rm -rf dist
	"$(BIN)/python" -m build --no-isolation
	"$(BIN)/python" -m twine check --strict dist/*

notebooks: setup  ## Execute the tutorials, and write their outputs into them
	OMP_NUM_THREADS=1 "$(BIN)/python" docs/run_notebooks.py

space: setup  ## Build the page that predicts in the browser (needs npm) and serve it on this machine
	npm --prefix space ci --ignore-scripts --no-audit --no-fund
	"$(BIN)/python" space/build.py
	"$(BIN)/python" space/serve.py

clean:  ## Remove the virtual environment and what tools left behind
	rm -rf "$(VENV)" "$(VENV)-lowest" "$(VENV)-tools" .pytest_cache .ruff_cache .hypothesis *.egg-info build dist docs/_build space/dist space/node_modules
