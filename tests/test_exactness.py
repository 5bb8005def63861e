"""What Cenports sends is what stands in the frame, cell by cell: through a real server, HTTP and the public loaders."""

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.order_decoding import build_frames
from support.property_examples import share_of_examples
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import RejectedRowsWarning
from cenports_nb.frames.decoding.order_pages import decode_orders
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.dialect import Dialect

pytestmark = pytest.mark.slow

Json = dict[str, Any]
Connect = Callable[..., cn.Client]

NAUGHTY = [
    *[
        "0012",
        "1e5",
        "1E5",
        "0x1F",
        "1_000",
        "1,000",
        "1.0",
        "-0",
        "+1",
        "9" * 30,
        "007",
        "1/2",
        "½",
        "١٢٣",
        "Infinity",
    ],
    *["NaN", "nan", "None", "null", "NULL", "Null", "true", "false", "undefined", "nil", "NA", "N/A", "#N/A", "<NA>"],
    *["NaT", "pd.NA", "inf", "2024-02-29", "1970-01-01T00:00:00Z", "00:00"],
    *[" ", "  x", "x  ", "\t", "\n", "a\nb", "a\r\nb", "a\u2028b", "a\u0085b", "\x0b", "\xa0x\xa0"],
    *["\ufeffx", "x\ufeff", "\u200b", "a\u200bb", "\u202eabc", "\u2066a\u2069", "مرحبا", "שלום", "田中さん", "Ⅷ", "ﬁ"],
    *["Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘", "é", "e\u0301", "👩‍👩‍👧‍👦", "🏳️‍🌈", "📦", "\U0010ffff", "\uffff"],
    *[
        "\x00",
        "a\x00b",
        "\x01\x1f\x7f\x9f",
        "\\",
        "\\\\",
        "\\u0041",
        "\\ud800",
        '"',
        "'",
        '"}',
        "`",
        "''",
        '\\"',
        "\\n",
    ],
    *["<script>alert(1)</script>", "'; DROP TABLE orders; --", "../../etc/passwd", "C:\\CON", "/dev/null", "%00", "%s"],
    *[
        "{{7*7}}",
        "${x}",
        "=1+1",
        "@SUM(A1)",
        "+1-1",
        "-1",
        "[]",
        "{}",
        "[1]",
        '{"a": 1}',
        "&amp;",
        "x" * 5000,
        "not JSON",
    ],
    '{"not JSON": "NaN"}',
]
TEXT = st.sampled_from(NAUGHTY) | st.text(max_size=12)
MAYBE = st.none() | st.just("") | TEXT
KEY = TEXT.filter(bool)
ASKED = KEY.filter(lambda text: text.strip() and len(text) <= 255)
"""What is sent as a parameter: 255 characters at most, and blanks alone are as good as nothing."""
PRICE = st.integers(-(10**9), 10**9).map(lambda parts: parts / 10_000)
UNITS = st.integers(-(10**5), 10**5)

ORDER_TEXTS = {
    "customer_order_no": "customerOrderNo",
    "channel": "channel",
    "customer_name": "customerName",
    "contact_name": "contactName",
    "contact_email": "contactEmail",
    "contact_phone": "contactPhone",
    "status": "status",
    **{
        f"{column}_{name}": f"{group}.{sent}"
        for column, group in (("bill_to", "billTo"), ("ship_to", "shipTo"))
        for name, sent in (
            *((same, same) for same in ("name", "address1", "address2", "city", "state", "country")),
            ("postal_code", "postalCode"),
        )
    },
    "ship_from_warehouse_code": "shipFrom.warehouseCode",
    "ship_from_warehouse_name": "shipFrom.warehouseName",
    "ship_from_location": "shipFrom.location",
    "ship_from_contact_phone": "shipFrom.contactPhone",
    "ship_from_owner": "shipFrom.owner",
    "carrier_code": "shippingInfo.carrierCode",
    "service_level": "shippingInfo.serviceLevel",
    "merchant_msg": "notes.merchantMsg",
    "retailer_msg": "notes.retailerMsg",
}
ORDER_MONEY = {
    "sub_total": "pricing.subTotal",
    "discount": "pricing.discount",
    "ship_cost": "pricing.shipCost",
    "grand_total": "pricing.grandTotal",
}
ORDER_COLUMNS = {
    "order_no": "orderNo",
    "channel_id": "channelId",
    **ORDER_TEXTS,
    **ORDER_MONEY,
    "ship_from_availability": "shipFrom.availability",
}
LINE_COLUMNS = {
    "product_sku": "productSku",
    "retailer_sku": "retailerSku",
    "product_name": "productName",
    "ship_from_warehouse_code": "shipFromWarehouseCode",
    "quantity": "quantity",
    "price": "price",
    "status": "status",
}
STOCK_COLUMNS = {
    "product_sku": "productSku",
    "retailer_sku": "retailerSku",
    "product_upc": "productUpc",
    "product_name": "productName",
}


def _nested(columns: dict[str, str], values: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for the nested objects of some columns: missing, null, with some of their fields, or all."""
    groups: dict[str, dict[str, st.SearchStrategy[Any]]] = {}
    for path in columns.values():
        group, _, name = path.rpartition(".")
        groups.setdefault(group, {})[name] = values
    return {group: st.none() | st.fixed_dictionaries({}, optional=fields) for group, fields in groups.items() if group}


FLAT = {path: MAYBE for path in ORDER_TEXTS.values() if "." not in path}
LINE = st.fixed_dictionaries(
    {"productSku": KEY, "quantity": UNITS, "price": st.none() | PRICE},
    optional={
        **dict.fromkeys(("retailerSku", "productName", "shipFromWarehouseCode"), MAYBE),
        "status": MAYBE,
        "lineItem": st.none() | st.sampled_from(["1", "2", "3", "x", "0"]),
    },
)
ORDER = st.fixed_dictionaries(
    {
        "orderNo": KEY,
        "channelId": ASKED,
        "orderDate": st.integers(0, 60 * 86_400).map(
            lambda seconds: (datetime(2024, 2, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat()
        ),
        "lineItems": st.lists(LINE, min_size=1, max_size=4),
    },
    optional={**FLAT, **_nested(ORDER_TEXTS, MAYBE), **_nested(ORDER_MONEY, st.none() | PRICE)},
)
ORDERS = st.lists(ORDER, min_size=1, max_size=6, unique_by=lambda order: (order["channelId"], order["orderNo"]))
STOCK_ROW = st.fixed_dictionaries(
    {"productSku": KEY, "quantity": UNITS.map(str)},
    optional={**dict.fromkeys(("retailerSku", "productUpc", "productName"), MAYBE)},
)
WAREHOUSES = st.lists(
    st.fixed_dictionaries(
        {
            "warehouseCode": ASKED.filter(lambda code: "," not in code),
            "warehouseName": MAYBE,
            "warehouseInventory": st.lists(STOCK_ROW, max_size=4, unique_by=lambda row: row["productSku"]),
        }
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda warehouse: warehouse["warehouseCode"],
)


@contextmanager
def serving(
    orders: Sequence[Json] = (),
    warehouses: Sequence[Json] = (),
    channels: Sequence[Json] = (),
    shipments: Sequence[Json] = (),
    dialect: Dialect | None = None,
    **given: Any,
) -> Iterator[cn.Client]:
    """Write a data folder, serve it, and connect."""
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("orders.jsonl", orders), ("shipments.jsonl", shipments)):
            text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            (Path(folder) / name).write_bytes(text.encode())
        for name, values in (("inventories.json", warehouses), ("channels.json", channels)):
            (Path(folder) / name).write_bytes(json.dumps(list(values)).encode())
        with (
            Sandbox(data=folder, shift=False, rate_limit=None, dialect=dialect) as sandbox,
            cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000, **given) as client,
        ):
            yield client


def _at(record: Json, path: str) -> Any:
    group, _, name = path.rpartition(".")
    return ((record.get(group) or {}) if group else record).get(name)


def _cells(frame: pd.DataFrame, columns: Iterable[str]) -> list[list[Any]]:
    """The cells of a frame as Python has them, None for null."""
    return [[None if pd.isna(value) else value for value in row] for row in frame[[*columns]].itertuples(index=False)]


def _expected(records: Iterable[Json], columns: dict[str, str]) -> list[list[Any]]:
    return [[_at(record, path) for path in columns.values()] for record in records]


def _in_order(orders: Sequence[Json]) -> list[Json]:
    return sorted(
        orders, key=lambda order: (datetime.fromisoformat(order["orderDate"]), order["channelId"], order["orderNo"])
    )


@settings(max_examples=share_of_examples(1 / 3))
@given(ORDERS, st.sampled_from(["laravel", "links", "numbers", "none"]))
def test_orders_and_their_lines_are_what_was_sent(orders: list[Json], pages: Any) -> None:
    """Every cell of both frames; nulls only where null or nothing was sent; a line for each line."""
    with serving(orders, dialect=Dialect(pages=pages)) as client:
        frame = cn.load_orders(client, "2024-02-01", "2024-04-02")
        lines = cn.load_line_items(client, "2024-02-01", "2024-04-02")
    sent = _in_order(orders)
    assert _cells(frame, ORDER_COLUMNS) == _expected(sent, ORDER_COLUMNS)
    assert frame["order_date"].tolist() == [pd.Timestamp(order["orderDate"]) for order in sent]
    assert frame["line_count"].tolist() == [len(order["lineItems"]) for order in sent]
    assert frame["acknowledged"].isna().all()
    whole = lines.groupby(["order_date", "channel_id", "order_no"], sort=False)
    for order, (key, found) in zip(sent, whole, strict=True):
        assert key == (pd.Timestamp(order["orderDate"]), order["channelId"], order["orderNo"])
        assert found["line_item"].is_monotonic_increasing
        assert found["line_item"].is_unique
        by_cells = sorted(_expected(order["lineItems"], LINE_COLUMNS), key=repr)
        assert sorted(_cells(found, LINE_COLUMNS), key=repr) == by_cells
        numbers = [line.get("lineItem") for line in order["lineItems"]]
        if len(set(numbers)) == len(numbers) and set(numbers) <= {"0", "1", "2", "3"}:
            by_number = sorted(order["lineItems"], key=lambda line: line["lineItem"])
            assert _cells(found, LINE_COLUMNS) == _expected(by_number, LINE_COLUMNS)


def test_every_naughty_text_comes_through_every_text_column() -> None:
    """As order number, as SKU and as any other text: the same characters, no more and no less."""
    orders = [
        {
            "orderNo": text,
            "channelId": f"C{number % 3}",
            "orderDate": "2024-02-29T12:00:00Z",
            "lineItems": [
                {"productSku": text, "quantity": 1, "lineItem": "1", **dict.fromkeys(("productName", "status"), text)}
            ],
            **{path: text for path in ORDER_TEXTS.values() if "." not in path},
            **{group: dict.fromkeys(("name", "city", "postalCode"), text) for group in ("billTo", "shipTo")},
        }
        for number, text in enumerate(NAUGHTY)
    ]
    with serving(orders) as client:
        frame = cn.load_orders(client, "2024-02-29", "2024-02-29")
        lines = cn.load_line_items(client, "2024-02-29", "2024-02-29")
        found = cn.load_orders(client, order_nos=["0012", "1e5", "NaN", "null", "9" * 30])
    assert _cells(frame, ORDER_COLUMNS) == _expected(_in_order(orders), ORDER_COLUMNS)
    assert sorted(lines["product_sku"]) == sorted(lines["product_name"]) == sorted(NAUGHTY)
    assert (lines["product_sku"] == lines["order_no"]).all()
    assert sorted(found["order_no"]) == sorted(["0012", "1e5", "NaN", "null", "9" * 30])


@settings(max_examples=share_of_examples(1 / 3))
@given(WAREHOUSES, st.sampled_from(["text", "number", "decimal_text", "decimal"]))
def test_stock_is_what_was_sent(warehouses: list[Json], quantities: Any) -> None:
    """In each way of writing a quantity, negative ones too; of both stocks, and of the warehouses."""
    channels = [{"channelId": "C", "channelName": "c"}]
    with serving((), warehouses, channels, dialect=Dialect(quantities=quantities)) as client:
        actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
        places = cn.load_warehouses(client)
    rows = sorted(
        (
            (warehouse["warehouseCode"], row["productSku"], int(row["quantity"]), warehouse["warehouseName"], row)
            for warehouse in warehouses
            for row in warehouse["warehouseInventory"]
        ),
        key=lambda row: row[:2],
    )
    columns = ("warehouse_code", "product_sku", "quantity", "warehouse_name")
    for stock in (actual, available):
        assert _cells(stock, columns) == [list(row[:4]) for row in rows]
        assert _cells(stock, STOCK_COLUMNS) == _expected([row[4] for row in rows], STOCK_COLUMNS)
        assert (stock["quantity"].dtype, cn.rejected(stock).empty) == ("int64", True)  # type: ignore[union-attr]
    assert set(available["channel_id"]) <= {"C"}
    sent = sorted(
        (warehouse["warehouseCode"], warehouse["warehouseName"])
        for warehouse in warehouses
        if warehouse["warehouseName"] is not None
    )
    assert [tuple(row) for row in _cells(places, ["warehouse_code", "warehouse_name"]) if row[1] is not None] == sent
    assert sorted(places["warehouse_code"]) == sorted(warehouse["warehouseCode"] for warehouse in warehouses)


@settings(max_examples=share_of_examples(1 / 3))
@given(
    st.lists(
        st.fixed_dictionaries(
            {"orderNo": KEY, "channelId": ASKED},
            optional=dict.fromkeys(("carrierCode", "serviceLevel", "trackingNumber", "warehouseCode", "note"), MAYBE),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: (row["channelId"], row["orderNo"]),
    )
)
def test_shipments_and_channels_are_what_was_sent(shipments: list[Json]) -> None:
    """Known fields and unknown ones."""
    sent = [{**row, "shipDate": "2024-02-29T01:02:03.000004Z"} for row in shipments]
    channels = [{"channelId": name, "channelName": name} for name in {row["channelId"]: None for row in shipments}]
    with serving((), (), channels, sent) as client:
        frame = cn.load_shipments(client, "2024-02-28", "2024-03-01")
        named = cn.load_channels(client)
    columns = {
        "channel_id": "channelId",
        "order_no": "orderNo",
        "carrier_code": "carrierCode",
        "service_level": "serviceLevel",
        "tracking_number": "trackingNumber",
        "warehouse_code": "warehouseCode",
        **({"note": "note"} if any("note" in row for row in sent) else {}),
    }
    assert sorted(_cells(frame, columns), key=repr) == sorted(_expected(sent, columns), key=repr)
    assert set(frame["ship_date"]) == {pd.Timestamp("2024-02-29T01:02:03.000004Z")}
    names = sorted(channel["channelId"] for channel in channels)
    assert (named["channel_id"].tolist(), named["channel_name"].tolist()) == (names, names)


MOMENT = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)) | st.sampled_from(
    [datetime(1970, 1, 1), datetime(2024, 2, 29), datetime(2000, 2, 29, 23, 59, 59), datetime(1969, 12, 31, 23, 59, 59)]
)
INSTANT = st.tuples(
    MOMENT.map(lambda moment: moment.replace(microsecond=0)),
    st.text("0123456789", max_size=9),
    st.none() | st.integers(-14 * 60, 14 * 60),
    st.sampled_from("T "),
)


def _written(moment: datetime, fraction: str, offset: int | None, between: str) -> tuple[str, datetime]:
    """How an instant is sent, and which one it is, to the microsecond."""
    zone = timezone(timedelta(minutes=offset or 0))
    ending = "" if offset is None else "Z" if offset == 0 else moment.replace(tzinfo=zone).isoformat()[19:]
    text = moment.isoformat(sep=between) + (f".{fraction}" if fraction else "") + ending
    exact = moment.replace(tzinfo=zone) + timedelta(microseconds=int(fraction.ljust(6, "0")[:6]))
    return text, exact.astimezone(UTC)


@settings(max_examples=share_of_examples(1 / 3))
@given(st.lists(INSTANT, min_size=1, max_size=12))
def test_instants_are_the_same_moment_to_the_microsecond(sent: list[Any]) -> None:
    """Any offset or none, no fraction to nanoseconds, side by side."""
    written = [_written(*each) for each in sent]
    line = {"productSku": "S", "quantity": 1}
    orders = [
        {"orderNo": f"{number:03}", "channelId": "C", "orderDate": text, "lineItems": [line]}
        for number, (text, _) in enumerate(written)
    ]
    with serving(orders) as client:
        frame = cn.load_orders(client, acknowledged=False).sort_values("order_no")
        lines = cn.load_line_items(client, acknowledged=False).sort_values("order_no")
    exact = [pd.Timestamp(moment) for _, moment in written]
    assert (frame["order_date"].tolist(), lines["order_date"].tolist()) == (exact, exact)


@pytest.mark.parametrize("day", ["1970-01-01", "2024-02-29", "2024-03-10"])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_midnight_utc_is_a_plain_day_in_every_zone(day: str, zone: str) -> None:
    """Everything else belongs to the day that the zone's clocks showed."""
    hours = [f"{day}T00:00:00.000000Z", f"{day}T00:00:00.000001Z", f"{day}T12:00:00Z", f"{day}T23:59:59.999999Z"]
    line = {"productSku": "S", "quantity": 1}
    orders = [
        {"orderNo": str(number), "channelId": "C", "orderDate": text, "lineItems": [line]}
        for number, text in enumerate(hours)
    ]
    with serving(orders, time_zone=zone) as client:
        found = cn.load_orders(client, day, day)["order_no"].tolist()
    local = [str(pd.Timestamp(text).tz_convert(zone).date()) for text in hours]
    assert found == ["0", *(str(number) for number in (1, 2, 3) if local[number] == day)]


def test_the_same_number_in_two_channels_is_two_orders() -> None:
    """Each with its own lines and money."""
    orders = [
        {
            "orderNo": "0012",
            "channelId": channel,
            "orderDate": "2024-02-29",
            "customerName": f"of {channel}",
            "pricing": {"grandTotal": total},
            "lineItems": [{"productSku": channel, "quantity": 1, "lineItem": "1"}],
        }
        for channel, total in (("B", 2.0), ("A", 1.0))
    ]
    with serving(orders) as client:
        frame = cn.load_orders(client, order_nos=["0012"])
        lines = cn.load_line_items(client, order_nos=["0012"])
    assert _cells(frame, ["channel_id", "customer_name", "grand_total"]) == [["A", "of A", 1.0], ["B", "of B", 2.0]]
    assert _cells(lines, ["channel_id", "product_sku"]) == [["A", "A"], ["B", "B"]]


def test_half_a_character_costs_one_record_and_no_more(server: ScriptedServer, staging: Connect) -> None:
    """Half a surrogate pair isn't text; the record is listed as it came."""
    good = {"orderNo": "A", "channelId": "C", "orderDate": "2024-02-29", "lineItems": []}
    bad = {**good, "orderNo": "B", "customerName": "\ud800"}
    server.on("GET /orders", Reply({"data": [good, bad], "last_page": 1}))
    with pytest.warns(RejectedRowsWarning):
        frame = cn.load_orders(staging(), order_nos=["A", "B"])
    refused = cn.rejected(frame)
    assert refused is not None
    assert (frame["order_no"].tolist(), list(map(json.loads, refused["record"]))) == (["A"], [bad])


@pytest.mark.parametrize("newest", ["new", "paid"])
def test_an_order_that_came_in_two_versions_is_asked_again(
    server: ScriptedServer, staging: Connect, newest: str
) -> None:
    """The answer to that question wins, whichever version it is."""

    def order(number: str, status: str) -> Json:
        return {"orderNo": number, "channelId": "C", "orderDate": "2024-02-29T10:00:00Z", "status": status}

    def answer(seen: ReceivedRequest) -> Reply:
        again = (
            [order("A\0B", newest)]
            if "orders" in seen.body
            else [order("A\0B", "new"), order("A\0C", "x"), order("A\0B", "paid")]
        )
        return Reply({"data": again, "last_page": 1})

    server.on("GET /orders", answer)
    frame = cn.load_orders(staging(), "2024-02-29", "2024-02-29", channel_id="C")
    assert _cells(frame, ["order_no", "status"]) == [["A\0B", newest], ["A\0C", "x"]]
    assert [seen.body.get("orders") for seen in server.of("GET /orders")] == [None, "A\0B"]


def test_blank_and_doubled_keys_are_rejects(server: ScriptedServer, staging: Connect) -> None:
    """A blank order number, a blank SKU, a SKU said twice in its warehouse; a blank that is a character is a key."""
    orders = [
        {
            "orderNo": number,
            "channelId": "C",
            "orderDate": "2024-02-29T10:00:00Z",
            "lineItems": [{"productSku": sku, "quantity": 1}],
        }
        for number, sku in (("", "S"), (" ", "S"), ("A", ""), ("B", " "))
    ]
    rows = [("S", "1"), ("s", "2"), ("S", "3"), ("", "4"), ("S ", "5"), (None, "6")]
    server.on("GET /orders", Reply({"data": orders, "last_page": 1}))
    server.on(
        "GET /inventories",
        Reply(
            {
                "data": [
                    {
                        "warehouseCode": "W",
                        "warehouseInventory": [{"productSku": sku, "quantity": units} for sku, units in rows],
                    }
                ]
            }
        ),
    )
    with pytest.warns(RejectedRowsWarning):
        frame = cn.load_orders(staging(), "2024-02-29", "2024-02-29", channel_id="C")
    with pytest.warns(RejectedRowsWarning):
        lines = cn.load_line_items(staging(), "2024-02-29", "2024-02-29", channel_id="C")
    with pytest.warns(RejectedRowsWarning):
        stock = cn.load_actual_stock(staging())
    refused = [cn.rejected(found) for found in (frame, lines, stock)]
    assert frame["order_no"].tolist() == [" ", "A", "B"]
    assert _cells(lines, ["order_no", "product_sku"]) == [[" ", "S"], ["B", " "]]
    assert _cells(stock, ["product_sku", "quantity"]) == [["S", 1], ["S ", 5], ["s", 2]]
    assert [
        sorted(zip(found["record_index"], found["column"], strict=True)) for found in refused if found is not None
    ] == [
        [(0, "order_no")],
        [(0, "order_no"), (2, "product_sku")],
        [(2, "product_sku"), (3, "product_sku"), (5, "product_sku")],
    ]


@pytest.mark.parametrize(
    ("sent", "read"),
    [("58", 58), (58, 58), ("58.0", 58), (58.0, 58), ("-58", -58), (-58.0, -58), ("0", 0), (2**63 - 1, 2**63 - 1)]
    + [(sent, None) for sent in ("58.5", 58.5, "", "abc", "null", None, True, 2**63, "1,000", " 58", [58])],
)
def test_a_quantity_is_whole_units_or_a_reject(
    server: ScriptedServer, staging: Connect, sent: Any, read: int | None
) -> None:
    """In stock and in orders alike, however it is written."""
    row = {"productSku": "S", "quantity": sent}
    good = {"productSku": "T", "quantity": 1}
    order = {"orderNo": "A", "channelId": "C", "orderDate": "2024-02-29", "lineItems": [row, good]}
    server.on("GET /orders", Reply({"data": [order], "last_page": 1}))
    server.on("GET /inventories", Reply({"data": [{"warehouseCode": "W", "warehouseInventory": [row, good]}]}))
    for load in (cn.load_actual_stock, lambda client: cn.load_line_items(client, order_nos=["A"])):
        if read is None:
            with pytest.warns(RejectedRowsWarning):
                frame = load(staging())
            refused = cn.rejected(frame)
            assert refused is not None
            assert refused["column"].tolist() == ["quantity"]
        else:
            frame = load(staging())
        assert _cells(frame, ["product_sku", "quantity"]) == [["S", read]] * (read is not None) + [["T", 1]]


@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("nextAvailabileQuantity", "next_availabile_quantity"),
        ("nextAvailableQuantity", "next_available_quantity"),
        ("isDiscontinued", "is_discontinued"),
        ("nextAvailabilityDate", "next_availability_date"),
    ],
)
def test_a_text_that_reads_null_is_no_null(server: ScriptedServer, staging: Connect, field: str, column: str) -> None:
    """Where a number, a flag or a date belongs it is a reject, not a silent nothing."""
    rows = [{"productSku": "S", "quantity": 1, field: "null"}, {"productSku": "T", "quantity": 1, field: None}]
    server.on("GET /inventories", Reply({"data": [{"warehouseCode": "W", "warehouseInventory": rows}]}))
    with pytest.warns(RejectedRowsWarning):
        stock = cn.load_actual_stock(staging())
    refused = cn.rejected(stock)
    assert refused is not None
    assert (stock["product_sku"].tolist(), refused["column"].tolist()) == (["T"], [column])


@pytest.mark.parametrize("number", [12, 10**19, 10**30])
def test_numbers_of_shipments_keep_their_digits(server: ScriptedServer, staging: Connect, number: int) -> None:
    """Sent as numbers, they are the text of their digits, however many."""
    shipment = {"orderNo": number, "channelId": number, "trackingNumber": number, "note": number}
    server.on("GET /shipments", Reply({"data": [shipment], "last_page": 1}))
    frame = cn.load_shipments(staging(), order_nos=["A"], channel_id="C")
    columns = ["order_no", "channel_id", "tracking_number", "note"]
    assert _cells(frame, columns) == [[str(number)] * 4]


def test_dates_of_all_ages_stand_side_by_side(server: ScriptedServer, staging: Connect) -> None:
    """Nanoseconds in one row, the year 9999 for "never" in the next: neither costs the other."""
    dates = ["2024-02-29T01:02:03.123456789Z", "9999-12-31", "1600-01-01T23:00:00Z", None, "", "2024-02-29"]
    rows = [
        {"productSku": str(number), "quantity": 1, "nextAvailabilityDate": text} for number, text in enumerate(dates)
    ]
    server.on("GET /inventories", Reply({"data": [{"warehouseCode": "W", "warehouseInventory": rows}]}))
    stock = cn.load_actual_stock(staging())
    days = [None if pd.isna(day) else f"{day:%Y-%m-%d}" for day in stock["next_availability_date"]]
    assert days == ["2024-02-29", "9999-12-31", "1600-01-01", None, None, "2024-02-29"]


def test_a_million_prices_add_up_to_the_cent() -> None:
    """Four decimals, returns and credits: each price is the nearest float to what was sent, the sum is exact."""
    size, random = 1_000_000, np.random.default_rng(7)
    prices, units = random.integers(-(10**8), 10**9, size), random.integers(-50, 100, size)
    lines = [
        f'{{"productSku":"S","quantity":{unit},"price":{"-" * (price < 0)}{abs(price) // 10_000}.{abs(price) % 10_000:04}}}'
        for price, unit in zip(prices.tolist(), units.tolist(), strict=True)
    ]
    pages = [
        f'[{{"orderNo":"{start:07}","channelId":"C","orderDate":"2024-02-29","lineItems":[{",".join(lines[start : start + 1000])}]}}]'.encode()
        for start in range(0, size, 1000)
    ]
    found = build_frames(
        [decode_orders("C", pages[start : start + 50]) for start in range(0, len(pages), 50)], "C"
    ).line_items
    assert (found["price"].to_numpy() == prices / 10_000).all()
    assert (found["quantity"].to_numpy() == units).all()
    sales = cn.summarize_sales(found, by=())
    total = sum(price * unit for price, unit in zip(prices.tolist(), units.tolist(), strict=True))
    assert round(sales.loc[0, "line_value"] * 10_000) == total
    assert sales.loc[0, "units"] == int(units.sum())
