# A virtual environment with a CPU build of torch; users who install the package choose their own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
TORCH ?= torch==2.13.0

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint artifacts space clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(READY)  ## Make the virtual environment

$(READY): setup.cfg pyproject.toml Makefile
	"$(PYTHON)" -m venv "$(VENV)"
	"$(BIN)/pip" install --quiet --no-deps --retries 1 --extra-index-url https://download.pytorch.org/whl/cpu "$(TORCH)"
	"$(BIN)/pip" install --quiet --editable ".[test]"
	@touch "$@"

demo: setup  ## Predict the expression of the example promoters
	@"$(BIN)/dream-bert" predict examples/promoters.fa | expand -t 18

test: setup lint  ## Run the linters and the tests
	"$(BIN)/python" -m pytest

lint: setup  ## Check style and spelling
	PATH="$(CURDIR)/$(BIN):$$PATH" pre-commit run --all-files

artifacts: setup  ## Rebuild tokenizer/ and the code beside the shipped weights
	"$(BIN)/python" -m dream_bert.artifacts

space: setup  ## Build the page that predicts in the browser (needs npm) and serve it on this machine
	npm --prefix space ci --ignore-scripts --no-audit --no-fund
	"$(BIN)/python" space/build.py
	"$(BIN)/python" space/serve.py

clean:  ## Remove the virtual environment and what tools left behind
	rm -rf "$(VENV)" .pytest_cache .ruff_cache .hypothesis *.egg-info build space/dist space/node_modules
