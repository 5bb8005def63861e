"""Test that the page on the explorer shows the real output."""

from __future__ import annotations

import doctest
from pathlib import Path

import cenports_nb as cn

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "explorer.md"


def test_the_page_shows_what_comes_out(client: cn.Client) -> None:
    """Each example runs on Northwind and prints the output on the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
    example = doctest.DocTestParser().get_doctest(text, {"client": client}, PAGE.name, str(PAGE), 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert result.attempted == 8
    assert result.failed == 0
