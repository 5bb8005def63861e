"""Retrieve every record of some windows, or a verdict on what is missing.

Where a response has paging fields, its pages are followed. Where it has none, it is whole only if nothing suggests that
it was cut; else the window is cut and asked again: by days, then by channel and acknowledgement. What can't be cut any
further is reported as missing: a response that may have been cut never passes as whole.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.capping import CapDetector, is_elsewhere
from cenports_nb.api.retrieval.decoded_page import NO_RECORDS, DecodedPage, count_records
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.results import MissingWindow, Part, RequestCounter, Retrieval
from cenports_nb.api.retrieval.splitting import Density, RangeEnd
from cenports_nb.api.retrieval.window_source import WindowSource
from cenports_nb.api.retrieval.windows import FIRST_DAY, LAST_DAY, ONE_DAY, Window

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
        windows: What to ask for.
        refresh: Ask Cenports even if the cache has it.
        progress: Called with 1 after each response.

    Raises:
        CenportsError: The first response already failed, or in a way that a smaller window can't help.
    """
    counter = RequestCounter(step=progress or (lambda _: None))
    source = WindowSource(client, spec, counter, refresh=refresh)
    splitter = _Splitter(client, spec, source)
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


class _Splitter:
    """Reads a window, and cuts it as often as its responses seem to be cut."""

    def __init__(self, client: Client, spec: EndpointSpec, source: WindowSource) -> None:
        self._spec = spec
        self._source = source
        self._caps = CapDetector(spec)
        self._density = Density(spec.limit)
        self._range_end = RangeEnd(client, source)

    def read(self, window: Window, *, refresh: bool, is_piece: bool = False) -> Iterator[Part]:
        """Read one window, cut as often as needed; each part says if it is not whole.

        Of a piece of a window that was answered, all days of that response are wanted.
        """
        if self._density.exceeds(window):
            yield from self._cut(window, NO_RECORDS, refresh=refresh, is_piece=is_piece)
            return
        result = self._source.read(window, refresh=refresh)
        if isinstance(result, str):
            yield Part(window, NO_RECORDS, result)
            return
        contents = result.contents
        if result.reason:
            yield Part(window, contents, result.reason, at=result.at)
            return
        is_whole, is_suspect = self._caps.judge(result, window)
        if is_whole:
            if window.days and not window.order_nos and result.is_whole is None:
                shared_days = self._range_end.shared_days(window)
                self._density.learn_whole(window, count_records(contents), shared_days)
            yield Part(window, contents, is_suspect=is_suspect, at=result.at)
        elif is_elsewhere(window, contents):  # smaller windows would only bring it again
            reason = (
                f"its {count_records(contents)} records lie in other months: Cenports seems not to read the days asked "
                "for"
            )
            yield Part(window, contents, reason, at=result.at)
        else:
            self._density.learn_cut(window, contents)
            # What depends on a fresh response is asked now: an older part may lack what the response has.
            yield from self._cut(window, contents, refresh=refresh or result.is_fresh)

    def settle_suspects(self, parts: Sequence[Part], *, refresh: bool, is_piece: bool = False) -> list[Part]:
        """Decide about responses that may be cut at their length: a longer one shows that they are not.

        The others are cut, to see whether more comes.
        """
        settled: list[Part] = []
        for part in parts:
            if not (part.is_suspect and self._caps.is_longest(part.contents)):
                settled.append(part)
                continue
            if is_piece:  # even a piece is no shorter: it is a cap
                self._density.max_records = min(self._density.max_records, count_records(part.contents))
                self._density.learn_cut(part.window, part.contents)
            smaller = list(self._cut(part.window, part.contents, refresh=refresh, probe=is_piece))
            settled += self.settle_suspects(smaller, refresh=refresh, is_piece=True)
        return settled

    def _cut(
        self, window: Window, contents: DecodedPage, *, refresh: bool, is_piece: bool = True, probe: bool = True
    ) -> Iterator[Part]:
        """Read a window in pieces; every record of its own response must be in one of them."""
        if probe and window.days > 1 and not self._range_end.is_known:
            self._range_end.probe(window, contents, refresh=refresh)
        window = self._range_end.include_last_day(window) if is_piece else window
        shared_days = 0 if window.end_included or self._range_end.is_known else 1
        end_included = window.end_included or self._range_end.is_included
        pieces = window.cut(self._density.pieces(window, shared_days), end_included=end_included)
        pieces = pieces or tuple(self._cut_finer(window, contents, refresh=refresh))
        parts = [part for piece in pieces for part in self.read(piece, refresh=refresh, is_piece=is_piece)]
        known = {identity for part in parts for identity in part.contents.identities}
        strays = sum(identity not in known for identity in contents.identities)
        if not pieces:
            records = f"{count_records(contents)} records, where an answer may be cut at that number"
            yield Part(window, contents, f"{records}, and the window can't be split further")
        elif strays and window.acknowledged is None and not any(part.reason for part in parts):
            yield Part(window, contents, f"{strays} of its records are in none of the smaller windows")
        yield from parts  # last, as the newer responses

    def _cut_finer(self, window: Window, contents: DecodedPage, *, refresh: bool) -> Iterator[Window]:
        """Cut what can't be cut by days: to the day itself, by channel, by acknowledgement, any day by days."""
        spec = self._spec
        if self._source.gave_up:
            return
        if window.start != window.end and not window.order_nos and self._range_end.prove(window, refresh=refresh):
            # `[d, d + 1]` holds two days where ends are included.
            yield from replace(window, end_included=True).cut(2, end_included=True)
        elif spec.channels is not None and window.channel_id is None:
            # Old channels may not be listed any more.
            for channel in dict.fromkeys([*spec.channels(), *contents.channels]):
                yield replace(window, channel_id=channel)
        elif spec.channels is not None and window.acknowledged is None:
            for answer in (False, True):
                yield replace(window, acknowledged=answer)
        elif window.start is None and not window.order_nos and (days := contents.days):
            edges = [
                FIRST_DAY,
                max(min(days), FIRST_DAY + ONE_DAY),
                min(max(days) + 2 * ONE_DAY, LAST_DAY - ONE_DAY),
                LAST_DAY,
            ]
            for start, end in itertools.pairwise(edges):
                yield replace(window, start=start, end=end)
