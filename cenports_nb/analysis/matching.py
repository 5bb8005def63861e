"""Orders and their shipments: shipped, not shipped, or without an order."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.account_column import per_account
from cenports_nb.frames.arrow_columns import decode_categories, take_text
from cenports_nb.frames.dates import local_days, parse_time_zone
from cenports_nb.frames.line_status import is_open
from cenports_nb.frames.provenance import read_time_zone
from cenports_nb.frames.row_keys import IntArray, compact_codes, encode_keys, index_first_rows, sum_by_code
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.frame_kinds import refuse_swapped
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.schema.validation import validate_columns

SIDES = ("both", "order_only", "shipment_only", "ambiguous")


@per_account("line_items", "shipments")
def match_shipments(line_items: pd.DataFrame, shipments: pd.DataFrame, *, time_zone: str | None = None) -> pd.DataFrame:
    """Match orders with shipments, one row per order.

    The API's reference doesn't document what a shipment contains, so orders are matched, not lines: by (`channel_id`,
    `order_no`), and where a shipment names no channel by `order_no`, if only one channel has an order with that number.
    shipment_count = number of shipments; days_to_ship = day of the first shipment - day of the order.

    Args:
        line_items: From `load_line_items`.
        shipments: From `load_shipments`, over the same days and some later ones, because orders ship later.
        time_zone: IANA zone of the days; by default the zone in which the frames were loaded, else UTC. Plain days
            stay as they are.

    Returns:
        `channel_id order_no order_date`, `lines`, `units`, `open_lines`, `open_units` (`Int64`; open by the status of
        the lines), `shipped` (there is a shipment), `open` (a line is open; both shipped and open means a partial
        shipment or a late status), `shipment_count`, `without_tracking` (shipments, `int64`), `first_ship_date`,
        `last_ship_date` (UTC), `tracking_numbers` (distinct, joined by `, `), `days_to_ship` (`Int64` calendar days)
        and `side`: `both`, `order_only`, `shipment_only` (no such order in `line_items`) or `ambiguous` (the shipment
        names no channel, and several channels have that order number; `channel_id` is null). Ordered by channel and
        order number, null channels last.

    Raises:
        InvalidRequestError: A column is missing or can't be read.

    Example:
        >>> line_items, shipments = cn.load_line_items(client, last="90D"), cn.load_shipments(client, last="90D")
        >>> cn.match_shipments(line_items, shipments)["side"].value_counts().to_dict()
        {'both': 181, 'order_only': 21, 'shipment_only': 20}
    """
    refuse_swapped(line_items=line_items, shipments=shipments)
    zone = read_time_zone(time_zone, line_items, shipments)
    parse_time_zone(zone)
    needed = [*ORDER_KEYS, "order_date", "quantity", "status"]
    lines = validate_columns(line_items, schemas.LineItems, "line_items", needed).reset_index(drop=True)
    shipped_rows = validate_columns(
        shipments, schemas.Shipments, "shipments", ["order_no", "channel_id", "ship_date", "tracking_number"]
    ).reset_index(drop=True)
    channel, ambiguous = _fill_channels(lines, shipped_rows)
    # Null channels get the last code.
    channels = encode_keys([lines["channel_id"]], [channel])
    orders = encode_keys([lines["order_no"]], [shipped_rows["order_no"]])
    line_codes, shipment_codes = (
        np.where(rows < 0, channels.size, rows) * orders.size + number
        for rows, number in zip(channels.rows, orders.rows, strict=True)
    )
    numbers, size = compact_codes(np.concatenate([line_codes, shipment_codes]), (channels.size + 1) * orders.size)
    line_codes, shipment_codes = numbers[: len(lines)], numbers[len(lines) :]
    at_line, at_shipment = index_first_rows(line_codes, size), index_first_rows(shipment_codes, size)
    has_lines, has_shipments = at_line >= 0, at_shipment >= 0
    is_ambiguous = np.zeros(size, dtype=bool)
    is_ambiguous[shipment_codes[ambiguous]] = True

    is_open_line = is_open(lines["status"]).to_numpy()
    count, open_count = (np.bincount(rows, minlength=size) for rows in (line_codes, line_codes[is_open_line]))
    quantity = lines["quantity"].to_numpy()
    units = sum_by_code(line_codes, quantity, size)
    open_units = sum_by_code(line_codes, np.where(is_open_line, quantity, 0), size)
    ship_dates = shipped_rows["ship_date"].groupby(shipment_codes)
    first, last = ship_dates.min().reindex(range(size)), ship_dates.max().reindex(range(size))
    ordered = lines["order_date"].reindex(at_line).reset_index(drop=True)
    tracked = (shipped_rows["tracking_number"].fillna("") != "").to_numpy()
    either = np.where(has_lines, at_line, len(lines) + at_shipment)
    side = np.where(is_ambiguous, 3, np.where(~has_lines, 2, np.where(has_shipments, 0, 1))).astype(np.int8)
    return pd.DataFrame(
        {
            "channel_id": take_text(either, lines["channel_id"], channel),
            "order_no": take_text(either, lines["order_no"], shipped_rows["order_no"]),
            "order_date": ordered,
            "lines": pd.arrays.IntegerArray(count.astype(np.int64), ~has_lines),
            "units": pd.arrays.IntegerArray(units, ~has_lines),
            "open_lines": pd.arrays.IntegerArray(open_count.astype(np.int64), ~has_lines),
            "open_units": pd.arrays.IntegerArray(open_units, ~has_lines),
            "shipped": has_shipments,
            "open": open_count > 0,
            "shipment_count": np.bincount(shipment_codes, minlength=size),
            "without_tracking": np.bincount(shipment_codes[~tracked], minlength=size),
            "first_ship_date": first,
            "last_ship_date": last,
            "tracking_numbers": _join_texts(shipped_rows["tracking_number"][tracked], shipment_codes[tracked], size),
            "days_to_ship": (local_days(first, zone) - local_days(ordered, zone)).dt.days.astype("Int64"),
            "side": decode_categories(side, SIDES),
        },
        copy=False,
    )


def _fill_channels(
    lines: pd.DataFrame, shipped_rows: pd.DataFrame
) -> tuple[pd.Series[Any], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Fill in missing channels of shipments if only one channel has the order; also mark ambiguous ones."""
    nameless = shipped_rows["channel_id"].isna().to_numpy()
    if not nameless.any():
        return shipped_rows["channel_id"], nameless
    orders = lines[ORDER_KEYS].drop_duplicates()
    several = orders["order_no"].duplicated(keep=False)
    single = orders[~several].set_index("order_no")["channel_id"]
    filled = shipped_rows["channel_id"].where(~nameless, shipped_rows["order_no"].map(single)).astype("str")
    return filled, nameless & shipped_rows["order_no"].isin(orders.loc[several, "order_no"]).to_numpy()


def _join_texts(texts: pd.Series[Any], codes: IntArray, size: int) -> pd.Series[Any]:
    """Join the distinct texts of each code in their order; null if there are none."""
    pairs = sorted({*zip(codes.tolist(), texts.tolist(), strict=True)})
    joined = {code: ", ".join(text for _, text in pairs) for code, pairs in groupby(pairs, itemgetter(0))}
    return pd.Series(joined, dtype="str").reindex(range(size))
