"""Decode pages of orders into Arrow columns: strictly if they are as documented, else leniently."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cenports_nb.api.retrieval.decoded_page import DecodedPage, JoinedPages, split_pages
from cenports_nb.errors import UnexpectedAnswerError
from cenports_nb.frames.arrow_columns import POOL
from cenports_nb.frames.decoding import arrow_orders, lenient_orders
from cenports_nb.frames.line_status import CLOSED_WORDS
from cenports_nb.frames.provenance import Reject

QUARTER_HOUR_MICROSECONDS = 15 * 60 * 1_000_000
"""The midnights of all time zones are at multiples of a quarter of an hour."""
KEY_COLUMNS = frozenset({"channel_id", "order_no", "order_date"})
WAREHOUSE_COLUMN = "ship_from_warehouse_code"
"""A column of orders and of lines; a line without it takes that of its order."""
MAX_REFUSED_PAGES = 2
"""After so many refused pages in a row, the rest of a chunk goes directly to the lenient decoder."""


def decode_orders(channel_id: str | None, pages: Sequence[bytes | memoryview]) -> DecodedPage:
    """Decode pages, each a JSON list of orders; what can't be read becomes a reject.

    Args:
        channel_id: The requested channel, for orders that name none.
        pages: The received JSON.
    """
    strict = arrow_orders.decode_strictly(pages, channel_id)
    if strict is not None:
        return _from_strict(strict)
    found: list[DecodedPage] = []
    refused: list[bytes | memoryview] = []
    for page in pages:
        # After several refusals in a row, the strict decoder would most likely refuse the next page too.
        alone = (
            arrow_orders.decode_strictly([page], channel_id)
            if len(pages) > 1 and len(refused) < MAX_REFUSED_PAGES
            else None
        )
        if alone is None:
            refused.append(page)
            continue
        if refused:
            found.append(_decode_leniently(refused, channel_id))
            refused = []
        found.append(_from_strict(alone))
    return JoinedPages([*found, _decode_leniently(refused, channel_id)] if refused else found)


def decode_line_items(channel_id: str | None, pages: Sequence[bytes | memoryview]) -> DecodedPage:
    """Decode pages for their lines, keeping only key and warehouse of the orders."""
    found = decode_orders(channel_id, pages)
    for part in split_pages(found):
        if isinstance(part, OrderPages):
            for name in part.orders.keys() - KEY_COLUMNS - {WAREHOUSE_COLUMN}:
                part.orders.pop(name)
    return found


@dataclass(frozen=True)
class OrderPages:
    """Orders of some pages with their lines; implements `DecodedPage`.

    Attributes:
        sizes: The number of records of each page, including unreadable ones.
        orders: One value per order, by column of the frame, and `line_count`.
        lines: One value per line, by column of the frame, with `line_item` as sent.
        owners: The order of each line.
        positions: The position of each line in its order, from 1.
        record_indexes: The position of each order among the records.
        rejects: Orders that can't be read.
        line_rejects: Lines that can't be read, by the position of their order.
        unknown: Received fields that aren't documented.
    """

    sizes: Sequence[int]
    orders: dict[str, pa.Array]
    lines: dict[str, pa.Array]
    owners: np.ndarray
    positions: np.ndarray
    record_indexes: np.ndarray
    rejects: Sequence[Reject] = ()
    line_rejects: Sequence[Reject] = ()
    unknown_fields: frozenset[str] = frozenset()

    @property
    def identities(self) -> Sequence[object]:
        """Channel and number of each order; the whole record of one that can't be read."""
        between = pa.scalar("\0", pa.large_string())
        joined = pc.binary_join_element_wise(self.orders["channel_id"], self.orders["order_no"], between)
        return [*joined.to_pylist(), *(reject.record for reject in self.rejects)]

    @property
    def row_count(self) -> int:
        return sum(self.sizes)

    @property
    def days(self) -> Sequence[date]:
        return list(pc.cast(self.orders["order_date"], pa.date32()).to_pylist())

    @property
    def has_times(self) -> bool:
        moments = np.asarray(self.orders["order_date"].cast(pa.int64()))
        return bool((moments % QUARTER_HOUR_MICROSECONDS != 0).any() or self.rejects)

    @property
    def channels(self) -> Collection[str]:
        return frozenset(self.orders["channel_id"].unique().to_pylist())

    @property
    def is_settled(self) -> bool:
        """Whether all lines are closed; records that can't be read are not."""
        if self.rejects or self.line_rejects:
            return False
        words = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(self.lines["status"], "")))
        closed = pa.array(sorted(CLOSED_WORDS), pa.large_string())
        return bool(pc.all(pc.is_in(words, value_set=closed)).as_py() is not False)


def join_order_pages(contents: Sequence[DecodedPage]) -> DecodedPage:
    """Join pages: hundreds of small columns take twice the memory of their values."""
    parts = [part for page in contents for part in split_pages(page) if isinstance(part, OrderPages)]
    if len(parts) < 2:
        return JoinedPages(parts)
    rows = np.cumsum([0, *(len(part.record_indexes) for part in parts)])
    starts = np.cumsum([0, *(sum(part.sizes) for part in parts)])
    return OrderPages(
        tuple(size for part in parts for size in part.sizes),
        {name: _concat([part.orders[name] for part in parts]) for name in parts[0].orders},
        {name: _concat([part.lines[name] for part in parts]) for name in parts[0].lines},
        np.concatenate([part.owners + row for part, row in zip(parts, rows[:-1], strict=True)]),
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.record_indexes + start for part, start in zip(parts, starts[:-1], strict=True)]),
        [
            _shift_reject(reject, int(at))
            for part, at in zip(parts, starts[:-1], strict=True)
            for reject in part.rejects
        ],
        [
            _shift_reject(reject, int(at))
            for part, at in zip(parts, starts[:-1], strict=True)
            for reject in part.line_rejects
        ],
        frozenset().union(*(part.unknown_fields for part in parts)),
    )


def _concat(arrays: Sequence[pa.Array]) -> pa.Array:
    return pa.concat_arrays(arrays, memory_pool=POOL)


def _from_strict(found: arrow_orders.StrictColumns) -> OrderPages:
    """Build pages from the strict decoder's result."""
    orders = {**found.orders, "line_count": pa.array(found.line_counts.astype("int64"))}
    number = len(found.line_counts)
    owners = np.repeat(np.arange(number), found.line_counts)
    return OrderPages(
        found.sizes, orders, found.lines, owners, _number_positions(found.line_counts), np.arange(number),
        unknown_fields=found.unknown_fields,
    )  # fmt: skip


def _decode_leniently(pages: Sequence[bytes | memoryview], channel_id: str | None) -> OrderPages:
    """Normalize pages record by record, and decode the readable part strictly."""
    readable = [lenient_orders.normalize_page(page, channel_id) for page in pages]
    found = arrow_orders.decode_strictly([one.page for one in readable], channel_id)
    if found is None:
        raise UnexpectedAnswerError(
            "A page of GET /orders was read record by record and still can't be made a frame: please report this."
        )
    sizes = tuple(len(one.record_indexes) + len(one.rejects) for one in readable)
    starts = [sum(sizes[:number]) for number in range(len(sizes))]
    orders = {**found.orders, "line_count": pa.array(np.concatenate([one.line_counts for one in readable]))}
    return OrderPages(
        sizes,
        orders,
        found.lines,
        np.repeat(np.arange(len(found.line_counts)), found.line_counts),
        np.concatenate([one.positions for one in readable]),
        np.concatenate([one.record_indexes + start for one, start in zip(readable, starts, strict=True)]),
        [_shift_reject(reject, start) for one, start in zip(readable, starts, strict=True) for reject in one.rejects],
        [
            _shift_reject(reject, start)
            for one, start in zip(readable, starts, strict=True)
            for reject in one.line_rejects
        ],
        frozenset().union(*(one.unknown_fields for one in readable)),
    )


def _shift_reject(reject: Reject, start: int) -> Reject:
    """Count the position of a reject from the first of several pages."""
    return replace(reject, record_index=reject.record_index + start)


def _number_positions(counts: np.ndarray) -> np.ndarray:
    """Number the lines of each order from 1."""
    starts = np.cumsum(counts) - counts
    found: np.ndarray = np.arange(1, int(counts.sum()) + 1) - np.repeat(starts, counts)
    return found
