"""Test one order's details: its lines and shipments, its facts, the search, and masking."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from support.order_frames import NO_LINES, PRIVATE, build_details, find_orders, make_lines, make_orders, people, table

from cenports_nb.notebook.explorer.explorer import OrderGrid
from cenports_nb.notebook.explorer.order_index import OrderIndex
from cenports_nb.notebook.explorer.order_table import build_order_table, find_reference_time, name_channels
from cenports_nb.notebook.explorer.summary import format_orders, render_orders
from cenports_nb.notebook.grid.widget import DetailSection


def test_a_number_in_two_channels_is_two_orders() -> None:
    """Lines and shipments match by key; one without a channel is shown with both orders, with a note."""
    orders = make_orders({"order_no": "7", "channel_id": "A"}, {"order_no": "7", "channel_id": "B"})
    lines = make_lines(
        {"order_no": "7", "channel_id": "A", "product_sku": "a"},
        {"order_no": "7", "channel_id": "B", "product_sku": "b"},
    )
    shipments = pd.DataFrame(
        {"order_no": ["7", "7", "8"], "channel_id": ["B", None, None], "tracking_number": ["of-b", "of-any", "of-none"]}
    )
    index = OrderIndex(orders, lines, shipments)
    first, second = build_details(index, 0), build_details(index, 1)
    assert [first["Lines"].rows[0][0], second["Lines"].rows[0][0]] == ["a", "b"]
    assert [row[1] for row in first["Shipments"].rows] == ["of-any"]
    assert [row[1] for row in second["Shipments"].rows] == ["of-b", "of-any"]
    assert second["Shipments"].note.startswith("⚠ Some name no channel: ")
    assert first["Shipping and sums"].note == "⚠ Another channel has an order of this number, too."
    assert index.get_order(1).line_items["product_sku"].tolist() == ["b"]
    assert find_orders(index, "of-b") == ["7"]


KEYS = st.tuples(st.sampled_from("AB"), st.sampled_from(["1", "01", "2", "3"]))


@given(
    st.lists(KEYS, unique=True), st.lists(KEYS), st.lists(st.tuples(st.sampled_from(["A", "B", None]), st.just("1")))
)
def test_whatever_frames_hold_each_row_is_with_its_order(
    orders: list[tuple[str, str]], lines: list[tuple[str, str]], sent: list[tuple[str | None, str]]
) -> None:
    """Each row is shown once, in the order of its frame; only rows of missing orders are left out."""
    columns = ["channel_id", "order_no"]
    frame = pd.DataFrame(orders, columns=columns, dtype="str").assign(order_date=pd.Timestamp("2026-03-01T09:00Z"))
    items = pd.DataFrame(lines, columns=columns, dtype="str").assign(product_sku=[f"{i}" for i in range(len(lines))], quantity=2)  # fmt: skip
    items["product_sku"] = items["product_sku"].astype("str")
    shipments = pd.DataFrame(sent, columns=columns, dtype="str")
    index = OrderIndex(frame, items, shipments)
    expected: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i, key in enumerate(lines):
        expected[key].append(i)
    for at, key in enumerate(zip(index.orders["channel_id"], index.orders["order_no"], strict=True)):
        assert index.lines_by_order.rows(at).tolist() == expected[key]
        mine = [i for i, (channel, number) in enumerate(sent) if number == key[1] and channel in (key[0], None)]
        assert sorted(index.shipments_by_order.rows(at).tolist()) == mine
    assert table(index)["units"].tolist() == [2 * count for count in index.lines_by_order.counts]


def test_rows_without_an_order_and_empty_orders_are_no_error() -> None:
    """A sentence replaces an empty table."""
    orders = make_orders({"order_no": "1", "line_count": 3})
    none, some = OrderIndex(orders, NO_LINES), OrderIndex(orders, make_lines({"order_no": "1", "product_sku": "S"}))
    assert table(none)[["lines", "units"]].to_numpy().tolist() == [[0, 0]]
    assert build_details(none)["Lines"].note == "No line of this order is among the line items."
    assert build_details(none)["Shipments"].note.startswith("Not known: ")
    assert build_details(some)["Lines"].note == "⚠ The order has 3 lines."
    unknown = OrderIndex(orders.assign(line_count=None), make_lines({"order_no": "1", "product_sku": "S"}))
    assert build_details(unknown)["Lines"].note == ""
    nothing = OrderIndex(orders, NO_LINES, pd.DataFrame({"order_no": ["2"]}))
    assert build_details(nothing)["Shipments"].note == "No shipment of this order is among the shipments."


def test_lines_and_shipments_say_what_is_shipped_and_open() -> None:
    """Each status has a sign, prices are exact, and shipments have their lines if the record has them."""
    orders = make_orders({"order_no": "1"})
    words = ["Shipped", "pending", "Cancelled", None]
    lines = make_lines(*({"order_no": "1", "product_sku": f"{i}", "line_item": 9 - i, "status": word, "price": 1.5 + i / 1000} for i, word in enumerate(words)))  # fmt: skip
    shipments = pd.DataFrame(
        {
            "order_no": ["1", "1"],
            "ship_date": pd.to_datetime(["2026-03-02T23:30Z", "2026-03-03T00:00Z"], utc=True),
            "line_items": ['[{"productSku":"0","quantity":2},{"sku":"9"}]', "[not JSON"],
            "signed_by": ["Maria Anders", None],
        }
    )
    index = OrderIndex(orders, lines, shipments, time_zone="Europe/Berlin")
    parts = build_details(index)
    assert parts["Lines"].headers == ("Line", "SKU", "Quantity", "Price", "Status")
    assert [row[-1] for row in parts["Lines"].rows] == ["○ open", "✗ Cancelled", "○ open: pending", "✓ Shipped"]
    assert [row[3] for row in parts["Lines"].rows] == ["1.503", "1.502", "1.501", "1.50"]
    assert parts["Shipments"].headers == ("Shipment", "Day", "Items")
    assert parts["Shipments"].rows == (("1", "2026-03-03 00:30", "2\u00a0×\u00a00, 9"), ("2", "2026-03-03", ""))
    assert "Maria" not in str(parts)


def test_one_search_finds_numbers_skus_products_and_tracking_numbers() -> None:
    """Orders are found by their lines; by names of people only if those are shown."""
    orders = make_orders(
        {"order_no": "1", "customer_order_no": "PO-1", **people()}, {"order_no": "2", **people(customer_name="Ana")}
    )
    lines = make_lines(
        {"order_no": "1", "product_sku": "0012", "product_name": "Kettle", "retailer_sku": None},
        {"order_no": "2", "product_sku": "0013", "product_name": "Kettle", "retailer_sku": "R-2"},
        {"order_no": "9", "product_sku": "0014", "product_name": "Lamp", "retailer_sku": None},
    )
    index = OrderIndex(orders, lines, pd.DataFrame({"order_no": ["2"], "tracking_number": ["TRACK"]}))
    assert [find_orders(index, text) for text in ("0012", "Kettle", "R-2", "Lamp", "PO-1", "TRACK")] == [
        ["1"], ["1", "2"], ["2"], [], ["1"], ["2"],
    ]  # fmt: skip
    assert find_orders(index, "Maria Anders") == []
    assert find_orders(index, "Maria Anders", show_pii=True) == ["1"]


def test_people_are_masked_unless_asked_for() -> None:
    """The table, its text and page, the widget's state, and an open order are masked by default."""
    index = OrderIndex(make_orders({"order_no": "1", **people()}), NO_LINES)
    for show_pii in (False, True):
        shown, columns = build_order_table(
            index, name_channels(index), find_reference_time(index.select_given([0])), show_pii=show_pii
        )
        page = OrderGrid.from_frame(shown, columns, label="Orders", note=index.warning)
        everything = [render_orders(index, shown, columns), format_orders(index, shown, columns), str(page.get_state())]
        assert [any(text in one for text in PRIVATE) for one in everything] == [show_pii] * 3
    masked, plain = str(build_details(index)), str(build_details(index, show_pii=True))
    assert [text for text in PRIVATE if text in masked] == []
    assert [text for text in PRIVATE if text not in plain] == []
    assert build_details(index)["Addresses"].actions == (("show", "Show personal data of this order"),)
    assert "Boston" in masked


def test_equal_addresses_are_shown_once() -> None:
    """Equal addresses are shown once; an order without facts has a sentence."""
    place = {f"{begin}_{name}": text for begin in ("ship_to", "bill_to") for name, text in (("address1", "7 Mill Lane"), ("city", "Boston"))}  # fmt: skip
    orders = make_orders({"order_no": "1", **place}, {"order_no": "2", **place, "bill_to_city": "Troy"})
    index = OrderIndex(orders, NO_LINES)
    assert [build_details(index, at, show_pii=True)["Addresses"].facts[1][1] for at in (0, 1)] == [
        "the same address",
        "7 Mill Lane\nTroy",
    ]
    bare = OrderIndex(orders[["order_no", "channel_id", "order_date"]], NO_LINES)
    assert build_details(bare)["People"] == DetailSection("People", note="The orders tell nothing of them.")
