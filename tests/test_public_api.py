"""The public surface is explicit, sorted, and cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest

import cenports_nb as cn

HEAVY = (
    "deltalake",
    "duckdb",
    "ipywidgets",
    "matplotlib",
    "pandera",
    "papermill",
    "requests_cache",
    "pyarrow",
    "pandas",
    "requests",
)


def test_names_are_sorted_and_all_can_be_had() -> None:
    """`__all__` is sorted, and each name in it is there."""
    assert cn.__all__ == sorted(cn.__all__)
    assert [name for name in cn.__all__ if getattr(cn, name, None) is None] == []


def test_dir_shows_the_public_names_alone() -> None:
    """Completion after `cn.` offers what a person may use, and nothing else."""
    assert dir(cn) == cn.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A typing mistake raises what Python raises."""
    with pytest.raises(AttributeError, match="load_order"):
        _ = cn.load_order


def test_importing_costs_less_than_importing_pandas() -> None:
    """Nothing heavy is imported with the package, not even pandas."""
    code = "import cenports_nb, sys; print([name for name in sys.argv[1:] if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"environment": "prod"}, "no environment 'prod'"),
        ({}, "Say which account is meant"),
        ({"environment": "staging"}, "No credentials for 'staging'"),
        ({"environment": "staging", "client_id": "a"}, "partner_id, client_secret is missing"),
        ({"environment": "staging", "base_url": "http://example.com"}, "in clear"),
        ({"environment": "sandbox", "time_zone": "Mars"}, "no time zone 'Mars'"),
        ({"environment": "sandbox", "rate_limit": 0}, "rate limit"),
        ({"profile": "acme"}, "no profile 'acme'"),
    ],
)
def test_a_wrong_configuration_is_one_clear_line(arguments: dict[str, object], words: str) -> None:
    """What is wrong and what to do, before anything is sent."""
    with pytest.raises(cn.errors.ConfigurationError, match=words) as caught:
        cn.connect(**arguments)
    assert "\n" not in str(caught.value)
