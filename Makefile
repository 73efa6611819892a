# Needs Python >= 3.11 with its venv module. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
NOTEBOOKS := $(wildcard book/[0-9]*.ipynb)

.PHONY: help book serve test lab execute lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

book: .venv/book.done ## build the site in _build/html
	@# A failed build leaves pages that the next one would take for good: remove them.
	$(BIN)/jupyter-book build . --warningiserror --keep-going --quiet || { rm -rf _build; exit 1; }
	@echo "The book is built: open _build/html/index.html, or run 'make serve'."

serve: book ## show the site on http://localhost:8000
	$(BIN)/python -m http.server --bind localhost --directory _build/html 8000

test: .venv/all.done ## run every test and re-execute every notebook
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

lab: .venv/all.done ## open the chapters in JupyterLab
	$(BIN)/jupyter-lab book

execute: .venv/all.done ## run all notebooks again and store their outputs
	$(BIN)/python tools/execute.py $(NOTEBOOKS)

lock: ## pin the newest releases of what pyproject.toml asks for (needs uv)
	uv pip compile --universal --python-version 3.11 --fork-strategy fewest --no-annotate \
	  --custom-compile-command 'make lock' --quiet --upgrade --group all -o requirements.txt
	uv pip compile --universal --python-version 3.11 --fork-strategy fewest --no-annotate \
	  --custom-compile-command 'make lock' --quiet --group book -c requirements.txt -o requirements-book.txt

clean: ## remove the site and the installed packages
	rm -rf _build .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/book.done: requirements-book.txt | .venv/bin/python
	@echo "Installing what the site needs (half a minute) ..."
	$(PIP) -r requirements-book.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# d2l 1.0.3 pins packages of 2023 that no longer install, so it comes without its dependencies.
.venv/all.done: requirements.txt .venv/book.done
	@echo "Installing PyTorch and what the tests need (two minutes, some GB) ..."
	$(PIP) -r requirements.txt
	$(PIP) --no-deps d2l==1.0.3
	@touch $@
