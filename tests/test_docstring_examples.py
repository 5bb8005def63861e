"""The examples in docstrings run against a fresh sandbox, and every public function has one."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.clock import Clock
from cenports_nb.settings import resolve_settings

mpl.use("agg")

MODULES = {"errors", "schemas"}
FUNCTIONS = [name for name in cn.__all__ if name.islower() and name not in MODULES]
CLASSES = [*(name for name in cn.__all__ if not name.islower()), "Sandbox"]
CLASSES_TO_CALL = {"Dialect", "OrderExplorer", "Sandbox", "StockReview", "Submission", "TransactionTracker"}
RUNS_A_KERNEL = {"run_report"}


@pytest.fixture
def names() -> Iterator[dict[str, Any]]:
    """What a reader has after `client = cn.connect("sandbox")`, at noon of a Monday."""
    sandbox = Sandbox(rate_limit=None, clock=Clock(frozen_at=datetime(2026, 3, 2, 12, tzinfo=UTC)))
    with sandbox, Client(resolve_settings("sandbox", base_url=sandbox.url), clock=FakeClock(sandbox)) as client:
        yield {"cn": cn, "pd": pd, "client": client, "Sandbox": Sandbox}
    plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.kernel] * (name in RUNS_A_KERNEL)) for name in FUNCTIONS + CLASSES]
)
def test_examples_print_what_they_show(
    name: str, names: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every function, and every class that users call, has an example; examples of methods run too."""
    monkeypatch.chdir(tmp_path)
    examples = doctest.DocTestFinder().find(getattr(cn, name, Sandbox), name, module=False, globs=names)
    runner = doctest.DocTestRunner()
    with pd.option_context("display.width", 110, "display.max_columns", 20):
        for example in examples:
            runner.run(example)
    assert runner.failures == 0
    assert runner.tries > 0 or name not in {*FUNCTIONS, *CLASSES_TO_CALL}
