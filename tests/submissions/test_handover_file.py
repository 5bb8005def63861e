"""Test the file of a hand-over: complete orders by warehouse, written completely or not at all."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.handover.output_file import (
    Draft,
    check_target,
    hash_content,
    is_intact,
    refuse_taken,
    render_file,
)
from cenports_nb.submissions.handover.pick_list import DEFAULT_LAYOUT, apply_layout, build_pick_list, parse_layout


def order(order_no: str, date: str, line_count: int = 1, **changes: Any) -> dict[str, Any]:
    made = cn.schemas.Orders.example().iloc[0].to_dict()
    return (
        made
        | {"order_no": order_no, "channel_id": "C", "order_date": pd.Timestamp(date), "line_count": line_count}
        | changes
    )


def line(order_no: str, line_item: int = 1, warehouse: Any = "W1", status: str = "pending") -> dict[str, Any]:
    made = cn.schemas.LineItems.example().iloc[0].to_dict()
    return made | {
        "order_no": order_no, "channel_id": "C", "line_item": line_item, "ship_from_warehouse_code": warehouse,
        "status": status,
    }  # fmt: skip


def picked(orders: list[dict[str, Any]], lines: list[dict[str, Any]], zone: str = "UTC") -> Any:
    def typed(rows: list[dict[str, Any]], model: Any) -> pd.DataFrame:
        return pd.DataFrame(rows).astype(model.example().dtypes.to_dict())

    return build_pick_list(typed(orders, cn.schemas.Orders), typed(lines, cn.schemas.LineItems), zone)


def test_lines_come_by_warehouse_then_day_then_order_then_line() -> None:
    """Pickers work by warehouse; a line without a warehouse has its order's."""
    orders = [
        order("B", "2026-03-02T10:00Z", 2), order("A", "2026-03-02T12:00Z"), order("C", "2026-03-01T10:00Z", 2),
        order("D", "2026-03-05T10:00Z", ship_from_warehouse_code="W0"),
    ]  # fmt: skip
    lines = [line("B", 2), line("B", 1, "W2"), line("A"), line("C", 2), line("C", 1), line("D", 1, None)]
    found = picked(orders, lines)
    assert found.rows[["ship_from_warehouse_code", "order_no", "line_item"]].values.tolist() == [
        ["W0", "D", 1], ["W1", "C", 1], ["W1", "C", 2], ["W1", "A", 1], ["W1", "B", 2], ["W2", "B", 1],
    ]  # fmt: skip
    assert found.orders["order_no"].tolist() == ["D", "C", "A", "B"]
    assert len(found.left_out) == 0


def test_an_incomplete_order_is_left_out_with_its_reason() -> None:
    """The warehouse would ship only part of it."""
    orders = [
        order(number, "2026-03-01T00:00Z", count)
        for number, count in [("A", 1), ("B", 2), ("C", 0), ("D", 2), ("E", 2)]
    ]
    lines = [line("A"), line("B"), line("D", 1, status="Cancelled"), line("D", 2, status="shipped"),
             line("E", 1, status="cancelled"), line("E", 2)]  # fmt: skip
    found = picked(orders, lines)
    assert found.rows[["order_no", "line_item"]].values.tolist() == [["A", 1], ["E", 2]]
    assert [(row.order_no, row.reason[:11]) for row in found.left_out.itertuples()] == [
        ("B", "Some of its"), ("C", "It has no l"), ("D", "All its lin"),
    ]  # fmt: skip


@pytest.mark.parametrize(("zone", "day"), [("UTC", "2026-03-02"), ("America/New_York", "2026-03-01")])
def test_the_day_of_an_order_is_that_of_the_zone(zone: str, day: str) -> None:
    """The file has a plain day."""
    found = picked([order("A", "2026-03-02T02:00Z")], [line("A")], zone)
    content = render_file(
        apply_layout(found.rows, parse_layout(["order_no", "order_date", "product_sku", "quantity"])), ".csv", zone
    )
    assert f",{day},".encode() in content


def test_a_layout_is_the_warehouses_own_headers() -> None:
    """Columns are in its order, identifiers keep leading zeros, and no cell starts a formula."""
    layout = {"Bestellung": "order_no", "Menge": "quantity", "Artikel": "product_sku", "Name": "ship_to_name"}
    found = picked([order("0012", "2026-03-01T00:00Z", ship_to_name="=1+1")], [line("0012")])
    table = apply_layout(found.rows, parse_layout(layout))
    text = render_file(table, ".csv", "UTC").decode("utf-8-sig")
    assert text.splitlines()[0] == "Bestellung,Menge,Artikel,Name"
    assert text.splitlines()[1].startswith("0012,")
    assert text.splitlines()[1].endswith(",'=1+1")
    sheet = pd.read_excel(io.BytesIO(render_file(table, ".xlsx", "UTC")), dtype=str)
    assert sheet.iloc[0].tolist()[::3] == ["0012", "=1+1"]


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (["order_no", "product_sku", "quantitty"], "'quantitty', which isn't a column of orders or line items: quantity is meant"),
        ({"A": "order_no", "B": "product_sku", "C": "zzzzzz"}, "such are order_no, channel_id"),
        (["order_no", "product_sku"], "layout lacks quantity"),
        (["order_no", "order_no", "product_sku", "quantity"], "a column more than once"),
        ({"": "order_no", "B": "product_sku", "C": "quantity"}, "has the header ''"),
        ("order_no", "must be a list of columns"),
        ([5], "which isn't a column"),
    ],
)  # fmt: skip
def test_an_invalid_layout_is_refused(layout: Any, words: str) -> None:
    """The error comes first."""
    with pytest.raises(InvalidRequestError, match=words):
        parse_layout(layout)


def test_the_default_layout_has_what_a_warehouse_picks_and_ships_by() -> None:
    """Its columns exist, each once."""
    assert list(parse_layout(None)) == list(parse_layout(DEFAULT_LAYOUT)) == list(DEFAULT_LAYOUT)


def test_a_draft_is_in_its_place_at_once_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """Before, no file of that name exists."""
    target = check_target(tmp_path / "orders.csv")
    draft = Draft.write(target, b"content", "id")
    assert not target.exists()
    draft.publish()
    assert [path.name for path in tmp_path.iterdir()] == ["orders.csv"]
    assert is_intact(target, hash_content(b"content"))


def test_a_file_that_came_meanwhile_is_not_written_over(tmp_path: Path) -> None:
    """It may be another hand-over."""
    target = check_target(tmp_path / "orders.csv")
    draft = Draft.write(target, b"mine", "id")
    target.write_bytes(b"theirs")
    with pytest.raises(InvalidRequestError, match="is there already and may be another hand-over"):
        draft.publish()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"theirs"]


def test_a_draft_of_a_killed_process_is_written_over(tmp_path: Path) -> None:
    """It was never published."""
    target = check_target(tmp_path / "orders.csv")
    Draft.write(target, b"half", "id")
    Draft.write(target, b"whole", "id").publish()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


def test_a_file_is_intact_changed_or_gone(tmp_path: Path) -> None:
    """There are three states."""
    target = tmp_path / "orders.csv"
    assert is_intact(target, hash_content(b"a")) is None
    target.write_bytes(b"a")
    assert is_intact(target, hash_content(b"a")) is True
    assert is_intact(target, hash_content(b"b")) is False


@pytest.mark.parametrize(
    ("name", "words"), [("orders.parquet", "use .csv or .xlsx"), ("no/orders.csv", "There is no folder")]
)
def test_a_path_that_cannot_hold_a_handover_is_refused(name: str, words: str, tmp_path: Path) -> None:
    """The error comes before any request."""
    with pytest.raises(InvalidRequestError, match=words):
        check_target(tmp_path / name)


def test_a_link_to_nowhere_counts_as_taken(tmp_path: Path) -> None:
    """Somebody created it on purpose."""
    (tmp_path / "orders.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InvalidRequestError, match="is there already"):
        refuse_taken(tmp_path / "orders.csv")


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_read_only_folder_is_refused(tmp_path: Path) -> None:
    """The error comes before anything is acknowledged."""
    tmp_path.chmod(0o500)
    with pytest.raises(InvalidRequestError, match="can't be written"):
        Draft.write(tmp_path / "orders.csv", b"", "id")
    tmp_path.chmod(0o700)
