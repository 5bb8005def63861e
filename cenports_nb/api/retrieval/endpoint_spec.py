"""How an end point is requested: its parameters, limits, page decoder, and maximum ages in the cache."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cenports_nb.api.retrieval.decoded_page import Decode, DecodedPage, JoinedPages, RawRecords
from cenports_nb.api.retrieval.windows import Window

LEAST_DOCUMENTED_CAP = 30
""""will only return 30 items"."""


@dataclass(frozen=True)
class EndpointSpec:
    """How an end point is requested.

    Attributes:
        path: The end point.
        limit: The maximum number of records of a response.
        parameters: Converts a window to this end point's parameters.
        known_caps: Lengths at which responses may be cut without saying so.
        any_cap_from: From this length on, responses may be cut at any number.
        needs_channel: Whether a window must name its channel.
        decode: Decodes the records of pages.
        join: Joins decoded pages.
        max_age: Maximum age of a window's cached pages in seconds; 0 if they must not be cached.
        unsettled_age: Maximum age if the records may still change.
        counts_rows: Whether the total of a response may count rows of records.
        channels: The channels to split by, if a window may be split by channel and acknowledgment.
    """

    path: str
    limit: int
    parameters: Callable[[Window], dict[str, Any]]
    known_caps: tuple[int, ...]
    decode: Decode = lambda _, pages: RawRecords(pages)
    join: Callable[[Sequence[DecodedPage]], DecodedPage] = JoinedPages
    max_age: Callable[[Window], float] = lambda _: math.inf
    unsettled_age: float = math.inf
    counts_rows: bool = False
    channels: Callable[[], Sequence[str]] | None = None
    any_cap_from: int = LEAST_DOCUMENTED_CAP
    needs_channel: bool = False
