"""Test that the page on orders shows the real output."""

from __future__ import annotations

import doctest
from pathlib import Path

import pandas as pd
import pytest

import cenports_nb as cn

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "orders.md"


def test_the_page_shows_what_comes_out(client: cn.Client, tmp_path: Path) -> None:
    """Each example runs on Northwind and prints the output on the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
    names = {"client": client, "folder": tmp_path}
    example = doctest.DocTestParser().get_doctest(text, names, PAGE.name, str(PAGE), 0)
    with pd.option_context("display.width", 110, "display.max_columns", 20, "display.max_colwidth", 80):
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.parametrize(
    "name", ["acknowledge_orders", "acknowledge_shipments", "create_channel", "create_orders", "hand_over"]
)
def test_the_page_covers_every_function(name: str) -> None:
    """Each function has a heading."""
    assert f": `{name}(" in PAGE.read_text(encoding="utf-8")
