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
from support.api_records import (
    ASKED,
    KEY,
    LINE_COLUMNS,
    MAYBE,
    NAUGHTY,
    ORDER_COLUMNS,
    ORDER_TEXTS,
    ORDERS,
    STOCK_COLUMNS,
    WAREHOUSES,
    read_cells,
)  # fmt: skip
from support.order_decoding import build_frames
from support.property_examples import share_of_examples

import cenports_nb as cn
from cenports_nb.frames.decoding.order_pages import decode_orders
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.dialect import Dialect

pytestmark = pytest.mark.slow

Json = dict[str, Any]
Connect = Callable[..., cn.Client]


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
    assert read_cells(frame, ORDER_COLUMNS) == _expected(sent, ORDER_COLUMNS)
    assert frame["order_date"].tolist() == [pd.Timestamp(order["orderDate"]) for order in sent]
    assert frame["line_count"].tolist() == [len(order["lineItems"]) for order in sent]
    assert frame["acknowledged"].isna().all()
    whole = lines.groupby(["order_date", "channel_id", "order_no"], sort=False)
    for order, (key, found) in zip(sent, whole, strict=True):
        assert key == (pd.Timestamp(order["orderDate"]), order["channelId"], order["orderNo"])
        assert found["line_item"].is_monotonic_increasing
        assert found["line_item"].is_unique
        by_cells = sorted(_expected(order["lineItems"], LINE_COLUMNS), key=repr)
        assert sorted(read_cells(found, LINE_COLUMNS), key=repr) == by_cells
        numbers = [line.get("lineItem") for line in order["lineItems"]]
        if len(set(numbers)) == len(numbers) and set(numbers) <= {"0", "1", "2", "3"}:
            by_number = sorted(order["lineItems"], key=lambda line: line["lineItem"])
            assert read_cells(found, LINE_COLUMNS) == _expected(by_number, LINE_COLUMNS)


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
    assert read_cells(frame, ORDER_COLUMNS) == _expected(_in_order(orders), ORDER_COLUMNS)
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
        assert read_cells(stock, columns) == [list(row[:4]) for row in rows]
        assert read_cells(stock, STOCK_COLUMNS) == _expected([row[4] for row in rows], STOCK_COLUMNS)
        assert (stock["quantity"].dtype, cn.rejected(stock).empty) == ("int64", True)  # type: ignore[union-attr]
    assert set(available["channel_id"]) <= {"C"}
    sent = sorted(
        (warehouse["warehouseCode"], warehouse["warehouseName"])
        for warehouse in warehouses
        if warehouse["warehouseName"] is not None
    )
    assert [
        tuple(row) for row in read_cells(places, ["warehouse_code", "warehouse_name"]) if row[1] is not None
    ] == sent
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
    assert sorted(read_cells(frame, columns), key=repr) == sorted(_expected(sent, columns), key=repr)
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
    assert read_cells(frame, ["channel_id", "customer_name", "grand_total"]) == [["A", "of A", 1.0], ["B", "of B", 2.0]]
    assert read_cells(lines, ["channel_id", "product_sku"]) == [["A", "A"], ["B", "B"]]


def test_many_prices_add_up_to_the_cent() -> None:
    """Four decimals, returns and credits: each price is the nearest float to what was sent, the sum is exact."""
    size, random = 200_000, np.random.default_rng(7)
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
