# Before a commit: what reads the code, then all tests. `.ci/run` is the whole gate, on a clean checkout.
check: static test

# All that a developer runs all day: no browser, no kernels, nothing slow.
quick *args:
    pytest -m "not (browser or kernel or slow or thorough)" --hypothesis-profile quick {{args}}

test *args:
    pytest {{args}}

# With what the suite leaves out: long rounds, object stores and clusters; and properties with many more examples.
thorough *args:
    pytest -m "" --hypothesis-profile thorough {{args}}

# Everything that reads the code and runs nothing.
static: format lint types imports notebooks

# What `fix` would change.
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

# Type-check and run a consumer of the built wheel; in a virtual environment of its own, if none is named.
consumer venv="":
    .ci/consumer {{venv}}

# Fix what can be fixed automatically.
fix:
    ruff check --fix .
    ruff format .
    nbstripout notebooks/*/*.ipynb
