"""How one end point is asked: its parameters, limits, the decoder of its pages, how long they may be cached."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cenports_nb.api.retrieval.decoded_page import Decode, DecodedPage, JoinedPages, RawRecords
from cenports_nb.api.retrieval.windows import Window

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.session import ApiRequest


LEAST_DOCUMENTED_CAP = 30
""""will only return 30 items"."""


@dataclass(frozen=True)
class EndpointSpec:
    """How one end point is asked.

    Attributes:
        path: The end point.
        limit: The most records that one response may have.
        parameters: A window as this end point names it.
        known_caps: Lengths at which responses may be cut silently.
        any_cap_from: From this length on they may be cut at any other number too.
        needs_channel: Whether a window must name its channel.
        decode: Decodes the records of pages.
        join: Joins decoded pages that came one by one.
        max_age: How many seconds old the cached pages of a window may be; 0 where they must not be cached.
        unsettled_age: How old they may be where something in them may still change.
        counts_rows: Whether the total of a response may count rows of records.
        channels: Where a window may be split by channel and acknowledgement, the channels to split by.
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

    def page_request(self, client: Client, window: Window, number: int = 1, url: str | None = None) -> ApiRequest:
        """Build the request of a page: all parameters again, with its number; the server may have forgotten the rest.

        Args:
            client: The account.
            window: What is asked.
            number: The number of the page, from 1.
            url: Its address, if another page links to it.
        """
        parameters = self.parameters(window)
        if number > 1:
            parameters = {**parameters, "page": number}
            url = url or f"{client.settings.base_url}{self.path}?{urlencode({'page': number})}"
        return client.build_request(self.path, parameters, url)
