"""The sandbox: an account, its clock, and a server."""

import copy
import threading
from pathlib import Path
from typing import Self

from cenports_nb.sandbox.account.state import AccountState
from cenports_nb.sandbox.clock import Clock
from cenports_nb.sandbox.data.folder import check_order
from cenports_nb.sandbox.data.seed import choose_seed
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.faults import Faults
from cenports_nb.sandbox.http.server import HOST, Server
from cenports_nb.sandbox.http.service import PREFIX, RateLimit, Request, Service
from cenports_nb.sandbox.recording import Recording, read_recording
from cenports_nb.sandbox.records import Json


class Sandbox:
    """A stateful stand-in for the Cenports API on loopback; use it in a `with` block.

    `clock` is its time, `faults` injects failures, `dialect` answers the open questions of the API's reference, and
    `requests` lists what arrived.

    Args:
        orders: The number of orders to generate instead of Northwind's 830.
        seed: The seed of generated orders; the same seed gives the same account.
        data: A folder with `orders.jsonl`, `inventories.json`, `channels.json` and, optionally, `shipments.jsonl`.
        shift: Move all days so that the last order is from yesterday (UTC).
        rate_limit: Maximum requests in any window of real time; None for no limit.
        rate_window: The length of that window in seconds; Cenports' is 60.
        latency: Seconds before each answer; can be changed later.
        port: A port of 127.0.0.1; 0 for a free one.
        clock: The sandbox's time; a new clock if None.
        transaction_seconds: The duration of an asynchronous write on the sandbox's clock; by default 3, or as recorded.
        dialect: How it answers what the API's reference leaves open.
        recording: A file that `cenports-nb doctor --write-probe` wrote: the dialect and the transaction time of an account.

    Raises:
        ValueError: Both `orders` and `data`, both `dialect` and `recording`, an invalid number, or a file that can't be
            read.

    Example:
        >>> with Sandbox(shift=False) as sandbox:
        ...     client = cn.connect("sandbox", base_url=sandbox.url)
        ...     len(cn.load_orders(client, "1998-04-01", "1998-04-30"))
        74
    """

    def __init__(
        self,
        *,
        orders: int | None = None,
        seed: int = 0,
        data: str | Path | None = None,
        shift: bool = True,
        rate_limit: int | None = 60,
        rate_window: float = 60.0,
        latency: float = 0.0,
        port: int = 0,
        clock: Clock | None = None,
        transaction_seconds: float | None = None,
        dialect: Dialect | None = None,
        recording: str | Path | None = None,
    ) -> None:
        if rate_limit is not None and rate_limit < 1:
            raise ValueError("Sandbox(rate_limit=...) must be at least 1, or None for no limit.")
        if rate_window <= 0:
            raise ValueError("Sandbox(rate_window=...) must be more than 0 seconds.")
        if recording is not None and dialect is not None:
            raise ValueError("Sandbox(dialect=..., recording=...): pass one of them, a recording has a dialect.")
        recorded = Recording() if recording is None else read_recording(Path(recording))
        if transaction_seconds is None:
            transaction_seconds = recorded.transaction_seconds
        if latency < 0 or transaction_seconds < 0:
            raise ValueError("Sandbox(latency=..., transaction_seconds=...) can't be negative.")
        self.clock = clock or Clock()
        self.latency = latency
        seeded = choose_seed(orders=orders, seed=seed, data=data, shift=shift, now=self.clock.now())
        self.state = AccountState(seeded, self.clock, transaction_seconds, dialect or recorded.dialect)
        self.faults = Faults()
        self._service = Service(self.state, RateLimit(rate_limit, rate_window), self.faults, lambda: self.url)
        self._port = port
        self._url: str | None = None
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self._lifecycle_lock = threading.Lock()

    @property
    def url(self) -> str:
        """The URL to pass as `base_url`.

        Raises:
            RuntimeError: The sandbox was never started.
        """
        if self._url is None:
            raise RuntimeError("This sandbox has no address yet: use it in a `with` block, or call start().")
        return self._url

    @property
    def requests(self) -> list[Request]:
        """The requests since the start, in order of their answers; the list may be cleared."""
        return self._service.requests

    @property
    def dialect(self) -> Dialect:
        """How it answers what the reference leaves open; a new dialect applies from the next request."""
        return self.state.dialect

    @dialect.setter
    def dialect(self, dialect: Dialect) -> None:
        with self.state.lock:
            self.state.settle()  # writes that have ended took effect under the old dialect
            self.state.dialect = dialect

    def add_order(self, record: Json, *, acknowledged: bool = False) -> None:
        """Add an order in the format of GET /orders; its channel becomes known.

        Raises:
            ValueError: It isn't an order, or its channel already has an order with that number.
        """
        flaw = check_order(record)
        if flaw is not None:
            raise ValueError(f"add_order(): {flaw}.")
        with self.state.lock:
            self.state.settle()
            if self.state.orders.find(record["channelId"], record["orderNo"]):
                raise ValueError(
                    f"add_order(): the order {record['orderNo']} of {record['channelId']} is there already."
                )
            self.state.orders.add(copy.deepcopy(record), acknowledged=acknowledged)
            self.state.channels.add_unlisted(record["channelId"])

    def start(self) -> Self:
        """Start to serve; does nothing if it already serves."""
        with self._lifecycle_lock:
            if self._server is None:
                self._server = Server(self._port, self._service, lambda: self.latency)
                self._url = f"http://{HOST}:{self._server.server_port}{PREFIX}"
                self._thread = threading.Thread(
                    target=self._server.serve_forever, args=(0.02,), name="cenports-sandbox", daemon=True
                )
                self._thread.start()
        return self

    def close(self) -> None:
        """Stop serving and free the port; the account is kept."""
        with self._lifecycle_lock:
            if self._server is not None and self._thread is not None:
                self._server.stop()
                self._thread.join()
            self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sandbox {self._url or 'not started'}, {len(self.state.orders)} orders>"
