"""What a load of orders read along: its lines, kept in memory for one load of line items."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from cenports_nb.api.http.cache import SKEW_S
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.retrieve import Retrieval
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.frames.decoding.order_frames import Orders

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MOST_BYTES = 32 * 2**20
"""What may be kept for the next load, or as much as the frame has that was made of orders from the cache; more than
that is read again."""

TAKING = threading.Lock()
"""Two loads at once may ask for the same lines; only one of them can have them, since they become its frame."""

Asked = tuple[tuple[date, date] | None, tuple[str, ...] | None, tuple[str, ...] | None, bool | None]


@dataclass(frozen=True)
class Remembered:
    """One reading of orders, whose lines are still there.

    Attributes:
        asked: Days, channels, numbers, acknowledgement.
        orders: The reading.
        read: What it took, without its contents.
        generation: The account's writes at the time.
        ages: Each window, when its oldest answer was fetched, and whether something in it may still change.
    """

    asked: Asked
    orders: Orders
    read: Retrieval
    generation: int
    ages: tuple[tuple[Window, datetime, bool], ...]


def remember(
    client: Client, asked: Asked, orders: Orders, read: Retrieval, generation: int | None, *, size: int
) -> None:
    """Keep the lines of a reading, if answers may be kept at all and they are not too large.

    Args:
        client: The account.
        asked: What was asked.
        orders: The reading.
        read: What it took.
        generation: The account's writes when it began.
        size: Bytes of the frame that was made of its orders.
    """
    client.line_item_cache = None
    whole = not read.missing and all(part.at is not None for part in read.parts)
    if generation is None or client.generation != generation or not whole:
        return
    most = MOST_BYTES if read.requests else max(MOST_BYTES, size)
    if sum(array.nbytes for page in orders.pages for array in page.lines.values()) > most:
        return
    ages = tuple((part.window, part.at, not part.contents.settled) for part in read.parts if part.at is not None)
    client.line_item_cache = Remembered(asked, orders, replace(read, parts=()), generation, ages)


def recall(client: Client, asked: Asked, source: EndpointSpec) -> tuple[Orders, Retrieval] | None:
    """Take the reading of the last load of orders, if it may stand for what the cache has."""
    found = client.line_item_cache
    if not isinstance(found, Remembered) or found.asked != asked or found.generation != client.generation:
        return None
    now = client.clock.now()
    for window, at, may_change in found.ages:
        most = source.max_age(window)
        most = min(most, source.unsettled_age) if may_change else most
        most = math.inf if client.settings.offline else most
        if not (most == math.inf or -SKEW_S <= (now - at).total_seconds() <= most):
            return None
    with TAKING:
        if client.line_item_cache is not found:
            return None
        client.line_item_cache = None  # its memory becomes that of the frame
    answers = found.read.requests + found.read.cached
    client.usage.add(cached=answers)
    return found.orders, replace(found.read, requests=0, cached=answers)
