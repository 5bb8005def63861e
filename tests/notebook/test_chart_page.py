"""Test that the page on charts shows the real output."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt

import cenports_nb as cn

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "charts.md"

mpl.use("agg")


def test_the_page_on_charts_tells_the_truth(client: cn.Client) -> None:
    """Every example runs and prints the output on the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
    example = doctest.DocTestParser().get_doctest(text, {"client": client}, PAGE.name, str(PAGE), 0)
    result = doctest.DocTestRunner().run(example)
    plt.close("all")
    assert result.attempted > 15
    assert result.failed == 0


def test_the_page_covers_every_chart() -> None:
    """Each chart has its call on the page, and each picture exists."""
    text = PAGE.read_text(encoding="utf-8")
    assert [name for name in cn.__all__ if name.startswith("plot_") and f"`{name}(" not in text] == []
    assert [name for name in re.findall(r"\]\((images/[^)]+)\)", text) if not (PAGE.parent / name).exists()] == []
