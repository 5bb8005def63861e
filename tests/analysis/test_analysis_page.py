"""Test that the examples on the analysis page print what the page shows."""

from __future__ import annotations

import doctest
from pathlib import Path

import pandas as pd
import pytest

import cenports_nb as cn

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "analysis.md"
WIDE = ("display.width", 110, "display.max_columns", 20)


@pytest.mark.slow
def test_the_page_shows_what_comes_out(client: cn.Client) -> None:
    """Each example runs on Northwind and prints the output on the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
    example = doctest.DocTestParser().get_doctest(text, {"client": client}, PAGE.name, str(PAGE), 0)
    with pd.option_context(*WIDE):
        result = doctest.DocTestRunner().run(example)
    assert result.attempted > 15
    assert result.failed == 0


@pytest.mark.parametrize(
    "name",
    ["changes", "match_shipments", "order_ages", "restatement", "stock_cover", "summarize_sales", "summarize_stock"],
)
def test_the_page_covers_every_function(name: str) -> None:
    """Every function has a heading and a formula on the page."""
    assert f": `{name}(" in PAGE.read_text(encoding="utf-8")
