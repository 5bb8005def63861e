"""Cenports through a client, as the sender, the poller and `verify()` need it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
import pandas as pd

from cenports_nb.api.models import Transaction
from cenports_nb.errors import CenportsWarning, IncompleteError, InvalidRequestError, UnexpectedAnswerError
from cenports_nb.frames.line_status import select_open_lines
from cenports_nb.frames.loaders.orders import load_open_items
from cenports_nb.frames.loaders.stock import load_actual_stock, load_channel_ids
from cenports_nb.frames.schema.keys import LINE_STOCK_KEYS
from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.evidence import order_lookup
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.ports import OrderKey, StockLevels
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


class ClientGateway:
    """Cenports through a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def settle(self) -> timedelta:
        """The time after which nothing of a request can take effect any more."""
        return timedelta(minutes=self._client.dialect.settle_minutes)

    def now(self) -> Moment:
        """Return the time on every clock."""
        clock = self._client.clock
        timeline = getattr(clock, "timeline", None) or self._client.runtime.process
        return Moment(clock.now(), clock.monotonic(), timeline, self._client.session.read_server_clock())

    def learn_time(self) -> None:
        """Get Cenports' own time, if it is unknown, from its answer to a token request."""
        if self._client.session.read_server_clock() is None:
            self._client.session.tokens.header()

    def reserve(self) -> float:
        """Wait until a write may be sent, and return its slot in the rate limit."""
        return self._client.session.reserve_write()

    def send(
        self, head: Head, batch: Batch, rows: Sequence[Row], slot: float, may_depart: Callable[[], bool]
    ) -> Transaction | None:
        """Send a batch once; return None if the call has no transaction."""
        kind = get_write_kind(head)
        answer = self._client.write(kind.method, kind.path, kind.build_body(batch, rows), slot, may_depart)
        return None if kind.is_synchronous else parse_transaction(answer.body, kind.call)

    def pause(self, seconds: float) -> None:
        """Pause all requests of the account for a while."""
        self._client.session.pause(seconds)

    def read_transaction(self, handle: str) -> Transaction:
        """Read a transaction."""
        return parse_transaction(self._client.get("/transaction", {"handle": handle}).body, "GET /transaction")

    def read_stock(self, warehouse_codes: Iterable[str]) -> StockLevels:
        """Read actual stock, past every cache; an unreadable record is a SKU without stock."""
        try:
            return FrameLevels(_load_stock(self._client, sorted(warehouse_codes)))
        except IncompleteError as error:
            return FrameLevels(error.partial, error)

    def read_open_quantities(self, query: OpenLinesQuery) -> dict[tuple[str, str], int]:
        """Sum the units of open lines by warehouse and SKU, past every cache, of orders since the same day."""
        options: dict[str, Any] = {"closed": query.closed} if query.closed else {}
        if query.first_day is not None:
            today = self._client.clock.now().astimezone(ZoneInfo(self._client.settings.time_zone)).date()
            options["lookback"] = f"{max((today - date.fromisoformat(query.first_day)).days, 0) + 1}D"
        with _without_frame_warnings():
            lines = load_open_items(self._client, channel_id=query.channel_id, refresh=True, progress=False, **options)
        found = select_open_lines(lines).groupby(LINE_STOCK_KEYS, as_index=False)["quantity"].sum()
        codes, skus, units = (found[name].tolist() for name in (*LINE_STOCK_KEYS, "quantity"))
        return dict(zip(zip(codes, skus, strict=True), units, strict=True))

    def explain_existing_orders(self, channel_id: str, numbers: Sequence[str]) -> dict[str, str]:
        """Return for each existing order why it must not be created."""
        found = self.find_orders((channel_id, number) for number in numbers)
        return {number: f"channel {channel_id} has it already" for _, number in found}

    def find_orders(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Find existing orders."""
        return order_lookup.find_orders(self._client, keys)

    def find_acknowledgements(self, keys: Iterable[OrderKey]) -> dict[OrderKey, bool]:
        """Return whether existing orders are acknowledged."""
        keys = list(keys)
        # An order that is acknowledged in between is in both answers; the later one is right.
        return {
            key: answer
            for answer in (False, True)
            for key in order_lookup.find_orders(self._client, keys, acknowledged=answer)
        }

    def find_acknowledged_shipments(self, keys: Iterable[OrderKey]) -> set[OrderKey]:
        """Find the orders without unacknowledged shipments."""
        client, find = self._client, order_lookup.find_shipped_orders
        done: set[OrderKey] = set()
        for channel, numbers in order_lookup.group_by_channel(keys).items():
            channels = [channel] if channel else load_channel_ids(client)  # of an order without a known channel
            still_open = {number for _, number in find(client, channels, numbers, acknowledged=False)}
            shipped = {number for _, number in find(client, channels, numbers, acknowledged=True)}
            done |= {(channel, number) for number in shipped - still_open}
        return done

    def write_started(self, batch: Batch) -> None:
        """Cache nothing that a batch may change, until `write_ended`."""
        self._client.write_started(batch.write_id)

    def write_ended(self, batch: Batch) -> None:
        """Make stale what was read while a batch was open."""
        self._client.write_ended(batch.write_id)


class FrameLevels:
    """Stock from a frame; a warehouse is looked up when it is needed.

    With a doubt, rows may be missing; existing rows are right in any case.
    """

    def __init__(self, frame: pd.DataFrame, doubt: IncompleteError | None = None) -> None:
        self._frame = frame
        self._doubt = doubt
        self._by_warehouse: dict[str, dict[str, int]] = {}

    def get(self, key: tuple[str, str], /) -> int | None:
        """Return the units; None if the warehouse does not have the SKU.

        Raises:
            IncompleteError: The stock lacks the SKU, and may be incomplete.
        """
        code, sku = key
        if code not in self._by_warehouse:
            rows = self._frame[(self._frame["warehouse_code"] == code).to_numpy()]
            self._by_warehouse[code] = dict(zip(rows["product_sku"].tolist(), rows["quantity"].tolist(), strict=True))
        found = self._by_warehouse[code].get(sku)
        if found is None and self._doubt is not None:
            raise self._doubt
        return found


def parse_transaction(body: bytes, what: str) -> Transaction:
    """Parse a transaction, bare or in an envelope's `data`.

    Raises:
        UnexpectedAnswerError: It has no handle.
    """
    try:
        found: Any = msgspec.json.decode(body)
        if isinstance(found, dict) and "handle" not in found and isinstance(found.get("data"), dict):
            found = found["data"]
        transaction = msgspec.convert(found, Transaction, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UnexpectedAnswerError(
            f"{what} was answered without a transaction ({error}): ask Cenports' integration team."
        ) from None
    if not str(transaction.handle).strip():
        raise UnexpectedAnswerError(f"{what} was answered with an empty handle: ask Cenports' integration team.")
    transaction.submitted_at = _format_utc(transaction.submitted_at)
    transaction.completed_at = _format_utc(transaction.completed_at)
    return transaction


def _format_utc(value: Any) -> str | None:
    """Normalize a time of Cenports to ISO 8601 in UTC; None if it can't be read, such as PHP's year 0."""
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()


@contextmanager
def _without_frame_warnings() -> Iterator[None]:
    """Ignore warnings that planning has reported already; raised as errors, they would stop a submission halfway."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CenportsWarning)
        yield


def _load_stock(client: Client, warehouse_codes: Sequence[str]) -> pd.DataFrame:
    with _without_frame_warnings():
        try:
            return load_actual_stock(client, warehouse_codes=warehouse_codes or None, refresh=True)
        except InvalidRequestError:
            if not warehouse_codes:
                raise
            return load_actual_stock(client, refresh=True)  # Cenports doesn't know one of the warehouses
