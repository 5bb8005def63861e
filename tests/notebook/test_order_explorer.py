"""The explorer of orders without a browser: what belongs together, what is said, what stays masked."""

from __future__ import annotations

import json
from collections import defaultdict

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from order_frames import CLOSING, NAUGHTY, PRIVATE, lines_of, orders_of, people

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.grid.widget import Part
from cenports_nb.notebook.orders.book import OrderBook
from cenports_nb.notebook.orders.page import Page
from cenports_nb.notebook.orders.story import story_of
from cenports_nb.notebook.orders.summary import page_of, text_of
from cenports_nb.notebook.orders.table import moment_of, names_of_channels, table_of
from cenports_nb.notebook.orders.terms import terms_of

NO_LINES = lines_of({"order_no": "none", "product_sku": "S"})


def table(book: OrderBook, *, channels: pd.DataFrame | None = None, show_pii: bool = False) -> pd.DataFrame:
    now = pd.Timestamp("2026-03-11T12:00Z")
    return table_of(book, names_of_channels(book, channels), now, show_pii=show_pii)[0]


def told(book: OrderBook, at: int = 0, *, shown: bool = False) -> dict[str, Part]:
    return {part.title.split(" (")[0]: part for part in story_of(book, at, shown=shown)}


def found(book: OrderBook, text: str, *, show_pii: bool = False) -> list[str]:
    """Search as the page does."""
    terms = terms_of(book, show_pii=show_pii)
    texts, starts, numbers = terms.buffers()
    assert len(json.loads(texts)) == len(terms.texts)
    assert (len(starts), len(numbers)) == (4 * (len(book) + 1), 4 * len(terms.numbers))
    return [
        str(book.orders["order_no"].iloc[at])
        for at in range(len(book))
        if any(text in terms.texts[number] for number in terms.numbers[terms.starts[at] : terms.starts[at + 1]])
    ]


def test_northwind_is_explored_as_it_was_loaded(client: cn.Client) -> None:
    """Newest first, names of channels, lines, units, totals; nobody's name."""
    days = ("1998-04-01", "1998-05-06")
    orders = cn.load_orders(client, *days, with_acknowledged=True)
    explorer = cn.OrderExplorer(
        orders, cn.load_line_items(client, *days), cn.load_shipments(client, *days), channels=cn.load_channels(client)
    )
    lines = repr(explorer).splitlines()
    assert lines[0] == f"{len(orders):,} orders, 1998-04-01 to 1998-05-06 (UTC)."
    assert lines[1].split("  ")[0] == "Order"
    assert lines[2].startswith("11077  1998-05-06 13:37  Northwind North America  Incompleted  ✗ no")
    assert lines[-1] == f"{len(orders) - 20} more orders."
    assert explorer.shown["order_no"].iloc[0] == "11077"
    assert explorer.shown.attrs == orders.attrs
    assert explorer.order is None
    assert "Rattlesnake" not in repr(explorer)


def test_times_are_of_the_zone_and_a_plain_day_stays_that_day() -> None:
    """The header names the zone; exactly midnight UTC is a day, whatever the zone; no day comes last."""
    orders = orders_of(
        {"order_no": "1", "order_date": None},
        {"order_no": "2", "order_date": "2026-03-01T00:00Z"},
        {"order_no": "3", "order_date": "2026-03-01T02:30Z"},
    )
    book = OrderBook(orders, NO_LINES, time_zone="America/New_York")
    shown, columns = table_of(book, names_of_channels(book), pd.Timestamp("2026-03-11T12:00Z"))
    assert columns[1].title == "Ordered (America/New_York)"
    assert shown["order_no"].tolist() == ["2", "3", "1"]
    assert shown["ordered"].fillna("").tolist() == ["2026-03-01", "2026-02-28 21:30", ""]
    assert shown["age_days"].tolist() == [10, 11, pd.NA]


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
    assert "names no channel" in second["Shipments"].note.replace("name no", "names no")
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
    assert told(book)["People and addresses"].actions == (("show", "Show personal data of this order"),)
    assert "Boston" in masked


def test_a_channel_is_named_as_far_as_its_name_is_known() -> None:
    """By load_channels, else by the order, else by its id; two of one name have their ids beside it."""
    orders = orders_of(
        {"order_no": "1", "channel_id": "A", "channel": "Web"},
        {"order_no": "2", "channel_id": "B", "channel": "Web"},
        {"order_no": "3", "channel_id": "C", "channel": None},
    )
    book = OrderBook(orders, NO_LINES)
    assert names_of_channels(book).tolist() == ["Web (A)", "Web (B)", "C"]
    channels = pd.DataFrame({"channel_id": ["A", "C"], "channel_name": ["Shop", NAUGHTY]})
    assert names_of_channels(book, channels).tolist() == ["Shop", "Web", NAUGHTY]


def test_whether_an_order_is_acknowledged_is_a_word_and_a_sign() -> None:
    """Also that nobody asked."""
    orders = orders_of(*({"order_no": str(i), "acknowledged": flag} for i, flag in enumerate([True, False, None])))
    assert table(OrderBook(orders, NO_LINES))["acknowledged"].tolist() == ["✓ yes", "✗ no", "– not known"]


def test_frames_that_people_made_are_read_kindly() -> None:
    """Columns in any order and number, categories, floats, labels that repeat, a telephone that became a number."""
    orders = orders_of(
        {"order_no": "1", "contact_phone": 5550100, "mine": [1, 2], "grand_total": 3},
        {"order_no": "2", "contact_phone": None, "mine": {}, "grand_total": None},
    ).set_axis([5, 5])
    orders = orders.assign(channel_id=orders["channel_id"].astype("category"))
    lines = lines_of(
        {"order_no": "1", "product_sku": "S", "quantity": 2.0}, {"order_no": "2", "product_sku": "S", "quantity": 3.0}
    )
    book = OrderBook(orders[orders["order_no"] == "1"], lines)
    assert table(book)[["order_no", "lines", "units", "grand_total"]].to_numpy().tolist() == [["1", 1, 2, 3.0]]
    assert book.order(0).order["mine"].iloc[0] == [1, 2]
    assert ("Telephone", "5550100") in told(book, shown=True)["People and addresses"].facts


@pytest.mark.parametrize(
    ("orders", "lines", "said"),
    [
        (orders_of({"order_no": "1"}).drop(columns="channel_id"), NO_LINES, "orders lacks the column channel_id"),
        (orders_of({"order_no": "1"}), NO_LINES.drop(columns="product_sku"), "line_items lacks the column product_sku"),
        (orders_of({"order_no": "1"}, {"order_no": "1"}), NO_LINES, "orders has more than one row for SHOP, 1"),
        ([], NO_LINES, "orders must be a DataFrame, not list"),
    ],
)
def test_a_frame_that_cannot_be_meant_is_refused_in_one_sentence(
    orders: pd.DataFrame, lines: pd.DataFrame, said: str
) -> None:
    """Which frame, what is missing or doubled."""
    with pytest.raises(InvalidRequestError) as raised:
        cn.OrderExplorer(orders, lines)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_time_zone_that_is_none_is_refused() -> None:
    """With an example."""
    with pytest.raises(InvalidRequestError, match="There is no time zone 'Berlin'"):
        cn.OrderExplorer(orders_of({"order_no": "1"}), NO_LINES, time_zone="Berlin")


def test_without_orders_a_sentence_stands(client: cn.Client) -> None:
    """Loaded or made, in a terminal and on a page."""
    loaded = cn.load_orders(client, "1999-01-01", "1999-01-02"), cn.load_line_items(client, "1999-01-01", "1999-01-02")
    for frames in (loaded, (cn.schemas.Orders.example(rows=0), cn.schemas.LineItems.example(rows=0))):
        assert repr(cn.OrderExplorer(*frames)) == "No orders: the frame is empty."
        assert len(cn.OrderExplorer(*frames).shown) == 0


def test_what_is_known_to_be_missing_is_said(client: cn.Client) -> None:
    """A partial frame is not explored as if it were whole."""
    orders = cn.load_orders(client, "1998-05-05", "1998-05-06")
    lines = cn.load_line_items(client, "1998-05-05", "1998-05-06")
    orders.attrs = {name: text.replace('"complete":true', '"complete":false') for name, text in orders.attrs.items()}
    first = repr(cn.OrderExplorer(orders, lines)).splitlines()[0]
    assert first.endswith("(UTC). ⚠ Not all orders were loaded: cn.provenance(orders).")


def test_text_from_outside_is_text() -> None:
    """Escaped on the page, and nothing of it moves a terminal's cursor."""
    orders = orders_of({"order_no": NAUGHTY, "channel_id": CLOSING, "status": "\x1b[2J"})
    explorer = cn.OrderExplorer(orders, NO_LINES)
    assert "\x1b" not in repr(explorer)
    book = OrderBook(orders, NO_LINES)
    shown, columns = table_of(book, names_of_channels(book), moment_of(orders))
    page = page_of(book, shown, columns)
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img" in page


def test_a_page_tells_which_orders_it_shows() -> None:
    """As ranges; a message that makes no sense changes nothing, and terms are sent when a page asks."""
    book = OrderBook(orders_of(*({"order_no": str(i)} for i in range(4))), NO_LINES)
    shown, columns = table_of(book, names_of_channels(book), pd.Timestamp("2026-03-11T12:00Z"))
    page = Page.of(shown, columns, label="Orders")
    heard: list[list[bool]] = []
    page.on_shown = lambda mask: heard.append(mask.tolist())
    for content in ({"shown": [0, 1, 3, 4]}, {"shown": [0, 9]}, {"shown": "all"}, {"terms": True}):
        page.heard(content)
    assert heard == [[True, False, False, True]]
