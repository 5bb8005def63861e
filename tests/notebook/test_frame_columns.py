"""Test which columns of a frame a notebook shows, how it formats them, and when it says where they come from."""

from __future__ import annotations

import dataclasses
import html
import re
from typing import Any

import pandas as pd
import pytest
from support.frame_views import ORIGIN, loaded, shown

import cenports_nb as cn
from cenports_nb.frames.provenance import attach


def cells(frame: pd.DataFrame) -> list[list[str]]:
    """Read the table of a view: the header and the rows, without row numbers."""
    lines = re.findall("<tr.*?</tr>", shown(frame)["text/html"], re.DOTALL)
    found = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line.replace("<wbr>", ""), re.DOTALL) for line in lines]
    return [line[1:] for line in found]


def test_a_loaded_frame_shows_the_columns_that_matter() -> None:
    """Identifiers, times to the minute, the masked customer, status and money; what is empty is left out."""
    frame = loaded(2).assign(acknowledged=pd.array([None, None], dtype="boolean"), margin=[1.5, None])
    frame["order_date"] = pd.to_datetime(["2026-11-29T14:05:09Z", "2026-11-28T00:00:00Z"]).as_unit("us")
    frame.loc[1, "status"] = None
    header, first, second = cells(frame)
    assert header == [
        "order_no", "customer_order_no", "order_date", "channel_id", "customer_name", "status",
        "ship_from_warehouse_code", "ship_to_country", "grand_total", "line_count", "margin",
    ]  # fmt: skip
    row = dict(zip(header, first, strict=True))
    assert row["order_date"] == "2026-11-29 14:05"
    assert row["customer_name"].startswith("Customer ")
    assert row["margin"] == "1.5"
    row = dict(zip(header, second, strict=True))
    assert (row["order_date"], row["status"], row["margin"]) == ("2026-11-28", "–", "–")
    page = html.unescape(shown(frame)["text/html"])
    assert '>times in UTC · 30 more columns: frame.columns, or pd.set_option("display.max_columns", None) to' in page
    assert f'<td style="text-align:left">{first[0]}</td>' in page
    assert f"<td>{first[8]}</td>" in page


def test_a_selection_is_shown_as_it_was_selected() -> None:
    """A person who asks for an empty column sees that it is empty."""
    frame = loaded(1).assign(contact_email=pd.Series([None], dtype="str"))[
        ["order_no", "contact_email", "ship_to_city"]
    ]
    assert cells(frame)[0] == ["order_no", "contact_email", "ship_to_city"]
    assert "more column" not in shown(frame)["text/html"]


def test_each_frame_of_the_package_is_shown_with_its_key() -> None:
    """Names beside an id are left out, the key and the quantity never."""
    for schema, source in (
        (cn.schemas.LineItems, "GET /orders"),
        (cn.schemas.Shipments, "GET /shipments"),
        (cn.schemas.ActualStock, "GET /inventories"),
        (cn.schemas.AvailableStock, "GET /inventories"),
        (cn.schemas.Warehouses, "GET /inventories"),
        (cn.schemas.Channels, "GET /channels"),
    ):
        frame = attach(schema.example(rows=2), dataclasses.replace(ORIGIN, source=source, rows=2), ())
        important = {"channel_id", "warehouse_code", "product_sku", "quantity", "tracking_number"} & set(frame.columns)
        header = cells(frame)[0]
        assert important <= set(header)
        assert len(header) <= 10
        assert f"2 rows · as of 2026-11-25 10:12:03 UTC · complete · 0 rejected · {source}" in shown(frame)["text/html"]


@pytest.mark.parametrize(
    "derive",
    [
        lambda frame: frame.describe(),
        lambda frame: frame.describe(include="all"),
        lambda frame: frame.head(2).T,
        lambda frame: frame.groupby("ship_to_country")[["grand_total"]].sum(),
        lambda frame: frame.groupby("ship_to_country").first(),
        lambda frame: frame.groupby("channel_id", as_index=False)["grand_total"].sum(),
        lambda frame: frame.isna(),
        lambda frame: frame.pivot_table(index="status", columns="channel_id", values="grand_total"),
    ],
)
def test_what_was_made_of_a_frame_has_no_origin(derive: Any) -> None:
    """Its rows are no rows that were loaded; it still warns of what they lack, and masks."""
    for kind in ("text/html", "text/plain"):
        text = shown(derive(loaded(30)))[kind]
        assert "GET /orders" not in text
        assert "complete" not in text
        assert "Maria" not in text
        assert "⚠ made of INCOMPLETE rows" in shown(derive(loaded(30, complete=False)))[kind]


@pytest.mark.parametrize(
    "derive",
    [
        lambda frame: frame[frame["status"].notna()],
        lambda frame: frame.sort_values("grand_total").reset_index(drop=True),
        lambda frame: frame.set_index("order_no"),
        lambda frame: frame[["order_no", "grand_total"]],
        lambda frame: frame.assign(week=1),
    ],
)
def test_rows_that_were_loaded_keep_their_origin(derive: Any) -> None:
    """Filters, sorting, selections and further columns change no row."""
    assert "· GET /orders ·" in shown(derive(loaded(30)))["text/html"]


def test_stock_summed_over_channels_is_not_what_was_loaded() -> None:
    """It lost a part of its key."""
    origin = dataclasses.replace(ORIGIN, source="GET /inventories", params={"channel_id": ["A"]})
    frame = attach(cn.schemas.AvailableStock.example(), origin, ())
    summed = frame.groupby(["warehouse_code", "product_sku"], as_index=False)["quantity"].sum()
    assert "GET /inventories" in shown(frame)["text/html"]
    assert "GET /inventories" not in shown(summed)["text/html"]


def test_someone_who_sets_max_columns_gets_all_columns() -> None:
    """As many as that, and the line counts the others."""
    frame = loaded(2).assign(bill_to_address2=pd.Series([None] * 2, dtype="str"))
    with pd.option_context("display.max_columns", None):
        assert cells(frame)[0] == [*frame.columns]
        assert "more column" not in shown(frame)["text/html"]
    with pd.option_context("display.max_columns", 6):
        assert cells(frame)[0] == [*frame.columns[:3], "...", *frame.columns[-3:]]
        assert "34 more columns" in shown(frame)["text/html"]


def test_numbers_are_formatted_as_pandas_options_say() -> None:
    """Precision and a format of one's own."""
    frame = loaded(1).assign(grand_total=1234.5678)[["order_no", "grand_total"]]
    assert cells(frame)[1][1] == "1234.5678"
    with pd.option_context("display.precision", 1):
        assert cells(frame)[1][1] == "1234.6"
    with pd.option_context("display.float_format", "{:,.2f}".format):
        assert cells(frame)[1][1] == "1,234.57"
    with pd.option_context("display.max_colwidth", 3):
        assert cells(frame)[1][0] == f"{frame['order_no'].iloc[0][:2]}…"
