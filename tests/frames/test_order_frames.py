"""Test that orders become rows with their values as sent, or rejects with a reason."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.order_decoding import decoded

TRICKY = [
    "0012",
    "1e5",
    "None",
    "null",
    "nan",
    "NaN",
    "NA",
    "true",
    "",
    " x ",
    "9" * 30,
    "📦",
    "Ünïcödé",
    '"',
    "\\u0041",
]
TEXT = st.sampled_from(TRICKY) | st.text()
KEY = TEXT.filter(bool)


def _order(**changes: Any) -> dict[str, Any]:
    order = {"orderNo": "A1", "channelId": "X", "orderDate": "2026-01-02T03:04:05.678901Z", "lineItems": []}
    return {**order, **changes}


def _line(**changes: Any) -> dict[str, Any]:
    return {"productSku": "S", "quantity": 1, "price": 1.5, **changes}


@given(number=KEY, name=TEXT, code=TEXT)
def test_texts_stay_as_sent(number: str, name: str, code: str) -> None:
    """Texts such as `0012`, `1e5`, `None`, thirty digits and emoji stay text."""
    frame = decoded(_order(orderNo=number, customerName=name, shipTo={"postalCode": code})).orders
    assert frame.loc[0, ["order_no", "customer_name", "ship_to_postal_code"]].tolist() == [number, name, code]


@given(st.integers(-(10**40), 10**40))
def test_whole_numbers_in_identifiers_are_their_digits(number: int) -> None:
    """Any number of digits is kept."""
    assert decoded(_order(orderNo=number)).orders.loc[0, "order_no"] == str(number)


@given(
    moment=st.datetimes(datetime(1902, 1, 1), datetime(9998, 1, 1)),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_instants_of_any_offset_are_utc_to_the_microsecond(moment: datetime, offset: int) -> None:
    """Offsets are converted exactly."""
    sent = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    frame = decoded(_order(orderDate=sent.isoformat())).orders
    assert frame.loc[0, "order_date"] == pd.Timestamp(sent.astimezone(UTC))


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("1996-07-04T00:48:00.000000Z", "1996-07-04T00:48:00Z"),
        ("1996-07-04 00:48:00", "1996-07-04T00:48:00Z"),
        ("1996-07-04", "1996-07-04T00:00:00Z"),
        ("1996-07-04T00:48:00+02:00", "1996-07-03T22:48:00Z"),
    ],
)
def test_instants_in_the_forms_that_apis_send(sent: str, read: str) -> None:
    """Instants without an offset are UTC."""
    assert decoded(_order(orderDate=sent)).orders.loc[0, "order_date"] == pd.Timestamp(read)


@pytest.mark.parametrize(
    "sent", ["now", "today", "NaT", "", "2026", "20260102", "02.01.2026", "2026-13-01", "2026-02-30", "soon", None, 5]
)
def test_an_invalid_date_is_a_reject(sent: Any) -> None:
    """An order needs a date."""
    found = decoded(_order(orderDate=sent), _order(orderNo="A2"))
    assert (found.orders["order_no"].tolist(), [reject.column for reject in found.rejects]) == (["A2"], ["order_date"])


@pytest.mark.parametrize("missing", ["orderNo", "orderDate", "channelId"])
def test_an_order_without_a_key_is_a_reject(missing: str) -> None:
    """The query names no channel either."""
    raw = json.dumps({**_order(), missing: None}).encode()
    found = decoded(raw, channel_id=None)
    assert (len(found.orders), len(found.rejects), found.rejects[0].record) == (0, 1, raw.decode())


def test_a_reject_tells_its_place_key_column_and_record() -> None:
    """The record can be found and reported."""
    bad = _order(orderNo="A2", pricing={"grandTotal": "much"})
    reject = decoded(_order(), bad).rejects[0]
    found = (reject.record_index, reject.key, reject.column, json.loads(reject.record))
    assert found == (1, "A2", "grand_total", bad)


@pytest.mark.parametrize(
    "raw",
    [b"5", b'"text"', b"[]", b'{"orderNo": "\xff"}', b'{"orderNo": "\\ud800", "orderDate": "2026-01-01"}'],
    ids=["number", "text", "list", "not-utf8", "surrogate"],
)
def test_any_garbage_is_a_reject(raw: bytes) -> None:
    """The record beside it is a row."""
    found = decoded(raw, _order())
    assert (len(found.orders), len(found.rejects)) == (1, 1)


@pytest.mark.parametrize("nested", ["billTo", "shipFrom", "shipTo", "shippingInfo", "pricing", "notes", "lineItems"])
@pytest.mark.parametrize("gone", [True, False], ids=["missing", "null"])
def test_a_missing_nested_object_gives_nulls(nested: str, gone: bool) -> None:
    """A missing nested object is no reject."""
    order = _order()
    order.pop(nested, None)
    found = decoded(order if gone else {**order, nested: None})
    assert (len(found.orders), found.rejects) == (1, ())


def test_the_requested_channel_fills_in_a_missing_one() -> None:
    """The channel comes from the query."""
    raw = json.dumps({**_order(), "channelId": None}).encode()
    assert decoded(raw, channel_id="NW").orders["channel_id"].tolist() == ["NW"]


def test_the_last_of_differing_copies_stays() -> None:
    """The last copy is the newest answer."""
    frame = decoded(_order(status="new"), _order(status="paid")).orders
    assert frame["status"].tolist() == ["paid"]


def test_a_bad_order_from_two_windows_is_one_reject() -> None:
    """Equal records are the same record."""
    bad = _order(orderDate="soon")
    assert len(decoded(bad, bad).rejects) == 1


def test_lines_of_an_older_copy_are_gone_with_it() -> None:
    """All lines are those of the newest copy."""
    copies = [_order(lineItems=lines) for lines in ([_line(), _line()], [])]
    assert len(decoded(*copies).line_items) == 0


def test_a_bad_line_affects_no_other() -> None:
    """Other lines keep their numbers."""
    found = decoded(_order(lineItems=[_line(lineItem="1"), _line(lineItem="2", quantity="x"), _line(lineItem="3")]))
    assert (found.line_items["line_item"].tolist(), len(found.line_rejects)) == ([1, 3], 1)


def test_a_bad_order_is_listed_among_the_rejects_of_lines_too() -> None:
    """The order is missing from both frames."""
    found = decoded(_order(orderDate="soon", lineItems=[_line()]))
    assert (len(found.line_items), [reject.key for reject in found.rejects]) == (0, ["A1"])


@pytest.mark.parametrize(
    ("sent", "numbers"),
    [
        (["1", "2", "3"], [1, 2, 3]),
        ([None, None], [1, 2]),
        (["1", "1", "1"], [1, 2, 3]),
        (["2", "2", "2"], [2, 3, 4]),
        (["x", "-1", "7"], [1, 2, 7]),
        ([3, 1, None], [3, 1, 4]),
        (["99999999999", "2"], [1, 2]),
    ],
)
def test_lines_are_numbered_as_sent_or_by_position(sent: list[Any], numbers: list[int]) -> None:
    """A repeated or unreadable line number is never a reject."""
    lines = [_line(lineItem=number, productSku=f"S{place}") for place, number in enumerate(sent)]
    found = decoded(_order(lineItems=lines)).line_items.sort_values("product_sku")
    assert found["line_item"].tolist() == numbers


@given(st.lists(st.none() | st.integers(-3, 6) | st.sampled_from(["1", "2", "x", "1.0"]), max_size=8))
def test_lines_are_always_numbered_uniquely(sent: list[Any]) -> None:
    """Line numbers are unique for any input."""
    numbers = decoded(_order(lineItems=[*(_line(lineItem=number) for number in sent)])).line_items["line_item"].tolist()
    assert (len(set(numbers)), len(numbers)) == (len(sent), len(sent))


@pytest.mark.parametrize("price", ["12.50", 12.5, "12.5"])
def test_money_may_come_as_number_or_text(price: Any) -> None:
    """Both become a number."""
    assert decoded(_order(lineItems=[_line(price=price)])).line_items["price"].tolist() == [12.5]


@pytest.mark.parametrize("price", ["nan", "inf", "much", 1e999, True])
def test_an_invalid_amount_is_a_reject(price: Any) -> None:
    """NaN would make every sum null."""
    assert len(decoded(_order(lineItems=[_line(price=price)])).line_rejects) == 1
