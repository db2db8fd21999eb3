# make app   opens the app; makes .venv and installs what it needs first
# make test  every gate and every test, as CI runs them
PYTHON ?= python3
BIN := .venv/bin

.PHONY: app test lint types rules unit browser fuzz zoo format clean

app: .venv/app
	$(BIN)/streamlit run app/main.py

test: lint types rules unit browser

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/dev
	$(BIN)/mypy

rules: .venv/dev
	$(BIN)/lint-imports

unit: .venv/dev
	$(BIN)/python -m pytest -n 2 -m "not browser"

# New random examples for every property, ROUNDS times over.
ROUNDS ?= 10
fuzz: .venv/dev
	for round in $$(seq $(ROUNDS)); do FUZZ=1 $(BIN)/python -m pytest -n 2 -m "hypothesis and not browser" tests || exit 1; done

browser: .venv/dev .venv/chromium
	$(BIN)/python -m pytest -n 2 -m browser tests

zoo: .venv/app
	$(BIN)/python -m dgm_core zoo

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.venv/app: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "Python 3.11 to 3.13 is needed; try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt .venv/app
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $@

# A Chromium for the browser tests: the machine's own, else Playwright's, else the package manager's.
.venv/chromium: .venv/dev
	@command -v chromium || command -v chromium-browser || command -v google-chrome \
		|| $(BIN)/playwright install --with-deps chromium \
		|| { apt-get update && apt-get install -y chromium; }
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis
