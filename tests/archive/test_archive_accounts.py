"""Several accounts in one archive: each by its name, and one that fails leaves the others archived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox

pytestmark = pytest.mark.slow

NAMES = ("northwind", "acme")
START = f"{(pd.Timestamp.now('UTC') - pd.Timedelta(days=20)):%Y-%m-%d}"


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[list[Sandbox]]:
    with Sandbox(rate_limit=None) as northwind, Sandbox(orders=90, seed=5, rate_limit=None) as generated:
        yield [northwind, generated]


@pytest.fixture
def clients(sandboxes: list[Sandbox], home: Path) -> Iterator[list[cn.Client]]:
    (home / "profiles.toml").write_text("".join(f'[{name}]\nenvironment = "sandbox"\n\n' for name in NAMES))
    opened = [
        cn.connect(profile=name, base_url=sandbox.url, rate_limit=100_000)
        for name, sandbox in zip(NAMES, sandboxes, strict=True)
    ]
    yield opened
    for client in opened:
        client.close()


def test_two_accounts_share_an_archive(clients: list[cn.Client], folder: Path) -> None:
    """Frames have both, ordered by account; each can be chosen, and sums are those of the live frame."""
    archive = cn.open_archive(folder, personal="keep")
    assert set(archive.update(clients, start=START)["account"]) == set(NAMES)
    first = archive.load_orders()["order_date"].min().normalize()
    days = f"{first:%Y-%m-%d}", f"{pd.Timestamp.now('UTC'):%Y-%m-%d}"
    live = cn.load_line_items(clients, *days)
    found = archive.load_line_items(*days)
    pd.testing.assert_frame_equal(found, live, check_flags=False)
    pd.testing.assert_frame_equal(
        cn.summarize_sales(archive.scan_line_items(*days), by="week"), cn.summarize_sales(live, by="week")
    )
    assert set(archive.load_orders(accounts="acme")["account"]) == {"acme"}
    assert archive.sql("SELECT DISTINCT account FROM orders ORDER BY account")["account"].tolist() == sorted(NAMES)


def test_an_account_that_fails_leaves_the_others_archived(
    clients: list[cn.Client], sandboxes: list[Sandbox], folder: Path
) -> None:
    """The error names it, and says what changed in the others."""
    archive = cn.open_archive(folder)
    sandboxes[0].faults.add("unauthorized", times=None)
    try:
        with pytest.raises(
            cn.errors.IncompleteError, match="1 of 2 accounts could not be archived, the first, northwind"
        ) as caught:
            archive.update(clients, start=START)
    finally:
        sandboxes[0].faults.clear()
    assert set(caught.value.partial["account"]) == {"acme"}
    assert list(caught.value.missing["account"]) == ["northwind"]
    assert set(archive.load_orders()["account"]) == {"acme"}
