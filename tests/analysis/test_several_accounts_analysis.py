"""Analyses of several accounts: the same order number or SKU in two of them is two things."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

DAY = pd.Timestamp("2026-06-10T10:00Z")
LINES = cn.schemas.LineItems.example().assign(
    order_no=["1", "1", "2"], channel_id="X", order_date=DAY, line_item=[1, 2, 1], product_sku=["A", "B", "A"],
    ship_from_warehouse_code="W", quantity=[2, 1, 3], price=[10.0, 5.0, 10.0], status="pending",
)  # fmt: skip
ORDERS = cn.schemas.Orders.example(rows=2).assign(
    order_no=["1", "2"], channel_id="X", order_date=DAY, grand_total=[25.0, 30.0], status="pending", acknowledged=False
)
STOCK = pd.DataFrame(
    {"channel_id": "X", "warehouse_code": "W", "product_sku": ["A", "B"], "product_name": None, "quantity": [6, 4]}
)


def both(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of two accounts that are equal in everything else."""
    parts = [frame.assign(account=name) for name in ("acme", "globex")]
    found = pd.concat(parts, ignore_index=True)
    return found[["account", *frame.columns]]


ANALYSES: dict[str, tuple[Callable[..., pd.DataFrame], list[pd.DataFrame]]] = {
    "cover": (lambda *frames: cn.stock_cover(*frames, days=7, as_of="2026-06-12"), [LINES, STOCK]),
    "matching": (cn.match_shipments, [LINES, cn.schemas.Shipments.example()]),
    "ages": (lambda *frames: cn.order_ages(*frames, now="2026-06-12T00:00Z"), [ORDERS, LINES]),
    "changes": (cn.changes, [LINES, LINES.assign(quantity=9)]),
}


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.filterwarnings("ignore::cenports_nb.errors.AnalysisWarning")
def test_each_account_is_analyzed_by_itself(name: str) -> None:
    """The result of each is that of its own rows."""
    analyze, frames = ANALYSES[name]
    alone, found = analyze(*frames), analyze(*map(both, frames))
    assert len(alone) > 0
    for account in ("acme", "globex"):
        own = found[found["account"] == account].drop(columns="account").reset_index(drop=True)
        pd.testing.assert_frame_equal(own, alone, check_categorical=False)
    with pytest.raises(InvalidRequestError, match=r"has the column account, and .* doesn't"):
        analyze(both(frames[0]), *frames[1:])


def test_sales_count_the_orders_of_each_account() -> None:
    """Twice as many orders, lines and units; by account, those of each."""
    alone = cn.summarize_sales(LINES, by="sku", orders=ORDERS)
    found = cn.summarize_sales(both(LINES), by="sku", orders=both(ORDERS))
    for name in ("orders", "lines", "units", "line_value", "order_total"):
        assert found[name].tolist() == (alone[name] * 2).tolist()
    by_account = cn.summarize_sales(both(LINES), by=["account", "sku"])
    assert by_account["account"].tolist() == ["acme", "acme", "globex", "globex"]
    assert by_account["units"].tolist() == [*alone["units"], *alone["units"]]
    with pytest.raises(InvalidRequestError, match="needs the column account"):
        cn.summarize_sales(LINES, by="account")


def test_a_restatement_matches_lines_within_their_account() -> None:
    """A line that is gone in one account is not that of the other."""
    before = both(LINES)
    after = before[~((before["account"] == "globex") & (before["order_no"] == "2"))]
    found = cn.restatement(before, after)
    assert found.lines[["account", "order_no", "kind"]].to_numpy().tolist() == [["globex", "2", "order gone"]]
    assert found.steps["units"].tolist() == [12, -3, 9]


@dataclass(frozen=True)
class OneMonth:
    """A scan of one month."""

    frame: pd.DataFrame
    time_zone: str = "UTC"
    months: tuple[str, ...] = ("2026-06",)

    def read(self, month: str) -> pd.DataFrame:
        return self.frame if month in self.months else self.frame[:0]

    def select(self, columns: Sequence[str]) -> OneMonth:
        return replace(self, frame=self.frame[["account", *columns]])


def test_scans_of_several_accounts_give_the_same() -> None:
    """Month by month, in an executor too."""
    scan, wanted = OneMonth(both(LINES)), cn.summarize_sales(both(LINES), by=["account", "sku"])
    with ThreadPoolExecutor(2) as executor:
        pd.testing.assert_frame_equal(cn.summarize_sales(scan, by=["account", "sku"], executor=executor), wanted)
        later = OneMonth(both(LINES.assign(quantity=9)))
        found = cn.restatement(scan, later, executor=executor)
    pd.testing.assert_frame_equal(found.steps, cn.restatement(scan.frame, later.frame).steps)
    pd.testing.assert_frame_equal(found.lines, cn.restatement(scan.frame, later.frame).lines)


def test_charts_of_analyses_take_several_accounts(tmp_path: Path) -> None:
    """Warehouses of two accounts may have the same code, so their names tell them apart; files keep the column."""
    cover = cn.stock_cover(both(LINES), both(STOCK), days=7, as_of="2026-06-12")
    for ax in (cn.plot_cover(cover), cn.plot_demand(cover)):
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert any("(acme W)" in label for label in labels)
        assert any("(globex W)" in label for label in labels)
    assert cn.plot_orders(both(ORDERS), by="day", measure="orders").get_title(loc="left")
    assert cn.plot_orders(both(LINES), by="day").get_title(loc="left")
    ages = cn.order_ages(both(ORDERS), both(LINES), now="2026-06-12T00:00Z")
    assert cn.plot_ages(ages).get_title(loc="left") == "Orders that wait"
    plt.close("all")
    path = cn.export(both(ORDERS), tmp_path / "orders.csv")
    assert pd.read_csv(path, dtype=str)["account"].tolist() == ["acme", "acme", "globex", "globex"]


def test_stock_is_compared_within_its_account() -> None:
    """The same warehouse and SKU of two accounts are two rows, and so are their sums."""
    actual = STOCK.drop(columns="channel_id")
    alone = cn.diff_stock(actual, STOCK, open_items=LINES)
    found = cn.diff_stock(both(actual), both(STOCK), open_items=both(LINES))
    pd.testing.assert_frame_equal(found, both(alone), check_categorical=False)
    summed = cn.summarize_stock(found, by=["warehouse_code", "product_sku"])
    pd.testing.assert_frame_equal(summed, both(cn.summarize_stock(alone, by=["warehouse_code", "product_sku"])))
    pd.testing.assert_frame_equal(cn.diff_stock(both(actual)[:2], STOCK, open_items=LINES), alone)
