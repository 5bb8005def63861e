"""Test that the page on corrections shows the real output."""

from __future__ import annotations

import doctest
from dataclasses import fields
from pathlib import Path

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.stock.guards.registry import GUARDS, STOPS_ALL
from cenports_nb.stock.guards.thresholds import Thresholds

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "corrections.md"


def test_the_page_shows_what_comes_out(client: cn.Client) -> None:
    """Each example runs on Northwind and prints the output on the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
    example = doctest.DocTestParser().get_doctest(text, {"client": client}, PAGE.name, str(PAGE), 0)
    with pd.option_context("display.width", 110, "display.max_columns", 20):
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.parametrize("name", GUARDS)
def test_the_page_covers_every_guard(name: str) -> None:
    """Each guard has a line, with a star if it stops everything."""
    assert f"\n| `{name}`{' *' if name in STOPS_ALL else ''} |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("field", fields(Thresholds), ids=lambda field: field.name)
def test_the_page_covers_every_threshold(field: object) -> None:
    """Each threshold is listed with its default."""
    value = f'"{field.default}"' if isinstance(field.default, str) else f"{field.default:_}"
    assert f"`{field.name}={value}`" in PAGE.read_text(encoding="utf-8")
