"""The table of orders: one row an order, newest first, and what its columns say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.provenance import provenance
from cenports_nb.notebook.explorer.order_index import OrderBook
from cenports_nb.notebook.grid.columns import Column

ACKNOWLEDGED = {True: "✓ yes", False: "✗ no", None: "– not known"}
CUSTOMER = ("customer_name", "ship_to_name", "contact_name", "bill_to_name")
"""Who stands for an order where people are shown: the first of these that is known."""

ASK = "What was asked for when the orders were loaded; with_acknowledged=True asks for all"


def names_of_channels(book: OrderBook, channels: pd.DataFrame | None = None) -> pd.Series[Any]:
    """Name each order's channel: as `load_channels` has it, else as the order does, else by its id.

    Args:
        book: The orders.
        channels: From `load_channels`, or None.
    """
    ids = book.orders["channel_id"]
    names = (
        book.orders["channel"].fillna("") if "channel" in book.orders else pd.Series("", index=ids.index, dtype="str")
    )
    if channels is not None:
        known = channels.dropna(subset="channel_id").drop_duplicates("channel_id").set_index("channel_id")
        names = ids.map(known["channel_name"]).astype("str").fillna(names)
    names = names.where(names.str.strip() != "", ids)
    pairs = pd.DataFrame({"id": ids, "name": names}).drop_duplicates()
    shared = pairs.loc[pairs["name"].duplicated(keep=False), "name"]
    unclear = names.isin(shared) & (names != ids)
    return names.where(~unclear, names + " (" + ids + ")")


def moment_of(orders: pd.DataFrame) -> pd.Timestamp:
    """Tell as of when orders are old: when they were fetched, else the present."""
    origin = provenance(orders)
    return pd.Timestamp(origin.as_of) if origin and origin.as_of else pd.Timestamp.now("UTC")


def table_of(
    book: OrderBook, channel: pd.Series[Any], now: pd.Timestamp, *, show_pii: bool = False
) -> tuple[pd.DataFrame, list[Column]]:
    """Make the table and its columns; what the frames lack has no column.

    Args:
        book: The orders.
        channel: The name of each one's channel.
        now: As of when they are old.
        show_pii: Whether a column says who ordered.
    """
    orders = book.orders
    shown: dict[str, Any] = {"order_no": orders["order_no"], "ordered": clock_texts(book), "channel": channel}
    columns = [
        Column("order_no", "Order"),
        Column("ordered", f"Ordered ({book.zone})", "instant", hint=f"Days and times of {book.zone}"),
        Column("channel", "Channel", choice=True),
    ]
    if show_pii and (names := customers(book.given(slice(None), CUSTOMER))) is not None:
        shown["customer"] = names
        columns.append(Column("customer", "Customer"))
    if "status" in orders:
        shown["status"] = orders["status"]
        columns.append(Column("status", "Status", choice=True))
    if "acknowledged" in orders:
        flags = orders["acknowledged"]
        yes, no = (flags.fillna(value=not word).to_numpy(dtype=bool) == word for word in (True, False))
        words = np.where(yes, ACKNOWLEDGED[True], np.where(no, ACKNOWLEDGED[False], ACKNOWLEDGED[None]))
        shown["acknowledged"] = pd.Series(words, dtype="str")
        columns.append(Column("acknowledged", "Acknowledged", choice=True, hint=ASK))
    units = np.zeros(len(book), dtype=np.int64)
    lines = book.line_rows
    owners = np.repeat(np.arange(len(book)), lines.counts)
    np.add.at(units, owners, book.lines["quantity"].to_numpy()[lines.sorted])
    shown |= {"lines": lines.counts, "units": units}
    columns += [Column("lines", "Lines", "number"), Column("units", "Units", "number")]
    if "grand_total" in orders:
        shown["grand_total"] = orders["grand_total"]
        columns.append(
            Column("grand_total", "Total", "money", hint="What the customer pays, in the order's own currency")
        )
    today = now.tz_convert(book.zone).tz_localize(None).normalize()
    shown["age_days"] = (today - book.days).dt.days.astype("Int64")
    hint = f"Whole days from the order's day to {today:%Y-%m-%d}, {book.zone}"
    columns.append(Column("age_days", "Days old", "number", hint=hint))
    return pd.DataFrame(shown, copy=False), columns


def clock_texts(book: OrderBook) -> pd.Series[Any]:
    """Write what the zone's clock showed, to the minute; of a plain day, the day."""
    texts = np.datetime_as_string(book.clock.to_numpy(dtype="datetime64[m]"))
    column = pd.Series(texts, dtype="str").str.replace("T", " ", regex=False)
    return column.where(~book.plain.to_numpy(), column.str[:10]).where(book.clock.notna().to_numpy())


def customers(orders: pd.DataFrame) -> pd.Series[Any] | None:
    """Name who ordered, as far as the frame tells; None where it has no such column."""
    there = [orders[name].astype("str") for name in CUSTOMER if name in orders.columns]
    if not there:
        return None
    names = there[0]
    for others in there[1:]:
        names = names.fillna(others)
    return names.reset_index(drop=True)
