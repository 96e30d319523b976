# Everything a newcomer needs: `make demo` shows the hub at work, `make test` proves it. Nothing is installed outside .venv.
PYTHON ?= python3
BIN := .venv/bin
LOCK := requirements.lock
WORKERS ?= 2 # processes that run tests; each starts a hub with its sources

# 5 = nothing to run, with ARGS=some/file. A browser is driven from an event loop of its own, so those tests run apart.
.PHONY: install demo test check lint bench soak lock clean

install: .venv/.installed

.venv/.installed: $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.12 …")'
	@test -d .venv || $(PYTHON) -m venv .venv
	@echo "Installing the pinned libraries into .venv (once, about 30 s) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r $(LOCK)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: install
	@$(BIN)/integrator demo $(if $(ONCE),--once) $(if $(JSON),--json)

test: install
	@$(BIN)/integrator check
	@$(BIN)/pytest -q -m "not soak and not browser" --numprocesses $(WORKERS) $(ARGS) || test $$? = 5
	@$(BIN)/pytest -q -m "not soak and browser" --numprocesses $(WORKERS) $(ARGS) || test $$? = 5

check: install
	@$(BIN)/integrator check

lint: install
	@$(BIN)/ruff check . && $(BIN)/mypy

bench: install
	@$(BIN)/python -P tests/bench/run.py $(ARGS)

soak: install
	@$(BIN)/pytest -q -m soak $(ARGS)

lock: install
	@test -x .venv/lock/bin/uv || { $(PYTHON) -m venv .venv/lock && .venv/lock/bin/python -m pip install --quiet --disable-pip-version-check uv; }
	@.venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --group dev --group build pyproject.toml -o $(LOCK)

clean:
	rm -rf .venv var
