"""Retrieve every record of some windows, or report what is missing.

If a response has paging fields, its pages are followed. If it has none, it is complete only if nothing suggests that it
was cut; else the window is split and requested again: by days, then by channel and acknowledgment. What can't be split
any further is reported as missing: a response that may have been cut never passes as complete.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.results import MissingWindow, Part, RequestCounter, Retrieval
from cenports_nb.api.retrieval.splitting import WindowSplitter
from cenports_nb.api.retrieval.window_source import WindowSource
from cenports_nb.api.retrieval.windows import Window

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def retrieve(
    client: Client,
    spec: EndpointSpec,
    windows: Sequence[Window],
    *,
    refresh: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Retrieval:
    """Retrieve every record of these windows.

    Args:
        client: The account.
        spec: The end point.
        windows: The windows.
        refresh: Request from Cenports even if the cache has an answer.
        progress: Called with 1 after each response.

    Raises:
        CenportsError: The first response failed, or one failed in a way that a smaller window can't change.
    """
    counter = RequestCounter(step=progress or (lambda _: None))
    source = WindowSource(client, spec, counter)
    splitter = WindowSplitter(client, spec, source)
    parts: list[Part] = []
    try:
        source.load_cached(windows, refresh=refresh)
        for number, window in enumerate(windows, start=1):
            source.announce(windows[number:])
            parts += splitter.read(window, refresh=refresh)
        parts = splitter.settle_suspects(parts, refresh=refresh)
    finally:
        source.stop()
    return Retrieval(
        tuple(parts),
        tuple(MissingWindow(part.window, part.reason) for part in parts if part.reason),
        counter.oldest,
        counter.requests,
        counter.cached,
    )
