"""Test the order explorer without a browser: its table, its notes, and messages of a page."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from support.order_frames import CLOSING, NAUGHTY, NO_LINES, build_details, make_lines, make_orders, people, table

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.privacy.masking import mask_for_display
from cenports_nb.notebook.explorer.explorer import OrderGrid
from cenports_nb.notebook.explorer.order_detail import build_error_details
from cenports_nb.notebook.explorer.order_index import OrderIndex
from cenports_nb.notebook.explorer.order_table import build_order_table, find_reference_time, name_channels
from cenports_nb.notebook.explorer.summary import render_orders


def test_northwind_is_explored_as_it_was_loaded(client: cn.Client) -> None:
    """Newest first, with channel names, lines, units and totals, and no names of people."""
    days = ("1998-04-01", "1998-05-06")
    orders = cn.load_orders(client, *days, with_acknowledged=True)
    explorer = cn.OrderExplorer(
        orders, cn.load_line_items(client, *days), cn.load_shipments(client, *days), channels=cn.load_channels(client)
    )
    lines = repr(explorer).splitlines()
    assert lines[0] == f"{len(orders):,} orders, 1998-04-01 to 1998-05-06 (UTC)."
    assert lines[1].split("  ")[0] == "Order"
    assert re.match(
        "11077  1998-05-06 13:37  Northwind North America  Customer [0-9a-f]{4}  USA +NM +Incompleted  ✗ no", lines[2]
    )
    assert lines[-1] == f"{len(orders) - 20} more orders."
    assert explorer.shown["order_no"].iloc[0] == "11077"
    assert explorer.shown.attrs == orders.attrs
    assert explorer.order is None
    assert "Rattlesnake" not in repr(explorer)


def test_times_are_of_the_zone_and_a_plain_day_stays_that_day() -> None:
    """The header names the zone; exactly midnight UTC is a plain day; orders without a day come last."""
    orders = make_orders(
        {"order_no": "1", "order_date": None},
        {"order_no": "2", "order_date": "2026-03-01T00:00Z"},
        {"order_no": "3", "order_date": "2026-03-01T02:30Z"},
    )
    index = OrderIndex(orders, NO_LINES, time_zone="America/New_York")
    shown, columns = build_order_table(index, name_channels(index), pd.Timestamp("2026-03-11T12:00Z"))
    assert columns[1].title == "Ordered (America/New_York)"
    assert shown["order_no"].tolist() == ["2", "3", "1"]
    assert shown["ordered"].fillna("").tolist() == ["2026-03-01", "2026-02-28 21:30", ""]
    assert shown["age_days"].tolist() == [10, 11, pd.NA]


def test_a_channel_is_named_as_far_as_its_name_is_known() -> None:
    """Names come from load_channels, else the order, else the id; equal names have the id too."""
    orders = make_orders(
        {"order_no": "1", "channel_id": "A", "channel": "Web"},
        {"order_no": "2", "channel_id": "B", "channel": "Web"},
        {"order_no": "3", "channel_id": "C", "channel": None},
    )
    index = OrderIndex(orders, NO_LINES)
    assert name_channels(index).tolist() == ["Web (A)", "Web (B)", "C"]
    channels = pd.DataFrame({"channel_id": ["A", "C"], "channel_name": ["Shop", NAUGHTY]})
    assert name_channels(index, channels).tolist() == ["Shop", "Web", NAUGHTY]


def test_whether_an_order_is_acknowledged_is_a_word_and_a_sign() -> None:
    """Unknown is shown too."""
    orders = make_orders(*({"order_no": str(i), "acknowledged": flag} for i, flag in enumerate([True, False, None])))
    assert table(OrderIndex(orders, NO_LINES))["acknowledged"].tolist() == ["✓ yes", "✗ no", "– not known"]


def test_frames_that_people_made_are_read_kindly() -> None:
    """Columns in any order, categories, floats, repeated labels, and numeric telephones are accepted."""
    orders = make_orders(
        {"order_no": "1", "contact_phone": 5550100, "mine": [1, 2], "grand_total": 3},
        {"order_no": "2", "contact_phone": None, "mine": {}, "grand_total": None},
    ).set_axis([5, 5])
    orders = orders.assign(channel_id=orders["channel_id"].astype("category"))
    lines = make_lines(
        {"order_no": "1", "product_sku": "S", "quantity": 2.0}, {"order_no": "2", "product_sku": "S", "quantity": 3.0}
    )
    index = OrderIndex(orders[orders["order_no"] == "1"], lines)
    assert table(index)[["order_no", "lines", "units", "grand_total"]].to_numpy().tolist() == [["1", 1, 2, 3.0]]
    assert index.get_order(0).order["mine"].iloc[0] == [1, 2]
    twice = pd.concat([orders, orders[["contact_phone"]]], axis=1)
    assert build_details(OrderIndex(twice, lines), show_pii=True) == build_details(
        OrderIndex(orders, lines), show_pii=True
    )
    assert ("Telephone", "5550100") in build_details(index, show_pii=True)["People"].facts


@pytest.mark.parametrize(
    ("orders", "lines", "said"),
    [
        (make_orders({"order_no": "1"}).drop(columns="channel_id"), NO_LINES, "orders lacks the column channel_id"),
        (
            make_orders({"order_no": "1"}),
            NO_LINES.drop(columns="product_sku"),
            "line_items lacks the column product_sku",
        ),
        (make_orders({"order_no": "1"}, {"order_no": "1"}), NO_LINES, "orders has more than one row for SHOP, 1"),
        ([], NO_LINES, "orders must be a DataFrame, not list"),
    ],
)
def test_an_invalid_frame_is_refused_in_one_sentence(orders: pd.DataFrame, lines: pd.DataFrame, said: str) -> None:
    """The error names the frame and what is missing or repeated."""
    with pytest.raises(InvalidRequestError) as raised:
        cn.OrderExplorer(orders, lines)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_customers_are_shown_as_their_frame_shows_them() -> None:
    """With the pseudonyms of its view, or with the names that a person asked for."""
    frame = make_orders({"order_no": "1", **people()}, {"order_no": "2", **people(customer_name=None)})
    by_pseudonym = mask_for_display(frame)
    shown = table(OrderIndex(frame, NO_LINES))
    assert shown["customer"].tolist() == [by_pseudonym["customer_name"].iloc[0], by_pseudonym["ship_to_name"].iloc[1]]
    assert table(OrderIndex(cn.mask_pii(frame), NO_LINES))["customer"].tolist() == shown["customer"].tolist()
    assert "Maria Anders" not in str(cn.OrderExplorer(frame, NO_LINES)._get_grid().get_state())
    assert "Maria Anders" in str(cn.OrderExplorer(cn.show_pii(frame), NO_LINES)._get_grid().get_state())


def test_two_customers_never_share_a_pseudonym() -> None:
    """A filter by customer would show the orders of both."""
    frame = make_orders(*({"order_no": str(i), "customer_name": f"Customer of order {i}"} for i in range(2000)))
    customers = table(OrderIndex(frame, NO_LINES))["customer"]
    assert customers.nunique() == 2000
    assert (customers.str.len() == len("Customer 1f3a")).mean() > 0.9


def test_places_that_no_order_has_are_no_column() -> None:
    """A country is shown and filtered where orders have one."""
    frame = make_orders({"order_no": "1", "ship_to_country": "USA", "ship_to_state": None}, {"order_no": "2"})
    index = OrderIndex(frame, NO_LINES)
    _, columns = build_order_table(index, name_channels(index), pd.Timestamp("2026-03-11T12:00Z"))
    assert [column.title for column in columns if column.choice] == ["Channel", "Country"]


def test_an_invalid_time_zone_is_refused() -> None:
    """The error has an example."""
    with pytest.raises(InvalidRequestError, match="There is no time zone 'Berlin'"):
        cn.OrderExplorer(make_orders({"order_no": "1"}), NO_LINES, time_zone="Berlin")


def test_without_orders_there_is_a_sentence(client: cn.Client) -> None:
    """In a terminal and on a page."""
    loaded = cn.load_orders(client, "1999-01-01", "1999-01-02"), cn.load_line_items(client, "1999-01-01", "1999-01-02")
    for frames in (loaded, (cn.schemas.Orders.example(rows=0), cn.schemas.LineItems.example(rows=0))):
        assert repr(cn.OrderExplorer(*frames)) == "No orders: the frame is empty."
        assert len(cn.OrderExplorer(*frames).shown) == 0


def test_missing_rows_are_reported(client: cn.Client) -> None:
    """A partial frame must not look complete."""
    orders = cn.load_orders(client, "1998-05-05", "1998-05-06")
    lines = cn.load_line_items(client, "1998-05-05", "1998-05-06")
    orders.attrs = {name: text.replace('"complete":true', '"complete":false') for name, text in orders.attrs.items()}
    first = repr(cn.OrderExplorer(orders, lines)).splitlines()[0]
    assert first.endswith("(UTC). ⚠ Not all orders were loaded: cn.provenance(orders).")


def test_text_from_outside_is_text() -> None:
    """It is escaped on the page, and moves no cursor in a terminal."""
    orders = make_orders({"order_no": NAUGHTY, "channel_id": CLOSING, "status": "\x1b[2J"})
    explorer = cn.OrderExplorer(orders, NO_LINES)
    assert "\x1b" not in repr(explorer)
    index = OrderIndex(orders, NO_LINES)
    shown, columns = build_order_table(index, name_channels(index), find_reference_time(orders))
    page = render_orders(index, shown, columns)
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img" in page


def test_a_page_tells_which_orders_it_shows() -> None:
    """The page sends ranges; invalid ones are ignored, and the search index is sent on request."""
    index = OrderIndex(make_orders(*({"order_no": str(i)} for i in range(4))), NO_LINES)
    shown, columns = build_order_table(index, name_channels(index), pd.Timestamp("2026-03-11T12:00Z"))
    page = OrderGrid.from_frame(shown, columns, label="Orders")
    shown_rows: list[list[bool]] = []
    page.on_shown = lambda mask: shown_rows.append(mask.tolist())
    for content in ({"shown": [0, 1, 3, 4]}, {"shown": [0, 9]}, {"shown": "all"}, {"get_search_index": True}):
        page.handle_message(content)
    assert shown_rows == [[True, False, False, True]]


class Unspeakable:
    """A value whose conversion to text fails."""

    def __str__(self) -> str:
        raise TypeError("not today")


def test_an_order_that_cannot_be_shown_is_reported() -> None:
    """There is no traceback, and the explorer keeps working."""
    orders = make_orders({"order_no": "1", "customer_name": Unspeakable()}, {"order_no": "2", "customer_name": "Ana"})
    explorer = cn.OrderExplorer(orders, NO_LINES)
    page = explorer._get_grid()
    page.handle_message({"open_row": 0})
    assert explorer.order.order["order_no"].tolist() == ["1"]
    assert build_error_details(TypeError())[0].note == "Its columns hold something unforeseen (TypeError)."
    page.handle_message({"open_row": -1})
    assert explorer.order is None
