# The whole gate, the same here and in CI.
check: format lint types imports notebooks test

# What `check` would change.
format:
    ruff format --check .

lint:
    ruff check .

types:
    mypy

imports:
    lint-imports

# Notebooks are stored without outputs.
notebooks:
    nbstripout --verify notebooks/*/*.ipynb

test *args:
    pytest {{args}}

# Mend what can be mended by itself.
fix:
    ruff check --fix .
    ruff format .
    nbstripout notebooks/*/*.ipynb
