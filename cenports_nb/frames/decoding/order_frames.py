"""Decoded pages of GET /orders -> the columns of both frames, orders and line items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from cenports_nb.api.retrieval.decoded_page import count_records, split_pages
from cenports_nb.api.retrieval.results import Retrieval
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.frames.arrow_columns import POOL, fill_blanks, from_arrow
from cenports_nb.frames.dates import local_days
from cenports_nb.frames.decoding.arrow_orders import ARROW_TYPES
from cenports_nb.frames.decoding.fields import LINE_ITEM_FIELDS, ORDER_FIELDS, RAW_LINE_ITEM_FIELD
from cenports_nb.frames.decoding.joined_columns import build_columns, concat_parts, to_pandas, trim_memory
from cenports_nb.frames.decoding.order_pages import KEY_COLUMNS, WAREHOUSE_COLUMN, OrderPages
from cenports_nb.frames.provenance import Reject

MAX_ZONE_OFFSET = np.timedelta64(1, "D")  # the most that a server's time zone can explain
LINE_COUNT_TYPE = {"line_count": pa.int64()}
ORDER_TYPES = {item.name: ARROW_TYPES[item.builder] for item in ORDER_FIELDS} | LINE_COUNT_TYPE
LINE_TYPES = {item.name: ARROW_TYPES[item.builder] for item in (*LINE_ITEM_FIELDS, RAW_LINE_ITEM_FIELD)}
MAX_LINE_NUMBER = 2**31


@dataclass
class DecodedOrders:
    """Orders as received, window by window, and which of them belong in a frame.

    Attributes:
        pages: The decoded pages.
        windows: The window that each of `pages` answers.
        keys: `channel_id`, `order_no` and `order_date` of each received order.
        warehouses: The warehouse that each order names.
        rows: The orders that belong in a frame, in its order.
        rank: The position of each order among those; -1 for the others.
        outside: The number of orders outside the requested days.
        doubt: Evidence that the filter by days means another date.
    """

    pages: Sequence[OrderPages]
    windows: Sequence[Window]
    keys: dict[str, pa.Array]
    warehouses: pa.Array
    rows: np.ndarray
    rank: np.ndarray
    outside: np.ndarray
    filter_doubt: str

    @property
    def unknown_fields(self) -> frozenset[str]:
        """Received fields that aren't documented."""
        return frozenset().union(*(page.unknown_fields for page in self.pages))

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """Orders that can't be read; one received in two windows counts once."""
        found: dict[tuple[str, str | None], Reject] = {}
        for page, window, start in zip(self.pages, self.windows, self._record_offsets(), strict=True):
            for reject in page.rejects:
                found[reject.record, window.channel_id] = replace(reject, record_index=start + reject.record_index)
        return tuple(found.values())

    @property
    def line_rejects(self) -> tuple[Reject, ...]:
        """Lines that can't be read, of orders that are in the frame."""
        found: list[Reject] = []
        row = 0
        for page, start in zip(self.pages, self._record_offsets(), strict=True):
            if page.line_rejects:
                kept = set(page.record_indexes[self.rank[row : row + len(page.record_indexes)] >= 0].tolist())
                found += [
                    replace(reject, record_index=start + reject.record_index)
                    for reject in page.line_rejects
                    if reject.record_index in kept
                ]
            row += len(page.record_indexes)
        return tuple(found)

    def order_columns(self) -> dict[str, Any]:
        """Build the columns of the orders frame, releasing their parts on the way."""
        asked = np.repeat(
            np.array([{None: -1, False: 0, True: 1}[window.acknowledged] for window in self.windows], dtype="int8"),
            [len(page.record_indexes) for page in self.pages],
        )[self.rows]
        found = build_columns([page.orders for page in self.pages], ORDER_TYPES, self.rows)
        found["acknowledged"] = pd.arrays.BooleanArray(asked == 1, asked < 0)
        return found

    def line_columns(self, *, fill_warehouses: bool = False) -> dict[str, Any]:
        """Build the columns of the line-items frame, releasing their parts on the way.

        Args:
            fill_warehouses: Give a line without a warehouse that of its order.
        """
        owners = _join_line_owners(self.pages)
        rank = self.rank[owners]
        rows = np.flatnonzero(rank >= 0)
        rank = rank[rows]
        position = np.concatenate([np.empty(0, "int64"), *(page.positions for page in self.pages)])[rows]
        sent = concat_parts([page.lines for page in self.pages], "line_item", LINE_TYPES["line_item"])
        number = number_lines(sent if len(rows) == len(sent) else sent.take(rows), rank, position)
        by = rank * np.int64(MAX_LINE_NUMBER) + number
        if not bool((by[1:] > by[:-1]).all()):
            order = np.argsort(by, kind="stable")
            rows, rank, number = rows[order], rank[order], number[order]
        types = {name: kind for name, kind in LINE_TYPES.items() if name != "line_item"}
        found = build_columns([page.lines for page in self.pages], types, rows)
        owner = pa.array(self.rows[rank])
        found |= {name: to_pandas(self.keys[name].take(owner)) for name in KEY_COLUMNS}
        found["line_item"] = number
        if fill_warehouses:
            lines, orders = (
                pd.Series(one) for one in (found[WAREHOUSE_COLUMN], to_pandas(self.warehouses.take(owner)))
            )
            found[WAREHOUSE_COLUMN] = fill_blanks(lines, orders).array
        return found

    @property
    def lines_outside(self) -> int:
        """The number of lines of orders outside the requested days."""
        return int(self.outside[_join_line_owners(self.pages)].sum())

    def _record_offsets(self) -> list[int]:
        """Return the number of records before each of `pages`."""
        sizes = [count_records(page) for page in self.pages]
        return [sum(sizes[:number]) for number in range(len(sizes))]


def select_orders(retrieval: Retrieval, days: tuple[date, date] | None, zone: str) -> DecodedOrders:
    """Select the orders that belong in a frame: the last one of several copies, and only the requested days.

    Args:
        retrieval: What was retrieved.
        days: First and last day, both included.
        zone: The zone of these days.
    """
    found = [(page, part.window) for part in retrieval.parts for page in split_pages(part.contents)]
    pages = [cast("OrderPages", page) for page, _ in found]
    windows = [window for _, window in found]
    trim_memory()
    keys = {name: concat_parts([page.orders for page in pages], name, ORDER_TYPES[name]) for name in KEY_COLUMNS}
    newest = ~_find_repeated(keys, keep="last")
    inside, far = _select_days(keys["order_date"], pages, windows, days, zone)
    outliers = int((far & newest).sum())
    doubt = (
        f"{outliers} orders lie more than a day outside the days that they answer: Cenports seems to filter by "
        "another date than order_date, so orders of these days may be missing"
        if outliers
        else ""
    )
    rows = np.flatnonzero(newest & inside)
    chosen = keys if len(rows) == len(inside) else {name: array.take(pa.array(rows)) for name, array in keys.items()}
    by = [(name, "ascending") for name in ("order_date", "channel_id", "order_no")]
    rows = rows[np.asarray(pc.sort_indices(pa.table(chosen), sort_keys=by))]
    rank = np.full(len(inside), -1, dtype="int64")
    rank[rows] = np.arange(len(rows))
    warehouses = concat_parts([page.orders for page in pages], WAREHOUSE_COLUMN, ORDER_TYPES[WAREHOUSE_COLUMN])
    return DecodedOrders(pages, windows, keys, warehouses, rows, rank, newest & ~inside, doubt)


def find_differing_copies(retrieval: Retrieval) -> dict[str | None, list[str]]:
    """Find orders that came in differing copies: requested channel -> their numbers."""
    found = [(cast("OrderPages", page), part.window) for part in retrieval.parts for page in split_pages(part.contents)]
    pages = [page for page, _ in found]
    keys = {
        name: concat_parts([page.orders for page in pages], name, ORDER_TYPES[name])
        for name in ("channel_id", "order_no")
    }
    several = _find_repeated(keys, keep=False)
    if not several.any():
        return {}
    rows = np.flatnonzero(several)
    table = pd.DataFrame({name: from_arrow(array.take(pa.array(rows))) for name, array in keys.items()})
    first = rows[table.groupby(list(table.columns), sort=False).ngroup().drop_duplicates().index.to_numpy()]
    first = first[table.groupby(list(table.columns), sort=False).ngroup().to_numpy()]
    later = first != rows
    differ = _compare_copies(pages, first[later], rows[later])
    windows = np.repeat(np.arange(len(found)), [len(page.record_indexes) for page in pages])
    numbers: dict[str | None, list[str]] = {}
    for row in rows[later][differ].tolist():
        of_channel = numbers.setdefault(found[windows[row]][1].channel_id, [])
        number = keys["order_no"][row].as_py()
        if number not in of_channel:
            of_channel.append(number)
    return numbers


def _find_repeated(keys: dict[str, pa.Array], keep: Any) -> np.ndarray:
    """Mark the copies of repeated orders, except the one to keep."""
    numbers = pc.dictionary_encode(keys["order_no"], memory_pool=POOL).indices.to_numpy()
    found = np.zeros(len(numbers), dtype=bool)
    rows = np.flatnonzero(np.bincount(numbers)[numbers] > 1)  # few or none: the channels of the others don't matter
    if len(rows):
        table = {name: from_arrow(keys[name].take(pa.array(rows))) for name in ("order_no", "channel_id")}
        found[rows] = pd.DataFrame(table, copy=False).duplicated(keep=keep).to_numpy()
    return found


def _compare_copies(pages: Sequence[OrderPages], first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return which pairs of copies of an order differ, in a column or in a line."""
    orders, lines = [page.orders for page in pages], [page.lines for page in pages]
    differ = np.zeros(len(first), dtype=bool)
    for name in orders[0]:  # the columns that were kept
        differ |= _compare_rows(orders, name, first, second)
    owners = _join_line_owners(pages)
    counts = np.bincount(owners, minlength=sum(len(page.record_indexes) for page in pages))
    differ |= counts[first] != counts[second]
    pairs = np.flatnonzero(~differ)
    size = counts[first[pairs]]
    pair = np.repeat(pairs, size)  # of each line
    within = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    starts = np.cumsum(counts) - counts
    for name in LINE_TYPES:
        unlike = _compare_rows(lines, name, starts[first[pair]] + within, starts[second[pair]] + within)
        differ[pair[unlike]] = True
    return differ


def _compare_rows(parts: Sequence[dict[str, pa.Array]], name: str, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return which rows of a column differ; null equals null."""
    column = pa.chunked_array([part[name] for part in parts])  # not joined: that would copy all of it for a few rows
    taken = pc.take(column, pa.array(np.concatenate([first, second])), memory_pool=POOL).combine_chunks()
    left, right = taken.slice(0, len(first)), taken.slice(len(first))
    if left.equals(right):  # as usual, and found faster than row by row
        return np.zeros(len(first), dtype=bool)
    values = pc.fill_null(pc.not_equal(left, right), False)
    differ: np.ndarray = np.asarray(values) | (np.asarray(left.is_null()) != np.asarray(right.is_null()))
    return differ


def _select_days(
    dates: pa.Array, pages: Sequence[OrderPages], windows: Sequence[Window], days: tuple[date, date] | None, zone: str
) -> tuple[np.ndarray, np.ndarray]:
    """Mark the orders of the requested days, and those so far off that no time zone explains it."""
    number = len(dates)
    if days is None:
        return np.ones(number, dtype=bool), np.zeros(number, dtype=bool)
    sizes = [len(page.record_indexes) for page in pages]
    starts = np.repeat(np.array([window.start for window in windows], dtype="datetime64[D]"), sizes)
    ends = np.repeat(np.array([window.end for window in windows], dtype="datetime64[D]"), sizes)
    utc = np.asarray(dates.cast(pa.int64())).view("datetime64[us]").astype("datetime64[D]")
    far = (utc < starts - MAX_ZONE_OFFSET) | (utc > ends + MAX_ZONE_OFFSET)
    local = utc if zone == "UTC" else local_days(pd.Series(to_pandas(dates)), zone).to_numpy().astype("datetime64[D]")
    return (local >= np.datetime64(days[0])) & (local <= np.datetime64(days[1])), far


def _join_line_owners(pages: Sequence[OrderPages]) -> np.ndarray:
    """Return the order of each line, among all received orders."""
    starts = np.cumsum([0, *(len(page.record_indexes) for page in pages)])
    return np.concatenate(
        [np.empty(0, "int64"), *(page.owners + start for page, start in zip(pages, starts[:-1], strict=True))]
    )


def number_lines(sent: pa.Array, owner: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Number lines uniquely within their orders.

    Args:
        sent: `lineItem` as received, text or null.
        owner: The order of each line.
        position: The line's position in the order, from 1.
    """
    has_digits = pc.fill_null(pc.match_substring_regex(sent, r"^\d{1,10}$"), False)
    digits = pc.if_else(has_digits, sent, pa.scalar(None, sent.type))
    read = np.asarray(pc.fill_null(pc.cast(digits, pa.int64()), -1))
    fits = (read >= 0) & (read < MAX_LINE_NUMBER)
    number = np.where(fits, read, position)
    by = owner * np.int64(MAX_LINE_NUMBER) + number
    if bool((by[1:] > by[:-1]).all()):
        return number
    by.sort()
    again = by[1:][by[1:] == by[:-1]]
    if len(again):
        for rows in _group_rows(np.unique(again // MAX_LINE_NUMBER), owner):
            number[rows] = _number_order_lines(read[rows], fits[rows], position[rows])
    return number


def _group_rows(owners: np.ndarray, owner: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each of some orders."""
    rows = np.flatnonzero(np.isin(owner, owners))
    rows = rows[np.argsort(owner[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(owner[rows])) + 1)


def _number_order_lines(read: np.ndarray, fits: np.ndarray, position: np.ndarray) -> np.ndarray:
    """Number the lines of one order: the first line with a number keeps it, others take the next free one."""
    number = position.copy()
    taken: set[int] = set()
    late: list[int] = []
    for i in range(len(read)):
        if fits[i] and int(read[i]) not in taken:
            number[i] = read[i]
            taken.add(int(read[i]))
        else:
            late.append(i)
    for i in late:
        free = int(position[i])
        while free in taken:
            free += 1
        number[i] = free
        taken.add(free)
    return number
