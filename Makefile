# Needs Python >= 3.11 with its venv module. `make help` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --no-compile
BUILD := $(BIN)/python -m tools.site
# `make test CPU=1` leaves the CUDA packages out, for machines without a GPU.
CPU_INDEX := --extra-index-url https://download.pytorch.org/whl/cpu
LANGUAGES := $(shell sed -n 's/^languages: *\[\([a-z, ]*\)\].*/\1/p' _config.yml | tr , ' ')
# Said on the command line, LANG is the book's language, not the machine's.
ifeq ($(origin LANG),command line)
EDITION := $(LANG)
unexport LANG
endif

# SOLUTIONS=no leaves them out of the site, EPUB, PDF and notebooks; always, if
# _config.yml says so.
SOLUTIONS ?= $(shell sed -n 's/^solutions: *\([a-z]*\).*/\1/p' _config.yml)
export BOOK_SOLUTIONS := $(SOLUTIONS)
DOWNLOADS := _build/$(if $(filter no,$(SOLUTIONS)),no-solutions,downloads)

.PHONY: help book class epub pdf proof serve check style test mutants bench matrix lab locale execute lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

book: .venv/book.done ## build the site, in both languages, in _build/html
	$(BUILD)
	@echo "The book is built: open _build/html/index.html, or run 'make serve'."

epub: .venv/book.done ## write the book as EPUB, in both languages, to _build/downloads
	rm -rf _build/*/_build/epub
	$(BUILD) -- --builder custom --custom-builder epub
	$(foreach l,$(LANGUAGES),mkdir -p $(DOWNLOADS)/$l && \
	  mv _build/$l/_build/epub/linreg.epub $(DOWNLOADS)/$l/linreg-$l.epub &&) true

pdf: .venv/all.done ## print the book as PDF, in both languages: some minutes (needs Chromium)
	$(BUILD) -- --builder singlehtml
	$(foreach l,$(LANGUAGES),$(BIN)/python -m tools.pdf _build/$l/_build/singlehtml \
	  $(DOWNLOADS)/$l/linreg-$l.pdf &&) true

proof: .venv/all.done ## look at the EPUBs and PDFs of `make epub pdf book` (Java; a minute)
	$(BIN)/pytest -n 0 tests/site/proof.py

serve: book ## show the site on http://localhost:8000
	$(BIN)/python -m http.server --bind localhost --directory _build/html 8000

class: .venv/all.done ## write assignments for nbgrader to class/; in English: make class LANG=en
	BOOK_LANGUAGE=$(or $(EDITION),$(firstword $(LANGUAGES))) $(BIN)/python -m tools.assignments $(NOTEBOOKS)

check: style ## half a minute: style, unit tests, and the chapters you changed
	OMP_NUM_THREADS=1 $(BIN)/python -m tools.check

test: style ## run every test and re-execute every notebook
	$(BIN)/deptry .
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 3 -rs

style: .venv/all.done
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

mutants: .venv/all.done ## plant faults in the core, and list those that its tests miss (a minute)
	OMP_NUM_THREADS=1 $(BIN)/mutmut run --max-children 2
	$(BIN)/mutmut results

# A run that is interrupted, or that the book's words do not fit, leaves the
# stored figures as they were.
bench: .venv/all.done ## measure chapters 15 to 17 again (a quiet machine, root)
	OMP_NUM_THREADS=1 $(BIN)/pytest benchmarks/bench_speed.py -o addopts= -v \
	  --benchmark-disable-gc --benchmark-timer=time.process_time \
	  --benchmark-columns=min,rounds --benchmark-json=benchmarks/results.new
	$(BIN)/python -m benchmarks.bench_files > benchmarks/files.new
	$(BIN)/python -m benchmarks.bench_processes > benchmarks/processes.new
	$(BIN)/python -m benchmarks.bounds --ending new
	$(foreach f,results files processes,mv benchmarks/$f.new benchmarks/$f.json &&) true

matrix: .venv/all.done ## the notebooks on Python 3.11 to 3.13, old and new torch, 1 to 4 threads
	$(BIN)/nox

lab: .venv/all.done ## open the chapters in JupyterLab; in English: make lab LANG=en
ifeq ($(EDITION),en)
	$(BIN)/python -m tools.english book-en
endif
	$(BIN)/jupyter-lab $(if $(filter en,$(EDITION)),book-en,book)

locale: .venv/all.done ## bring the English catalogs up to date with the Chinese pages
	$(BIN)/python -m tools.catalogs

execute: .venv/all.done ## run all notebooks of _toc.yml again and store their outputs
	$(BIN)/python -m tools.execute $(NOTEBOOKS)

lock: ## pin the newest releases of what pyproject.toml asks for (needs uv)
	uv pip compile --universal --python-version 3.11 --fork-strategy fewest --no-annotate \
	  --custom-compile-command 'make lock' --quiet --upgrade --group all -o requirements.txt

clean: ## remove the site and the installed packages
	rm -rf _build .venv tools/web/node_modules

.venv/bin/python:
	@echo "Making .venv, where everything that the book needs will be ..."
	@$(PYTHON) -m venv .venv

.venv/book.done: requirements.txt tools/web/package-lock.json | .venv/bin/python
	@echo "Installing what the site needs (half a minute) ..."
	$(PIP) --constraint requirements.txt pip
	$(PIP) --constraint requirements.txt --group book
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m tools.npm --omit=dev
	@touch $@

.venv/all.done: .venv/book.done
	@echo "Installing PyTorch and what the tests need (two minutes, some GB) ..."
	grep -vE '$(if $(CPU),^(nvidia|cuda|triton),^$$)' requirements.txt > .venv/pins.txt
	$(PIP) -r .venv/pins.txt $(if $(CPU),$(CPU_INDEX))
	$(PIP) --no-deps --group d2l
	$(BIN)/python -m tools.browser
	$(BIN)/python -m tools.npm
	@touch $@
