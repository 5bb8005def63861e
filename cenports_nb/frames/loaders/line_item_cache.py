"""The line items that a load of orders has decoded too, kept in memory for one load of line items."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from cenports_nb.api.http.cache import MAX_CLOCK_SKEW_SECONDS
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.results import Retrieval
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.frames.decoding.order_frames import DecodedOrders

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.frames.loaders.query import QueryKey

MAX_BYTES = 32 * 2**20
"""Larger ones are kept only up to the size of the orders frame, and only if the orders came from the cache."""


@dataclass(frozen=True)
class CachedLines:
    """One retrieval of orders, whose lines are still in memory.

    Attributes:
        key: Days, channels, numbers, acknowledgment.
        orders: The decoded orders.
        retrieval: Its counts, without its parts.
        generation: The account's write generation at that time.
        ages: For each window, when its oldest response was fetched, and whether it may still change.
    """

    key: QueryKey
    orders: DecodedOrders
    retrieval: Retrieval
    generation: str
    ages: tuple[tuple[Window, datetime, bool], ...]


class LineItemCache:
    """The lines of a client's last load of orders; get it with `client.component`."""

    def __init__(self) -> None:
        self._entry: CachedLines | None = None
        self._lock = threading.Lock()  # only one of two loads can take the lines: they become its frame

    def clear(self) -> None:
        """Forget the lines."""
        self._entry = None

    def store(
        self,
        client: Client,
        key: QueryKey,
        orders: DecodedOrders,
        retrieval: Retrieval,
        generation: str | None,
        *,
        frame_bytes: int,
    ) -> None:
        """Keep the lines of a complete retrieval, if responses may be cached and the lines are small enough.

        Args:
            client: The account.
            key: The query.
            orders: The decoded orders.
            retrieval: The retrieval.
            generation: The account's write generation when it began.
            frame_bytes: The size of the orders frame.
        """
        self.clear()
        complete = not retrieval.missing and all(part.at is not None for part in retrieval.parts)
        if generation is None or client.generation != generation or not complete:
            return
        limit = MAX_BYTES if retrieval.requests else max(MAX_BYTES, frame_bytes)
        if sum(array.nbytes for page in orders.pages for array in page.lines.values()) > limit:
            return
        ages = tuple(
            (part.window, part.at, not part.contents.is_settled) for part in retrieval.parts if part.at is not None
        )
        self._entry = CachedLines(key, orders, replace(retrieval, parts=()), generation, ages)

    def take(self, client: Client, key: QueryKey, spec: EndpointSpec) -> tuple[DecodedOrders, Retrieval] | None:
        """Return the lines, once, if the cache could answer the same query."""
        entry = self._entry
        if entry is None or entry.key != key or entry.generation != client.generation:
            return None
        now = client.clock.now()
        for window, at, may_change in entry.ages:
            max_age = min(spec.max_age(window), spec.unsettled_age if may_change else math.inf)
            max_age = math.inf if client.settings.offline else max_age
            if not (max_age == math.inf or -MAX_CLOCK_SKEW_SECONDS <= (now - at).total_seconds() <= max_age):
                return None
        with self._lock:
            if self._entry is not entry:
                return None
            self._entry = None
        responses = entry.retrieval.requests + entry.retrieval.cached
        client.usage.add(cached=responses)
        return entry.orders, replace(entry.retrieval, requests=0, cached=responses)
