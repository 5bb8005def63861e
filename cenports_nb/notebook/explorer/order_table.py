"""The table of orders, newest first, and its columns; a customer is a name, or its pseudonym."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.privacy.masking import mask_pii
from cenports_nb.frames.privacy.pseudonyms import PSEUDONYM, SHORT_KINDS, shorten_pseudonym
from cenports_nb.frames.provenance import provenance
from cenports_nb.frames.schema.column_docs import NAME
from cenports_nb.notebook.explorer.order_index import OrderIndex
from cenports_nb.notebook.grid.columns import Column

CUSTOMER_COLUMNS = ("customer_name", "ship_to_name", "contact_name", "bill_to_name")
"""Columns that name the customer: the first one with a value is shown."""
ACKNOWLEDGED_TEXTS = {True: "✓ yes", False: "✗ no", None: "– not known"}
CUSTOMER_HINT = "Masked; the details of an order can show its personal data"
ACKNOWLEDGED_HINT = "What was asked for when the orders were loaded; with_acknowledged=True asks for all"


def name_channels(index: OrderIndex, channels: pd.DataFrame | None = None) -> pd.Series[Any]:
    """Name each order's channel: as in `load_channels`, else as in the order, else by its id.

    Args:
        index: The orders.
        channels: From `load_channels`, or None.
    """
    ids = index.orders["channel_id"]
    names = (
        index.orders["channel"].fillna("") if "channel" in index.orders else pd.Series("", index=ids.index, dtype="str")
    )
    if channels is not None:
        known = channels.dropna(subset="channel_id").drop_duplicates("channel_id").set_index("channel_id")
        names = ids.map(known["channel_name"]).astype("str").fillna(names)
    names = names.where(names.str.strip() != "", ids)
    pairs = pd.DataFrame({"id": ids, "name": names}).drop_duplicates()
    shared = pairs.loc[pairs["name"].duplicated(keep=False), "name"]
    unclear = names.isin(shared) & (names != ids)
    return names.where(~unclear, names + " (" + ids + ")")


def find_reference_time(orders: pd.DataFrame) -> pd.Timestamp:
    """Return the time from which ages are counted: when the orders were fetched, else now."""
    origin = provenance(orders)
    return pd.Timestamp(origin.as_of) if origin and origin.as_of else pd.Timestamp.now("UTC")


def build_order_table(
    index: OrderIndex, channel: pd.Series[Any], now: pd.Timestamp, *, show_pii: bool = False
) -> tuple[pd.DataFrame, list[Column]]:
    """Build the table and its columns; a column that the frames lack is left out.

    Args:
        index: The orders.
        channel: The channel name of each order.
        now: The time from which ages are counted.
        show_pii: Show the names of customers instead of pseudonyms.
    """
    orders = index.orders
    shown: dict[str, Any] = {"order_no": orders["order_no"], "ordered": format_order_times(index), "channel": channel}
    columns = [
        Column("order_no", "Order"),
        Column("ordered", f"Ordered ({index.time_zone})", "instant", hint=f"Days and times of {index.time_zone}"),
        Column("channel", "Channel", choice=True, hide_order=5),
    ]
    given = index.select_given(slice(None), (*CUSTOMER_COLUMNS, ACCOUNT))
    if (names := name_customers(given)) is not None and names.notna().any():
        shown["customer"] = names if show_pii else mask_names(names, given)
        columns.append(
            Column("customer", "Customer", choice=True, hint="" if show_pii else CUSTOMER_HINT, hide_order=8)
        )
    for name, title, hide_order in (("ship_to_country", "Country", 7), ("ship_to_state", "State", 3)):
        places = index.select_given(slice(None), (name,)).reset_index(drop=True)
        if name in places and (texts := read_text(places[name])).notna().any():
            shown[name] = texts
            columns.append(Column(name, title, choice=True, hide_order=hide_order))
    if "status" in orders:
        shown["status"] = orders["status"]
        columns.append(Column("status", "Status", choice=True, hide_order=9))
    if "acknowledged" in orders:
        flags = orders["acknowledged"]
        yes, no = (flags.fillna(value=not word).to_numpy(dtype=bool) == word for word in (True, False))
        words = np.where(
            yes, ACKNOWLEDGED_TEXTS[True], np.where(no, ACKNOWLEDGED_TEXTS[False], ACKNOWLEDGED_TEXTS[None])
        )
        shown["acknowledged"] = pd.Series(words, dtype="str")
        columns.append(Column("acknowledged", "Acknowledged", choice=True, hint=ACKNOWLEDGED_HINT, hide_order=4))
    units = np.zeros(len(index), dtype=np.int64)
    lines = index.lines_by_order
    owners = np.repeat(np.arange(len(index)), lines.counts)
    np.add.at(units, owners, index.lines["quantity"].to_numpy()[lines.sorted])
    shown |= {"lines": lines.counts, "units": units}
    columns += [Column("lines", "Lines", "number", hide_order=2), Column("units", "Units", "number", hide_order=6)]
    if "grand_total" in orders:
        shown["grand_total"] = orders["grand_total"]
        columns.append(
            Column(
                "grand_total",
                "Total",
                "money",
                hint="What the customer pays, in the order's own currency",
                hide_order=10,
            )
        )
    today = now.tz_convert(index.time_zone).tz_localize(None).normalize()
    shown["age_days"] = (today - index.days).dt.days.astype("Int64")
    hint = f"Whole days from the order's day to {today:%Y-%m-%d}, {index.time_zone}"
    columns.append(Column("age_days", "Days old", "number", hint=hint, hide_order=1))
    return pd.DataFrame(shown, copy=False), columns


def format_order_times(index: OrderIndex) -> pd.Series[Any]:
    """Format order times in the zone, to the minute; a plain day as the day."""
    texts = np.datetime_as_string(index.local_times.to_numpy(dtype="datetime64[m]"))
    column = pd.Series(texts, dtype="str").str.replace("T", " ", regex=False)
    return column.where(~index.is_plain_day.to_numpy(), column.str[:10]).where(index.local_times.notna().to_numpy())


def name_customers(orders: pd.DataFrame) -> pd.Series[Any] | None:
    """Name the customers; None if the frame has none of their columns."""
    there = [read_text(orders[name]) for name in CUSTOMER_COLUMNS if name in orders.columns]
    if not there:
        return None
    names = there[0]
    for others in there[1:]:
        names = names.fillna(others)
    return names.reset_index(drop=True)


def read_text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Read a column as text, or as nulls if it can't be read: a frame made by a person may hold anything."""
    try:
        return values.astype("str")
    except Exception:  # noqa: BLE001 - raised by a value
        return pd.Series([None] * len(values), index=values.index, dtype="str")


def mask_names(names: pd.Series[Any], frame: pd.DataFrame) -> pd.Series[Any]:
    """Mask the names of a frame's rows for a table that people filter: different names of an account differ in it, too."""
    rows = pd.DataFrame({"customer_name": names.to_numpy()}, dtype="str")
    if ACCOUNT in frame.columns:
        rows[ACCOUNT] = frame[ACCOUNT].to_numpy()
    rows.attrs = frame.attrs
    masked: pd.Series[Any] = mask_pii(rows)["customer_name"]
    whole = masked.dropna().drop_duplicates()
    short = whole.map(lambda text: shorten_pseudonym(text) if PSEUDONYM.fullmatch(text) else text)
    long = whole.str.replace(f"{NAME}-", f"{SHORT_KINDS[NAME]} ", regex=False)
    different = short.where(~short.duplicated(keep=False), long)
    return masked.map(dict(zip(whole, different, strict=True))).astype("str")
