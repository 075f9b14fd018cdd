# One command each: `make run` for the product, `make test` for the proof. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What pytest runs and how: make test ARGS="tests/store -x"
ARGS ?=
# Two torch threads on a busy machine of two cores spin.
export OMP_NUM_THREADS ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK ?= 1

.PHONY: help
help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: $(READY) ## Run the whole product on embedded parts, with a small living world in it
	@$(BIN)/myriorama up

.PHONY: test
test: $(READY) browser ## Pass every test
	$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 20 $(ARGS)

.PHONY: check
check: $(READY) ## Check style, types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target mypy pyright

# Each reads everything on one core, so they go side by side.
.PHONY: mypy
mypy: $(READY)
	$(BIN)/mypy

.PHONY: pyright
pyright: $(READY)
	$(BIN)/pyright --pythonpath $(BIN)/python

.PHONY: bench
bench: $(READY) ## Print the benchmark table
	@$(BIN)/myriorama bench

.PHONY: crash
crash: $(READY) ## Kill everything again and again, then prove the logs (SECONDS=600 SEED=7)
	@$(BIN)/python -m tests.crash.campaign --folder .myriorama/crash \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED))

.PHONY: clean
clean: ## Remove what was built; your data in .myriorama stay
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .grimp_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: lock
lock: ## Pin what pyproject.toml asks for anew; pins that still fit stay (KEEP= for the newest of all)
	@sh .ci/lock $(if $(filter undefined,$(origin KEEP)),requirements.lock,$(KEEP))

# The tests of the pages need a browser; Debian's is fetched where we may, else we say how.
.PHONY: browser
browser:
	@sh .ci/browser

$(READY): requirements.lock pyproject.toml .ci/venv
	@sh .ci/venv $(VENV)
	@touch $(READY)
