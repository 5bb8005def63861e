"""Judge whether a response without paging fields may have been cut at its length."""

from __future__ import annotations

from datetime import timedelta

from cenports_nb.api.retrieval.decoded_page import DecodedPage, count_records
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.results import WindowResult
from cenports_nb.api.retrieval.windows import Window

ONE_MONTH = timedelta(days=31)


class CapDetector:
    """Remembers the longest response of one retrieval: a longer one shows that a shorter one was not cut.

    A response may be cut at the limit, at a known cap, or at one that nobody knows; then no response is longer.
    """

    def __init__(self, spec: EndpointSpec) -> None:
        self._spec = spec
        self._longest = (0, 0)  # records, and distinct ones: nobody knows which of the two a cap counts

    def judge(self, result: WindowResult, window: Window) -> tuple[bool, bool]:
        """Return whether a window is whole, and whether that still depends on how long other responses are."""
        if result.is_whole is not None:
            return result.is_whole, False
        lengths = _lengths(result.contents)
        self._longest = max(self._longest[0], lengths[0]), max(self._longest[1], lengths[1])
        if lengths[0] >= self._spec.limit:
            return False, False
        caps = self._spec.known_caps
        is_filtered = window.start is not None or window.acknowledged is not None
        # Below the lowest known cap nothing is ever cut.
        if not is_filtered or not caps or min(lengths) < min(caps):
            return not any(length in caps for length in lengths), False
        return True, self.is_longest(result.contents)

    def is_longest(self, contents: DecodedPage) -> bool:
        """Whether no response was longer."""
        return any(length >= most for length, most in zip(_lengths(contents), self._longest, strict=True))


def is_elsewhere(window: Window, contents: DecodedPage) -> bool:
    """Whether records lie in months that no reading of the window's days explains."""
    if window.start is None or window.end is None:
        return False
    days = contents.days
    return bool(days) and (max(days) < window.start - ONE_MONTH or min(days) > window.end + ONE_MONTH)


def _lengths(contents: DecodedPage) -> tuple[int, int]:
    return count_records(contents), len(set(contents.identities))
