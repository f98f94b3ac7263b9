# Every target sets up what it needs first; nothing outside this folder is changed except that
# poppler is installed when it is missing and rights allow it.

# The Python that the virtual environment is made from (3.11 or newer); unless it is named, that of
# the environment there is, which may have been made from another than python3.
PYTHON ?= $(shell .venv/bin/python -c '' 2>/dev/null && echo .venv/bin/python || echo python3)
# Documents of your own for `make demo`; without them a synthetic batch is drawn.
FILES ?=
# More arguments for pytest or `hwr bench`: make test ARGS="tests/unit -x", make bench ARGS=--quick
ARGS ?=

BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: setup demo test check bench clean

setup: $(STAMP)

$(STAMP): pyproject.toml deploy/constraints.txt scripts/setup.sh
	@PYTHON="$(PYTHON)" bash scripts/setup.sh
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/python -m workers.demo $(FILES) --out demo-output

# One thread a process: threads of PyTorch that share a core with another's wait for each other.
test: $(STAMP)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(STAMP)
	@$(BIN)/hwr bench $(ARGS)

clean:
	rm -rf .venv build demo-output bench-output .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
