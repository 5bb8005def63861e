"""Where the windows of a retrieval come from: cache, prefetch, or a request; and when to give up."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING

from cenports_nb.api.retrieval.cached_windows import read_cached_windows
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.results import RequestCounter, WindowResult
from cenports_nb.api.retrieval.window_fetcher import StoppedError, WindowFetcher, is_final
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import ApiError, CenportsError, OfflineMissError, RateLimitedError, TransportError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MAX_RESPONSES = 20_000
"""Maximum responses of one retrieval."""
MAX_PREFETCHED_WINDOWS = 8
"""Windows read concurrently; together they have no more open requests than one."""
MAX_FAILED_WINDOWS = 2
"""After this many windows in a row without a response, the others are not requested."""


class WindowSource:
    """Reads windows in turn.

    Attributes:
        gave_up: Why no more requests are sent; empty while they are.
    """

    def __init__(self, client: Client, spec: EndpointSpec, counter: RequestCounter) -> None:
        self._client = client
        self._spec = spec
        self._counter = counter
        self._fetcher = WindowFetcher(client, spec, counter)
        self._fetcher.on_page_count = self._prefetch
        self._cached: dict[Window, WindowResult] = {}
        self._prefetched: dict[Window, Future[WindowResult]] = {}
        self._upcoming: Sequence[Window] = ()
        self._failed_in_a_row = 0
        self.gave_up = ""

    def load_cached(self, windows: Sequence[Window], *, refresh: bool) -> None:
        """Read all cached windows, so that a new day needs only one or two requests."""
        self._cached = self._find_cached(windows, refresh=refresh)

    def announce(self, upcoming: Sequence[Window]) -> None:
        """Announce which windows will be read later, for the prefetch."""
        self._upcoming = upcoming

    def stop(self) -> None:
        """Send no more requests: the retrieval is over, or was interrupted."""
        self._fetcher.stop()

    def read(self, window: Window, *, refresh: bool) -> WindowResult | str:
        """Read one window; return the reason if it got no response.

        Raises:
            CenportsError: Nothing works, or it failed in a way that a smaller window can't change.
        """
        if self._counter.responses >= MAX_RESPONSES:
            self.gave_up = f"not asked, because {MAX_RESPONSES:,} answers did not settle the rest"
        if self.gave_up:
            return self.gave_up
        try:
            result = self.read_directly(window, refresh=refresh)
        except (TransportError, ApiError) as error:
            # The first response shows whether anything works; later failures leave a gap that can be named.
            if self._counter.responses == 0 or is_final(error):
                raise
            self._failed_in_a_row += 1
            if isinstance(error, RateLimitedError) or self._failed_in_a_row == MAX_FAILED_WINDOWS:
                self.gave_up = f"not asked, because {window.describe()} got no answer: {error}"
            return str(error)
        self._failed_in_a_row = 0
        return result

    def read_directly(self, window: Window, *, refresh: bool) -> WindowResult:
        """Read one window from cache, prefetch or Cenports, whatever happened before.

        Raises:
            CenportsError: The first page could not be read.
            OfflineMissError: The client is offline and a page is not in the cache.
        """
        result = None if refresh else self._cached.get(window)
        result = result or self._await_prefetched(window) or self._find_cached([window], refresh=refresh).get(window)
        if result is None and self._client.settings.offline:
            raise OfflineMissError(
                f"GET {self._spec.path} for {window.describe()} is not in the cache, and this client is offline: "
                "ask for what was loaded before, or connect without offline=True."
            )
        return result or self._fetcher.fetch(window)

    def _find_cached(self, windows: Sequence[Window], *, refresh: bool) -> dict[Window, WindowResult]:
        """Find windows in the cache: of any age if the client is offline, else unless a refresh is wanted."""
        offline = self._client.settings.offline
        if refresh and not offline:
            return {}
        return read_cached_windows(self._client, self._spec, self._counter, windows, any_age=offline)

    def _prefetch(self) -> None:
        """If pages say how many there are, read all windows concurrently: none is needed to split the next."""
        windows = [window for window in self._upcoming if window not in self._cached]
        if self._prefetched or len(windows) < 2:
            return
        self._prefetched = {window: Future() for window in windows}
        threading.Thread(target=self._run_prefetch, name="cenports-prefetch", daemon=True).start()

    def _run_prefetch(self) -> None:
        run = self._client.runtime.run_concurrently
        try:
            for window, result in run(self._fetcher.fetch, list(self._prefetched), MAX_PREFETCHED_WINDOWS):
                if isinstance(result, Exception):
                    self._prefetched[window].set_exception(result)
                else:
                    self._prefetched[window].set_result(result)
                if isinstance(result, StoppedError | RateLimitedError) or (
                    isinstance(result, CenportsError) and is_final(result)
                ):
                    break  # the others would fail in the same way
        finally:
            for future in self._prefetched.values():
                future.cancel()  # a waiting caller then reads the window itself

    def _await_prefetched(self, window: Window) -> WindowResult | None:
        try:
            return self._prefetched[window].result() if window in self._prefetched else None
        except CancelledError:
            return None
