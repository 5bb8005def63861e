"""Test the month-end report with an archive: changes since any earlier day."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.report_runs import build_environment, cards, run

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.reports import read_archived_inputs
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow


def connect_days_ago(url: str, days: int) -> Client:
    """Connect with the clock set back some days."""
    clock = FakeClock()
    clock.elapsed = (datetime.now(UTC) - timedelta(days=days) - clock.now()).total_seconds()
    return Client(resolve_settings("sandbox", base_url=url, rate_limit=100_000), clock=clock)


@pytest.mark.kernel
def test_the_report_tells_what_was_restated_since_an_earlier_day(tmp_path: Path) -> None:
    """No earlier report is needed, because the archive has the month as of that day."""
    with Sandbox(rate_limit=None) as sandbox:
        month = f"{(datetime.now(UTC).replace(day=1) - timedelta(days=40)):%Y-%m}"
        with connect_days_ago(sandbox.url, 3) as client:
            cn.open_archive(tmp_path / "archive").update(client, start=f"{month}-01")
        with sandbox.state.lock:
            order = next(each for each in sandbox.state.orders if f"{each.at:%Y-%m}" == month)
            record = copy.deepcopy(order.record)
            sandbox.state.orders.remove(order)
            record["lineItems"][0].update(quantity=91)
            sandbox.state.orders.add(record, acknowledged=True)
        since = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
        given = {"month": month, "archive": str(tmp_path / "archive"), "since": since}
        arguments = [word for name, value in given.items() for word in ("-p", f"{name}={value}")]
        ran = run(tmp_path, "month-end", "--env", "sandbox", "--html", *arguments, environ=build_environment(tmp_path, sandbox.url))  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "out" / "month-end.html").read_text("utf-8")
    assert f"Compared with the archive as of {since}." in page
    assert cards(page)[f"changes since {since}"] == "1"
    (folder,) = (tmp_path / "out" / "month-end").glob("*Z*")
    assert pd.read_csv(folder / "restated-lines.csv")["kind"].tolist() == ["quantity changed"]


def test_an_archive_needs_the_day_to_compare_with(tmp_path: Path, client: cn.Client) -> None:
    """Either argument without the other raises one sentence, and no folder is created."""
    month = object()
    with pytest.raises(cn.errors.InvalidRequestError, match="needs since="):
        read_archived_inputs(tmp_path / "nowhere", client, month, since="")  # type: ignore[arg-type]
    with pytest.raises(cn.errors.ConfigurationError, match="There is no archive in"):
        read_archived_inputs(tmp_path / "nowhere", client, month, since="2026-11-05")  # type: ignore[arg-type]
    assert not (tmp_path / "nowhere").exists()
