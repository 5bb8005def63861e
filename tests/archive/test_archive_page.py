"""Test the examples of docs/guides/archive.md and docs/guides/scale.md."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from support.fake_clock import FakeClock

from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.clock import Clock
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
WIDE = ("display.width", 110, "display.max_columns", 20)


@pytest.mark.parametrize("page", [GUIDES / "archive.md", GUIDES / "scale.md"], ids=lambda page: page.stem)
def test_examples_run(tmp_path: Path, page: Path) -> None:
    """A page shows the output of Northwind as of 1998-05-07."""
    clock = Clock(frozen_at=datetime(1998, 5, 7, tzinfo=UTC))
    with Sandbox(shift=False, rate_limit=None, clock=clock) as sandbox:
        settings = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000)
        with Client(settings, clock=FakeClock(sandbox)) as client:
            text = page.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
            names = {"client": client, "folder": tmp_path / "archive"}
            example = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), 0)
            with pd.option_context(*WIDE):
                result = doctest.DocTestRunner().run(example)
    assert result.attempted > 7
    assert result.failed == 0
