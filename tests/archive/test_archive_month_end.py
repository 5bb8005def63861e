"""Test the month-end report with an archive: changes since any earlier day."""

from __future__ import annotations

import copy
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.report_runs import build_environment, cards, run

import cenports_nb as cn
from cenports_nb.analysis.month import parse_month
from cenports_nb.api.client import Client
from cenports_nb.notebook.report_page import ReportAccounts
from cenports_nb.reports import read_archived_inputs
from cenports_nb.sandbox import Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow


def connect_days_ago(url: str, days: int, profile: str | None = None) -> Client:
    """Connect with the clock set back some days."""
    clock = FakeClock()
    clock.elapsed = (datetime.now(UTC) - timedelta(days=days) - clock.now()).total_seconds()
    settings = resolve_settings("sandbox", profile=profile, base_url=url, rate_limit=100_000)
    return Client(settings, clock=clock)


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


def test_an_archive_of_several_accounts_is_compared_with_all_of_them(tmp_path: Path, home: Path) -> None:
    """The frames have `account` in front, as those that the report loads."""
    (home / "profiles.toml").write_text("".join(f'[{name}]\nenvironment = "sandbox"\n' for name in ("acme", "globex")))
    today = datetime.now(UTC)
    month = parse_month(f"{today.replace(day=1) - timedelta(days=40):%Y-%m}", today.date())  # over for more than 3 days
    with ExitStack() as stack:
        shops = [stack.enter_context(Sandbox(rate_limit=None)) for _ in range(2)]
        names = ("globex", "acme")
        clients = [
            stack.enter_context(connect_days_ago(shop.url, 3, name)) for shop, name in zip(shops, names, strict=True)
        ]
        cn.open_archive(tmp_path / "archive").update(clients, start=f"{month.name}-01")
        accounts = ReportAccounts(clients, several=True)
        since = f"{today - timedelta(days=1):%Y-%m-%d}"
        inputs = read_archived_inputs(tmp_path / "archive", accounts, month, since=since)
        loaded = cn.load_line_items(clients, month.start, month.end)
    before = inputs.read("line-items")
    assert before.columns[0] == "account"
    assert before["account"].value_counts().to_dict() == loaded["account"].value_counts().to_dict()
    assert len(cn.restatement(before, loaded).lines) == 0


def test_an_archive_needs_the_day_to_compare_with(tmp_path: Path, client: cn.Client) -> None:
    """Either argument without the other raises one sentence, and no folder is created."""
    month = object()
    with pytest.raises(cn.errors.InvalidRequestError, match="needs since="):
        read_archived_inputs(tmp_path / "nowhere", client, month, since="")  # type: ignore[arg-type]
    with pytest.raises(cn.errors.ConfigurationError, match="There is no archive in"):
        read_archived_inputs(tmp_path / "nowhere", client, month, since="2026-11-05")  # type: ignore[arg-type]
    assert not (tmp_path / "nowhere").exists()
