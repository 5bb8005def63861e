"""Records become rows, cell by cell as sent, or rejects with a reason; nothing vanishes."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.frames import decode

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


def _orders(*orders: Any) -> decode.Decoded:
    raw = [order if isinstance(order, bytes) else json.dumps(order).encode() for order in orders]
    return decode.orders(raw, ["X"] * len(raw))


def _lines(*lines: Any) -> decode.Decoded:
    return decode.line_items([json.dumps(_order(lineItems=list(lines))).encode()], ["X"])


def _stock(*rows: Any, code: Any = "W") -> decode.Decoded:
    record = {"warehouseCode": code, "warehouseInventory": list(rows)}
    return decode.stock([json.dumps(record).encode()])


def _row(**changes: Any) -> dict[str, Any]:
    return {"productSku": "S", "quantity": "1", **changes}


def _shipments(*records: Any, channels: list[str | None] | None = None) -> decode.Decoded:
    raw = [json.dumps(record).encode() for record in records]
    return decode.shipments(raw, channels or ["X"] * len(raw))


@given(number=KEY, name=TEXT, code=TEXT)
def test_texts_stay_as_sent(number: str, name: str, code: str) -> None:
    """Leading zeros, `1e5`, `None`, thirty digits, emoji: an identifier is text, and so are the others."""
    frame = _orders(_order(orderNo=number, customerName=name, shipTo={"postalCode": code})).frame
    assert frame.loc[0, ["order_no", "customer_name", "ship_to_postal_code"]].tolist() == [number, name, code]


@given(sku=KEY, name=TEXT, upc=TEXT)
def test_texts_of_stock_stay_as_sent(sku: str, name: str, upc: str) -> None:
    """A SKU of `None` is a SKU."""
    frame = _stock(_row(productSku=sku, productName=name, productUpc=upc)).frame
    assert frame.loc[0, ["product_sku", "product_name", "product_upc"]].tolist() == [sku, name, upc]


@given(st.integers(-(10**40), 10**40))
def test_whole_numbers_in_identifiers_are_their_digits(number: int) -> None:
    """However many."""
    assert _orders(_order(orderNo=number)).frame.loc[0, "order_no"] == str(number)


@given(
    moment=st.datetimes(datetime(1902, 1, 1), datetime(9998, 1, 1)),
    offset=st.integers(-14 * 60, 14 * 60),
)
def test_instants_of_any_offset_are_utc_to_the_microsecond(moment: datetime, offset: int) -> None:
    """No offset loses or moves anything."""
    sent = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    frame = _orders(_order(orderDate=sent.isoformat())).frame
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
    """UTC where nothing else is said."""
    assert _orders(_order(orderDate=sent)).frame.loc[0, "order_date"] == pd.Timestamp(read)


@pytest.mark.parametrize(
    "sent", ["now", "today", "NaT", "", "2026", "20260102", "02.01.2026", "2026-13-01", "2026-02-30", "soon", None, 5]
)
def test_what_is_no_date_is_a_reject_and_never_a_guess(sent: Any) -> None:
    """An order without its day can't be placed."""
    found = _orders(_order(orderDate=sent), _order(orderNo="A2"))
    assert (found.frame["order_no"].tolist(), [reject.column for reject in found.rejects]) == (["A2"], ["order_date"])


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_counts_may_come_as_number_or_text(count: int) -> None:
    """58, "58" and the like; to the unit."""
    frame = _stock(_row(productSku="a", quantity=count), _row(productSku="b", quantity=str(count))).frame
    assert frame["quantity"].tolist() == [count, count]


@pytest.mark.parametrize("sent", ["58.0", 58.0, "58", 58])
def test_a_whole_count_with_a_point_is_a_count(sent: Any) -> None:
    """The reference shows texts, other answers numbers."""
    assert _stock(_row(quantity=sent)).frame["quantity"].tolist() == [58]


@pytest.mark.parametrize("sent", [58.5, "58.5", "", "abc", None, True, [], 10**30, "1" * 30])
def test_what_is_no_count_is_a_reject(sent: Any) -> None:
    """Never a null, never a zero, never a crash."""
    found = _stock(_row(quantity=sent), _row(productSku="T"))
    assert (found.frame["product_sku"].tolist(), [r.column for r in found.rejects]) == (["T"], ["quantity"])


@pytest.mark.parametrize("missing", ["orderNo", "orderDate", "channelId"])
def test_an_order_without_what_identifies_it_is_a_reject(missing: str) -> None:
    """No channel was asked for either."""
    raw = json.dumps({**_order(), missing: None}).encode()
    found = decode.orders([raw], [None])
    assert (len(found.frame), len(found.rejects), found.rejects[0].record) == (0, 1, raw.decode())


def test_a_reject_tells_its_place_key_column_and_record() -> None:
    """Enough to find it and to ask about it."""
    bad = _order(orderNo="A2", pricing={"grandTotal": "much"})
    reject = _orders(_order(), bad).rejects[0]
    found = (reject.record_index, reject.key, reject.column, json.loads(reject.record))
    assert found == (1, "A2", "grand_total", bad)


@pytest.mark.parametrize(
    "raw",
    [b"5", b'"text"', b"[]", b'{"orderNo": "\xff"}', b'{"orderNo": "\\ud800", "orderDate": "2026-01-01"}'],
    ids=["number", "text", "list", "not-utf8", "surrogate"],
)
def test_any_garbage_is_a_reject(raw: bytes) -> None:
    """And its neighbour is a row."""
    found = _orders(raw, json.dumps(_order()).encode())
    assert (len(found.frame), len(found.rejects)) == (1, 1)


@pytest.mark.parametrize("nested", ["billTo", "shipFrom", "shipTo", "shippingInfo", "pricing", "notes", "lineItems"])
@pytest.mark.parametrize("gone", [True, False], ids=["missing", "null"])
def test_a_nested_object_that_is_not_there_gives_nulls(nested: str, gone: bool) -> None:
    """Not a reject."""
    order = _order()
    order.pop(nested, None)
    found = _orders(order if gone else {**order, nested: None})
    assert (len(found.frame), found.rejects) == (1, ())


def test_the_channel_asked_for_fills_in_where_the_answer_says_none() -> None:
    """The question tells it."""
    raw = json.dumps({**_order(), "channelId": None}).encode()
    assert decode.orders([raw], ["NW"]).frame["channel_id"].tolist() == ["NW"]


def test_of_copies_that_differ_the_last_one_stays() -> None:
    """It is the newest answer."""
    frame = _orders(_order(status="new"), _order(status="paid")).frame
    assert frame["status"].tolist() == ["paid"]


def test_a_bad_order_from_two_windows_is_one_reject() -> None:
    """The very same record is the same record."""
    bad = _order(orderDate="soon")
    assert len(_orders(bad, bad).rejects) == 1


def test_lines_of_an_older_copy_are_gone_with_it() -> None:
    """Whole orders are the newest ones, line by line."""
    raw = [json.dumps(_order(lineItems=lines)).encode() for lines in ([_line(), _line()], [])]
    assert len(decode.line_items(raw, ["X", "X"]).frame) == 0


def test_a_bad_line_spoils_only_itself() -> None:
    """Its neighbours keep their numbers."""
    found = _lines(_line(lineItem="1"), _line(lineItem="2", quantity="x"), _line(lineItem="3"))
    assert (found.frame["line_item"].tolist(), len(found.rejects)) == ([1, 3], 1)


def test_a_bad_order_is_listed_among_the_rejects_of_lines_too() -> None:
    """Both frames miss it."""
    found = decode.line_items([json.dumps(_order(orderDate="soon", lineItems=[_line()])).encode()], ["X"])
    assert (len(found.frame), [reject.key for reject in found.rejects]) == (0, ["A1"])


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
    """A number that repeats or can't be read is never a reject."""
    assert _lines(*(_line(lineItem=number) for number in sent)).frame["line_item"].tolist() == numbers


@given(st.lists(st.none() | st.integers(-3, 6) | st.sampled_from(["1", "2", "x", "1.0"]), max_size=8))
def test_lines_are_always_numbered_uniquely(sent: list[Any]) -> None:
    """Whatever is sent."""
    numbers = _lines(*(_line(lineItem=number) for number in sent)).frame["line_item"].tolist()
    assert (len(set(numbers)), len(numbers)) == (len(sent), len(sent))


@pytest.mark.parametrize("price", ["12.50", 12.5, "12.5"])
def test_money_may_come_as_number_or_text(price: Any) -> None:
    """Either way it is a number."""
    assert _lines(_line(price=price)).frame["price"].tolist() == [12.5]


@pytest.mark.parametrize("price", ["nan", "inf", "much", 1e999, True])
def test_what_is_no_amount_is_a_reject(price: Any) -> None:
    """Not a number that poisons every sum."""
    assert len(_lines(_line(price=price)).rejects) == 1


def test_a_sku_that_repeats_in_its_warehouse_is_a_reject() -> None:
    """The first one stays: a key is unique."""
    found = _stock(_row(quantity=1), _row(quantity=2))
    assert (found.frame["quantity"].tolist(), found.rejects[0].reason) == ([1], "repeats a SKU of its warehouse")


@pytest.mark.parametrize("spelt", ["nextAvailabileQuantity", "nextAvailableQuantity"])
def test_both_spellings_of_the_next_quantity_are_read(spelt: str) -> None:
    """The reference misspells it."""
    assert _stock(_row(**{spelt: "7"})).frame["next_available_quantity"].tolist() == [7]


@pytest.mark.parametrize("spelt", ["channelName", "channalName"])
def test_both_spellings_of_the_channels_name_are_read(spelt: str) -> None:
    """As does POST /channels."""
    raw = json.dumps({"channelId": "A", spelt: "Shop"}).encode()
    assert decode.channels([raw]).frame["channel_name"].tolist() == ["Shop"]


def test_extras_stay_json() -> None:
    """Of whatever shape."""
    frame = _stock(_row(productExtras={"a": [1]})).frame
    assert json.loads(frame.loc[0, "product_extras"]) == {"a": [1]}


def test_unknown_fields_of_a_shipment_are_text_in_snake_case() -> None:
    """Nested objects flattened, lists as JSON, acronyms in one piece."""
    record = {"orderNo": "A", "trackingURL": "u", "box": {"sizeCm": 30, "isOpen": True}, "items": [1], "weight": 1.5}
    row = _shipments(record).frame.iloc[0]
    found = row[["tracking_url", "box_size_cm", "box_is_open", "items", "weight"]].tolist()
    assert found == ["u", "30", "true", "[1]", "1.5"]


def test_the_same_shipment_from_neighbouring_windows_is_one() -> None:
    """Windows share their edge day."""
    record = {"orderNo": "A", "trackingNumber": "T"}
    assert len(_shipments(record, record).frame) == 1


def test_equal_shipments_of_two_channels_are_two() -> None:
    """Order numbers are unique only within a channel."""
    record = {"orderNo": "A"}
    assert _shipments(record, record, channels=["X", "Y"]).frame["channel_id"].tolist() == ["X", "Y"]


@pytest.mark.parametrize(("sent", "read"), [(True, True), ("true", True), (1, True), ("0", False), ("No", False)])
def test_acknowledgement_is_read_in_any_form(sent: Any, read: bool) -> None:
    """The answer is not documented."""
    assert _shipments({"orderNo": "A", "acknowledged": sent}).frame["acknowledged"].tolist() == [read]


def test_acknowledgement_that_cannot_be_read_is_a_reject() -> None:
    """And no silent null."""
    assert [reject.column for reject in _shipments({"orderNo": "A", "acknowledged": "maybe"}).rejects] == [
        "acknowledged"
    ]


@pytest.mark.parametrize("load", [decode.stock, decode.warehouses, decode.channels])
def test_no_records_give_the_same_columns_and_dtypes(load: Any) -> None:
    """An empty answer is typed as a full one."""
    full = {
        decode.stock: {"warehouseCode": "W", "warehouseInventory": [_row(nextAvailabilityDate="2026-01-01")]},
        decode.warehouses: {"warehouseCode": "W"},
        decode.channels: {"channelId": "A"},
    }[load]
    pd.testing.assert_series_equal(load([]).frame.dtypes, load([json.dumps(full).encode()]).frame.dtypes)
