"""Importing the package is cheap: what is heavy loads at first use."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def imported() -> set[str]:
    """The modules that `import cenports_nb` loads, top-level names."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import cenports_nb"],
        capture_output=True,
        text=True,
        check=True,
    )
    names = [line.rpartition("|")[2].strip() for line in run.stderr.splitlines() if "|" in line]
    return {name.partition(".")[0] for name in names}


def test_the_measurement_sees_the_package_itself(imported: set[str]) -> None:
    """The list is not empty for another reason."""
    assert "cenports_nb" in imported


@pytest.mark.parametrize(
    "heavy",
    [
        "IPython",
        "deltalake",
        "duckdb",
        "ipywidgets",
        "keyring",
        "matplotlib",
        "msgspec",
        "nbconvert",
        "openpyxl",
        "pandas",
        "pandera",
        "papermill",
        "pyarrow",
        "requests",
        "requests_cache",
        "tqdm",
        "xlsxwriter",
    ],
)
def test_nothing_heavy_is_loaded_by_the_import_alone(imported: set[str], heavy: str) -> None:
    """Each of these costs more than the package itself, and waits until it is needed."""
    assert heavy not in imported


@pytest.mark.parametrize("command", [("submissions", "--help"), ("reports",)])
def test_the_command_line_starts_light(command: tuple[str, ...]) -> None:
    """What is heavy waits until a command works with data."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cenports_nb", *command],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in run.stderr.splitlines() if "|" in line}
    assert "typer" in names
    assert names.isdisjoint({"pandas", "requests", "keyring", "papermill", "nbformat", "IPython", "matplotlib"})
