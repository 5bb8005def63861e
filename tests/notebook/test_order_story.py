"""One order: which lines and shipments are with it, what is told of it, what it is found by, who stays masked."""

from __future__ import annotations

from collections import defaultdict

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from support.order_frames import NO_LINES, PRIVATE, found, lines_of, orders_of, people, table, told

from cenports_nb.notebook.explorer.order_grid import Page
from cenports_nb.notebook.explorer.order_index import OrderBook
from cenports_nb.notebook.explorer.order_table import moment_of, names_of_channels, table_of
from cenports_nb.notebook.explorer.summary import page_of, text_of
from cenports_nb.notebook.grid.widget import Part


def test_a_number_in_two_channels_is_two_orders() -> None:
    """Lines and shipments follow the key; one that names no channel stands beside both, and is said to."""
    orders = orders_of({"order_no": "7", "channel_id": "A"}, {"order_no": "7", "channel_id": "B"})
    lines = lines_of(
        {"order_no": "7", "channel_id": "A", "product_sku": "a"},
        {"order_no": "7", "channel_id": "B", "product_sku": "b"},
    )
    shipments = pd.DataFrame(
        {"order_no": ["7", "7", "8"], "channel_id": ["B", None, None], "tracking_number": ["of-b", "of-any", "of-none"]}
    )
    book = OrderBook(orders, lines, shipments)
    first, second = told(book, 0), told(book, 1)
    assert [first["Lines"].rows[0][0], second["Lines"].rows[0][0]] == ["a", "b"]
    assert [row[1] for row in first["Shipments"].rows] == ["of-any"]
    assert [row[1] for row in second["Shipments"].rows] == ["of-b", "of-any"]
    assert second["Shipments"].note.startswith("⚠ Some name no channel: ")
    assert first["Shipping and sums"].note == "⚠ Another channel has an order of this number, too."
    assert book.order(1).line_items["product_sku"].tolist() == ["b"]
    assert found(book, "of-b") == ["7"]


KEYS = st.tuples(st.sampled_from("AB"), st.sampled_from(["1", "01", "2", "3"]))


@given(
    st.lists(KEYS, unique=True), st.lists(KEYS), st.lists(st.tuples(st.sampled_from(["A", "B", None]), st.just("1")))
)
def test_whatever_frames_hold_each_row_is_with_its_order(
    orders: list[tuple[str, str]], lines: list[tuple[str, str]], sent: list[tuple[str | None, str]]
) -> None:
    """None twice, none lost but those of orders that are not there, in the order of their frame."""
    columns = ["channel_id", "order_no"]
    frame = pd.DataFrame(orders, columns=columns, dtype="str").assign(order_date=pd.Timestamp("2026-03-01T09:00Z"))
    items = pd.DataFrame(lines, columns=columns, dtype="str").assign(product_sku=[f"{i}" for i in range(len(lines))], quantity=2)  # fmt: skip
    items["product_sku"] = items["product_sku"].astype("str")
    shipments = pd.DataFrame(sent, columns=columns, dtype="str")
    book = OrderBook(frame, items, shipments)
    expected: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for i, key in enumerate(lines):
        expected[key].append(i)
    for at, key in enumerate(zip(book.orders["channel_id"], book.orders["order_no"], strict=True)):
        assert book.line_rows.of(at).tolist() == expected[key]
        mine = [i for i, (channel, number) in enumerate(sent) if number == key[1] and channel in (key[0], None)]
        assert sorted(book.shipment_rows.of(at).tolist()) == mine
    assert table(book)["units"].tolist() == [2 * count for count in book.line_rows.counts]


def test_what_belongs_to_no_order_and_orders_without_anything_are_no_error() -> None:
    """Zero lines, zero units, and a sentence where there would be a table."""
    orders = orders_of({"order_no": "1", "line_count": 3})
    none, some = OrderBook(orders, NO_LINES), OrderBook(orders, lines_of({"order_no": "1", "product_sku": "S"}))
    assert table(none)[["lines", "units"]].to_numpy().tolist() == [[0, 0]]
    assert told(none)["Lines"].note == "No line of this order is among the line items."
    assert told(none)["Shipments"].note.startswith("Not known: ")
    assert told(some)["Lines"].note == "⚠ The order has 3 lines."
    unknown = OrderBook(orders.assign(line_count=None), lines_of({"order_no": "1", "product_sku": "S"}))
    assert told(unknown)["Lines"].note == ""
    nothing = OrderBook(orders, NO_LINES, pd.DataFrame({"order_no": ["2"]}))
    assert told(nothing)["Shipments"].note == "No shipment of this order is among the shipments."


def test_lines_and_shipments_say_what_is_shipped_and_open() -> None:
    """A sign beside each word; prices as exactly as they were sent; what a shipment holds, where its record tells."""
    orders = orders_of({"order_no": "1"})
    words = ["Shipped", "pending", "Cancelled", None]
    lines = lines_of(*({"order_no": "1", "product_sku": f"{i}", "line_item": 9 - i, "status": word, "price": 1.5 + i / 1000} for i, word in enumerate(words)))  # fmt: skip
    shipments = pd.DataFrame(
        {
            "order_no": ["1", "1"],
            "ship_date": pd.to_datetime(["2026-03-02T23:30Z", "2026-03-03T00:00Z"], utc=True),
            "line_items": ['[{"productSku":"0","quantity":2},{"sku":"9"}]', "[not JSON"],
            "signed_by": ["Maria Anders", None],
        }
    )
    book = OrderBook(orders, lines, shipments, time_zone="Europe/Berlin")
    parts = told(book)
    assert parts["Lines"].head == ("Line", "SKU", "Quantity", "Price", "Status")
    assert [row[-1] for row in parts["Lines"].rows] == ["○ open", "✗ Cancelled", "○ open: pending", "✓ Shipped"]
    assert [row[3] for row in parts["Lines"].rows] == ["1.503", "1.502", "1.501", "1.50"]
    assert parts["Shipments"].head == ("Shipment", "Day", "Items")
    assert parts["Shipments"].rows == (("1", "2026-03-03 00:30", "2\u00a0×\u00a00, 9"), ("2", "2026-03-03", ""))
    assert "Maria" not in str(parts)


def test_one_search_finds_numbers_skus_products_and_tracking_numbers() -> None:
    """An order is found by what its lines contain; by a person's name only where people are shown."""
    orders = orders_of(
        {"order_no": "1", "customer_order_no": "PO-1", **people()}, {"order_no": "2", **people(customer_name="Ana")}
    )
    lines = lines_of(
        {"order_no": "1", "product_sku": "0012", "product_name": "Kettle", "retailer_sku": None},
        {"order_no": "2", "product_sku": "0013", "product_name": "Kettle", "retailer_sku": "R-2"},
        {"order_no": "9", "product_sku": "0014", "product_name": "Lamp", "retailer_sku": None},
    )
    book = OrderBook(orders, lines, pd.DataFrame({"order_no": ["2"], "tracking_number": ["TRACK"]}))
    assert [found(book, text) for text in ("0012", "Kettle", "R-2", "Lamp", "PO-1", "TRACK")] == [
        ["1"], ["1", "2"], ["2"], [], ["1"], ["2"],
    ]  # fmt: skip
    assert found(book, "Maria Anders") == []
    assert found(book, "Maria Anders", show_pii=True) == ["1"]


def test_people_are_masked_unless_asked_for() -> None:
    """In the table, in its text and page, in the state of the widget, and in an opened order before the button."""
    book = OrderBook(orders_of({"order_no": "1", **people()}), NO_LINES)
    for show_pii in (False, True):
        shown, columns = table_of(book, names_of_channels(book), moment_of(book.given([0])), show_pii=show_pii)
        page = Page.of(shown, columns, label="Orders", note=book.doubts)
        everything = [page_of(book, shown, columns), text_of(book, shown, columns), str(page.get_state())]
        assert [any(text in one for text in PRIVATE) for one in everything] == [show_pii] * 3
    masked, plain = str(told(book)), str(told(book, shown=True))
    assert [text for text in PRIVATE if text in masked] == []
    assert [text for text in PRIVATE if text not in plain] == []
    assert told(book)["Addresses"].actions == (("show", "Show personal data of this order"),)
    assert "Boston" in masked


def test_an_address_is_told_once() -> None:
    """Where both are the same; and an order that nothing is told of has a sentence."""
    place = {f"{begin}_{name}": text for begin in ("ship_to", "bill_to") for name, text in (("address1", "7 Mill Lane"), ("city", "Boston"))}  # fmt: skip
    orders = orders_of({"order_no": "1", **place}, {"order_no": "2", **place, "bill_to_city": "Troy"})
    book = OrderBook(orders, NO_LINES)
    assert [told(book, at, shown=True)["Addresses"].facts[1][1] for at in (0, 1)] == [
        "the same address",
        "7 Mill Lane\nTroy",
    ]
    bare = OrderBook(orders[["order_no", "channel_id", "order_date"]], NO_LINES)
    assert told(bare)["People"] == Part("People", note="The orders tell nothing of them.")
