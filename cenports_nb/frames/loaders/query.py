"""What the loaders ask: days, channels, numbers and warehouses -> windows -> everything that was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import msgspec
from tqdm.auto import tqdm

from cenports_nb.api.retrieval import retrieve
from cenports_nb.api.retrieval.decoded_page import Records, split_contents
from cenports_nb.api.retrieval.retrieve import MissingWindow, Retrieval
from cenports_nb.api.retrieval.windows import MAX_NUMBERS_LENGTH, ONE_DAY, Window, chunk_order_numbers, covering
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import Day, parse_range
from cenports_nb.frames.decoding import order_frames
from cenports_nb.frames.loaders.endpoint_specs import channel_source, order_source, shipment_source, stock_source

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


@dataclass(frozen=True)
class LoadQuery:
    """What a caller of a loader asked, checked; `numbers` and `channels` are None for all."""

    days: tuple[date, date] | None
    channels: tuple[str, ...] | None
    numbers: tuple[str, ...] | None
    acknowledged: bool | None
    params: dict[str, Any]

    @property
    def key(self) -> tuple[tuple[date, date] | None, tuple[str, ...] | None, tuple[str, ...] | None, bool | None]:
        """What makes two questions the same."""
        return self.days, self.channels, self.numbers, self.acknowledged


def parse_query(
    client: Client,
    start: Day | None,
    end: Day | None,
    *,
    last: str | None,
    channel_id: str | Sequence[str] | None,
    order_nos: Sequence[str] | None,
    acknowledged: bool | None,
    with_acknowledged: bool = False,
) -> LoadQuery:
    """Check what was asked.

    Raises:
        InvalidRequestError: It can't be asked, or asks for everything; nothing was sent.
    """
    zone = ZoneInfo(client.settings.time_zone)
    days = parse_range(start, end, last, zone, client.clock.now().astimezone(zone).date())
    numbers = parse_names(order_nos, "order_nos")
    channels = parse_names(channel_id, "channel_id")
    if days is None and numbers is None and acknowledged is None:
        raise InvalidRequestError("Say which: start and end, last='30D', order_nos= or acknowledged=False.")
    if with_acknowledged and acknowledged is not None:
        raise InvalidRequestError("Pass either acknowledged= or with_acknowledged=True, not both.")
    params = {
        "start": None if start is None else str(start),
        "end": None if end is None else str(end),
        "last": last,
        "channel_id": None if channels is None else list(channels),
        "order_nos": None if numbers is None else f"{len(numbers)} numbers",
        "acknowledged": acknowledged,
        "with_acknowledged": with_acknowledged or None,
        "time_zone": client.settings.time_zone,
    }
    return LoadQuery(days, channels, numbers, acknowledged, params)


def read_orders(
    client: Client,
    asked: LoadQuery,
    channels: Callable[[], Sequence[str]],
    *,
    refresh: bool,
    progress: bool | None,
    halves: bool = False,
    lines_only: bool = False,
) -> Retrieval:
    """Ask GET /orders; copies that differ are read again, so that the newest answer wins.

    `halves` asks for what is not acknowledged, then for what is: an order that is acknowledged in between
    is in both, and the later answer wins.
    """
    source = order_source(client, channels, lines_only=lines_only)
    windows = _windows(asked, asked.channels or (None,))
    if halves:
        windows = _halved(windows)
    with _bar(client, progress, "orders") as step:
        read = retrieve.retrieve(client, source, windows, refresh=refresh, progress=step)
        again = [
            Window(channel_id=channel, order_nos=chunk, acknowledged=asked.acknowledged)
            for channel, numbers in order_frames.differing(read).items()
            for chunk in chunk_order_numbers([number for number in numbers if _can_be_asked(number)])
            if not halves
        ]
        if again:
            read = joined([read, retrieve.retrieve(client, source, again, refresh=True, progress=step)])
    return read


def read_shipments(
    client: Client,
    asked: LoadQuery,
    channels: Sequence[str],
    *,
    refresh: bool,
    progress: bool | None,
    halves: bool = False,
) -> Retrieval:
    """Ask GET /shipments, channel by channel, for the whole range at once; `halves` as in `read_orders`."""
    with _bar(client, progress, "shipments") as step:
        windows = _windows(asked, channels, by_month=False)
        windows = _halved(windows) if halves else windows
        return retrieve.retrieve(client, shipment_source(client), windows, refresh=refresh, progress=step)


def read_channels(client: Client, *, refresh: bool) -> Retrieval:
    """Ask GET /channels."""
    return retrieve.retrieve(client, channel_source(client), [Window()], refresh=refresh)


def read_stock(client: Client, which: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool) -> Retrieval:
    """Ask GET /inventories; a total that may have been cut is asked again, warehouse by warehouse."""
    read = _ask_stock(client, which, codes, refresh=refresh)
    rows, by_code = _stock_rows(read)
    caps = client.dialect.known_caps
    if read.missing or (rows not in caps and not any(number in caps for number in by_code.values())):
        return read
    # What is asked again hangs on an answer of now: an older one may differ from it.
    parts = [_ask_stock(client, which, (code,), refresh=refresh or read.requests > 0) for code in by_code]
    again = [_stock_rows(part)[0] for part in parts]
    # A number that some answer exceeded is no cap; a larger answer also shows that the first one was cut.
    longest = max([rows, *again], default=0)
    if sum(again) == rows and all(number not in caps or number < longest for number in again):
        return read
    missing = MissingWindow(Window(), f"{rows} stock rows, where an answer may be cut at that number")
    return replace(joined(parts), missing=(missing,))


def list_records(read: Retrieval) -> list[msgspec.Raw]:
    """List the records of a reading whose source keeps their JSON."""
    return [
        record for part in read.parts for page in split_contents(part.contents) for record in cast("Records", page).raw
    ]


def joined(reads: Sequence[Retrieval]) -> Retrieval:
    """Put several readings together as one."""
    return Retrieval(
        tuple(part for read in reads for part in read.parts),
        tuple(hole for read in reads for hole in read.missing),
        min((read.oldest for read in reads if read.oldest), default=None),
        sum(read.requests for read in reads),
        sum(read.cached for read in reads),
    )


def parse_names(value: str | Sequence[str] | None, name: str) -> tuple[str, ...] | None:
    """Read one name or several, as texts that can be sent, each once."""
    if value is None:
        return None
    names = (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
    for item in names:
        if not isinstance(item, str) or not item:
            raise InvalidRequestError(f"{name} has {item!r}, which is no text: pass codes as text, such as '0012'.")
        if len(item) > MAX_NUMBERS_LENGTH or (name in ("order_nos", "warehouse_codes") and "," in item):
            raise InvalidRequestError(
                f"{name} has {item!r}, which has a comma or is longer than 255: it can't be asked for."
            )
    if not names:
        raise InvalidRequestError(f"{name} is empty: leave it out to ask for all.")
    return names


def _windows(asked: LoadQuery, channels: Iterable[str | None], *, by_month: bool = True) -> list[Window]:
    """Plan what is asked: enough for every reading of the server's zone and end; rows outside are cut later."""
    days: list[tuple[date | None, date | None]] = [(None, None)]
    if asked.days is not None:
        start, end = asked.days
        try:
            whole: list[tuple[date | None, date | None]] = [(start - ONE_DAY, end + 2 * ONE_DAY)]
            days = [*covering(start, end)] if by_month and asked.numbers is None else whole
        except (OverflowError, ValueError):
            raise InvalidRequestError(
                f"{start} to {end} touches the end of the calendar: ask for fewer days."
            ) from None
    chunks: list[tuple[str, ...]] = [()] if asked.numbers is None else list(chunk_order_numbers(asked.numbers))
    return [
        Window(
            first,
            after,
            channel_id=channel,
            order_nos=chunk,
            acknowledged=asked.acknowledged,
            until=asked.days and asked.days[1],
        )
        for channel in channels
        for first, after in days
        for chunk in chunks
    ]


def _halved(windows: Sequence[Window]) -> list[Window]:
    """Ask for what is not acknowledged, then for what is."""
    return [replace(window, acknowledged=answer) for answer in (False, True) for window in windows]


def _can_be_asked(number: str) -> bool:
    """Tell order numbers that fit the text of numbers and commas that the API takes."""
    return "," not in number and len(number) <= MAX_NUMBERS_LENGTH


def _ask_stock(client: Client, which: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool) -> Retrieval:
    return retrieve.retrieve(client, stock_source(client, which, codes), [Window()], refresh=refresh)


class _Warehouse(msgspec.Struct, rename="camel"):
    warehouse_code: str | int | None = None
    warehouse_inventory: list[msgspec.Raw] | None = None


def _stock_rows(read: Retrieval) -> tuple[int, dict[str, int]]:
    """Count the stock rows of an answer, in all and by warehouse; what can't be read is one."""
    rows, by_code = 0, dict[str, int]()
    for record in list_records(read):
        try:
            warehouse = msgspec.json.decode(record, type=_Warehouse)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            rows += 1
            continue
        number = len(warehouse.warehouse_inventory or ())
        rows += number
        if warehouse.warehouse_code is not None and number:
            code = str(warehouse.warehouse_code)
            by_code[code] = by_code.get(code, 0) + number
    return rows, by_code


@contextmanager
def _bar(client: Client, progress: bool | None, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar of answers and of waits; by default only after two seconds of real waiting."""
    with tqdm(desc=what, unit=" answers", leave=False, disable=progress is False, delay=0 if progress else 2) as bar:

        def wait(seconds: float) -> None:
            if seconds >= 2:
                bar.set_postfix_str(f"waiting for the rate limit, {seconds:.0f} s")

        def step(number: int) -> None:
            bar.set_postfix_str("", refresh=False)
            bar.update(number)

        with client.usage.watched(wait):
            yield step
