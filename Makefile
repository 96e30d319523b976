# Everything a newcomer needs: `make demo` shows the hub at work, `make test` proves it. Nothing is installed outside .venv.
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements.lock
WORKERS ?= 2 # processes that run tests; each starts a hub with its sources
# Tests flush thousands of small databases and none pulls the plug: they lie in memory where 4 GB of it are free.
ROOMY := $(shell df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "/dev/shm" }')
BROWSED = $(or $(ARGS),$(sort $(shell grep -rlE '[.]browser\b' tests --include='test_*.py')))

# 5 = nothing to run, with ARGS=some/file. A browser is driven from an event loop of its own, so those tests run apart.
.PHONY: install demo test check lint bench soak lock clean

install: .venv/.installed

.venv/.installed: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	@test -d .venv || $(PYTHON) -m venv .venv
	@# The lock names everything: with --no-deps pip need not look for what a dependency wants with an extra (pydantic[email]), which it cannot find pinned.
	@echo "Installing the pinned libraries into .venv (once, about 30 s) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	@$(BIN)/integrator demo $(if $(ONCE),--once) $(if $(JSON),--json)

# Each hub and each source is a program of its own, started again and again: Python keeps what it compiled.
test soak: export PYTHONDONTWRITEBYTECODE :=
test soak: export TMPDIR := $(or $(ROOMY),$(TMPDIR),/tmp)

test: install
	@$(BIN)/integrator check
	@$(BIN)/pytest -q -m "not soak and not browser" --numprocesses $(WORKERS) $(ARGS) || test $$? = 5
	@$(BIN)/pytest -q -m "not soak and browser" --numprocesses $(WORKERS) $(BROWSED) || test $$? = 5

check: install
	@$(BIN)/integrator check

lint: install
	@$(BIN)/ruff check . && $(BIN)/mypy

bench: install
	@$(BIN)/python -P tests/bench/run.py $(ARGS)

soak: install
	@$(BIN)/pytest -q -m "soak or hypothesis" --hypothesis-profile soak $(ARGS)

lock: install
	@test -x .venv/lock/bin/uv || { $(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev --group build pyproject.toml -o $(LOCK)

clean:
	rm -rf .venv var
