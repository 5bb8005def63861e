"""Test that settled unknown SKUs are remembered for the account, and never cause a failure."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import StockWarning
from cenports_nb.frames.sku_settlements import load_settlements, read_settlements, save_settlements

Stock = Callable[[str], int]


@pytest.fixture
def counts(account: Client) -> pd.DataFrame:
    """Make a full count of a warehouse, equal to its stock, with 0003 counted as X3."""
    actual = cn.load_actual_stock(account)
    counted = actual.loc[actual["warehouse_code"] == "NW-EAST", ["warehouse_code", "product_sku", "quantity"]]
    return counted.assign(product_sku=counted["product_sku"].replace({"0003": "X3"}))


def _plan(account: Client, counts: pd.DataFrame, **arguments: object) -> pd.DataFrame:
    return cn.build_true_up(counts, cn.load_actual_stock(account, refresh=True), missing="zero", **arguments)


def test_counted_rows_go_and_zeros_wait(account: Client, counts: pd.DataFrame, stock: Stock) -> None:
    """Once the unknown SKU is settled, the zeros are sent."""
    before = stock("0003")
    counts.loc[counts["product_sku"] == "0011", "quantity"] += 1
    submission = cn.submit_updates(account, _plan(account, counts), on_objection="hold", progress=False)
    outcomes = submission.wait(progress=False).outcomes
    assert dict(outcomes[["product_sku", "outcome"]].values) == {"0011": "applied", "X3": "held", "0003": "held"}
    assert submission.held["message"].str.partition(":")[0].tolist() == ["unknown_sku", "zero_beside_unknown"]
    assert stock("0003") == before
    counts.loc[counts["product_sku"] == "X3", "quantity"] += 2
    settled = _plan(account, counts, unknown={"X3": "0003"})
    cn.submit_updates(account, settled, progress=False).wait(progress=False)
    assert stock("0003") == before + 2


def test_settlements_are_remembered(connect: Callable[..., Client], counts: pd.DataFrame) -> None:
    """Other processes of this account read it from a private file."""
    counts.loc[counts["product_sku"] == "X3", "quantity"] += 2
    account = connect()
    plan = _plan(account, counts, unknown={"X3": "0003"})
    cn.submit_updates(account, plan, dry_run=True)
    assert read_settlements(cn.load_actual_stock(account, refresh=True)) == {}
    cn.submit_updates(account, plan, progress=False).wait(progress=False)
    actual = cn.load_actual_stock(connect(), refresh=True)
    assert read_settlements(actual) == {"X3": "0003"}
    assert cn.build_true_up(counts, actual, missing="zero").empty
    assert load_settlements(account.home, "another account") == {}
    (file,) = (account.home / "settled_skus").iterdir()
    assert os.name != "posix" or stat.S_IMODE(file.stat().st_mode) == 0o600


def test_settlements_of_a_sandbox_are_deleted_with_it(home: Path) -> None:
    """A sandbox is no lasting account."""
    with cn.connect("sandbox") as client:
        actual = cn.load_actual_stock(client)
        counts = actual.iloc[:1].assign(product_sku="X", quantity=1)
        plan = cn.build_true_up(counts, actual, unknown={"X": actual["product_sku"][0]})
        cn.submit_updates(client, plan, allow=["max_drop"], progress=False)
        assert read_settlements(cn.load_actual_stock(client, refresh=True)) == {"X": actual["product_sku"][0]}
    assert not (home / "settled_skus").exists()


@pytest.mark.parametrize(
    "content", [b"", b"no json", b'{"account": 3}', b"\xff", b'{"account": "a", "skus": {"X": 1}}']
)
def test_a_damaged_file_is_as_none_and_written_anew(tmp_path: Path, content: bytes) -> None:
    """Its settlements are asked for again."""
    save_settlements(tmp_path, "a", {"X": "A"})
    (file,) = (tmp_path / "settled_skus").iterdir()
    file.write_bytes(content)
    assert load_settlements(tmp_path, "a") == {}
    save_settlements(tmp_path, "a", {"Y": "new"})
    assert load_settlements(tmp_path, "a") == {"Y": "new"}


def test_settlements_are_added_up(tmp_path: Path) -> None:
    """The newest wins, accounts are separate, and nothing new writes nothing."""
    save_settlements(tmp_path, "a", {"X": "A", "Y": "new"})
    save_settlements(tmp_path, "a", {"X": "B"})
    save_settlements(tmp_path, "b", {})
    assert load_settlements(tmp_path, "a") == {"X": "B", "Y": "new"}
    assert load_settlements(tmp_path, "b") == {}
    assert len(list((tmp_path / "settled_skus").iterdir())) == 1


def test_a_folder_that_cannot_be_written_fails_no_submission(
    account: Client, counts: pd.DataFrame, stock: Stock
) -> None:
    """One sentence reports it."""
    (account.home / "settled_skus").write_text("in the way")
    before = stock("0003")
    counts.loc[counts["product_sku"] == "X3", "quantity"] += 2
    plan = _plan(account, counts, unknown={"X3": "0003"})
    with pytest.warns(StockWarning, match="can't be remembered .*: say it again with the next count"):
        cn.submit_updates(account, plan, progress=False).wait(progress=False)
    assert stock("0003") == before + 2
