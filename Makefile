PYTHON ?= python3
INSTALLED := .venv/.installed

.PHONY: help study test types behaviour test-full docs demo-editions lock clean

help:
	@echo "make study      install into .venv, run the study for every branch, build the website"
	@echo "make test       install into .venv, check style, types, architecture and behaviour"
	@echo "make test-full  the same, with the large samples"
	@echo "make docs       write outputs/api/: what every function takes and returns, from its docstring"
	@echo "make demo-editions  two simulated vintages, their revisions and accuracy, in outputs/demo-site"
	@echo "make lock       write requirements.lock again from pyproject.toml (needs uv)"
	@echo "make clean      remove .venv; outputs/ stays"

demo-editions: $(INSTALLED)
	@.venv/bin/opmq edition demo

study: $(INSTALLED)
	@.venv/bin/opmq study

test: $(INSTALLED)
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports
	@.venv/bin/python tests/house.py
	@$(MAKE) --no-print-directory --jobs=2 types behaviour

types:
	@.venv/bin/mypy

behaviour:
	@.venv/bin/pytest -n auto --dist loadfile --no-loadscope-reorder

test-full: export OPMQ_TEST_FULL = 1
test-full: test

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	@echo "Installing into .venv (a few minutes the first time) …"
	@test -d .venv || $(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

docs: $(INSTALLED)
	@.venv/bin/pdoc --docformat google --output-directory outputs/api opmq_lib
	@echo "Open      outputs/api/index.html in a browser; no server needed."

lock:
	uv pip compile pyproject.toml --extra test --extra docs --group build --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.lock

clean:
	rm -rf .venv
