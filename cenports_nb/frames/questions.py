"""What the loaders ask: days, channels, numbers and warehouses -> windows -> everything that was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from tqdm.auto import tqdm

from cenports_nb.api import paging
from cenports_nb.api.paging import Missing, Read, Source, Window
from cenports_nb.api.records import OrderKey
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames import decode
from cenports_nb.frames.days import Day, range_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Question:
    """What a caller of a loader asked, checked; `numbers` and `channels` are None for all."""

    days: tuple[date, date] | None
    channels: tuple[str, ...] | None
    numbers: tuple[str, ...] | None
    acknowledged: bool | None
    params: dict[str, Any]


def question(
    client: Client,
    start: Day | None,
    end: Day | None,
    *,
    last: str | None,
    channel_id: str | Sequence[str] | None,
    order_nos: Sequence[str] | None,
    acknowledged: bool | None,
) -> Question:
    """Check what was asked.

    Raises:
        InvalidRequestError: It can't be asked, or asks for everything; nothing was sent.
    """
    zone = ZoneInfo(client.settings.time_zone)
    days = range_of(start, end, last, zone, client.clock.now().astimezone(zone).date())
    numbers = names_of(order_nos, "order_nos")
    channels = names_of(channel_id, "channel_id")
    if days is None and numbers is None and acknowledged is None:
        raise InvalidRequestError("Say which: start and end, last='30D', order_nos= or acknowledged=False.")
    params = {
        "start": None if start is None else str(start),
        "end": None if end is None else str(end),
        "last": last,
        "channel_id": None if channels is None else list(channels),
        "order_nos": None if numbers is None else f"{len(numbers)} numbers",
        "acknowledged": acknowledged,
    }
    return Question(days, channels, numbers, acknowledged, params)


def read_orders(
    client: Client,
    asked: Question,
    channels: Callable[[], Sequence[str]],
    *,
    refresh: bool,
    progress: bool | None,
) -> Read:
    """Ask GET /orders; copies that differ are read again, so that the newest answer wins."""
    limit = client.dialect.order_limit
    source = Source(
        "/orders",
        limit,
        lambda window: _order_parameters(window, limit),
        client.dialect.known_caps,
        keep=lambda window: window.acknowledged is None,
        identity=_order_identity,
        channels=channels,
    )
    with _bar(progress, "orders") as step:
        read = paging.read(client, source, _windows(asked, asked.channels or (None,)), refresh=refresh, progress=step)
        again = [
            Window(channel_id=channel, order_nos=chunk, acknowledged=asked.acknowledged)
            for channel, numbers in _differing(read).items()
            for chunk in paging.chunks_of(numbers)
        ]
        if again:
            read = joined([read, paging.read(client, source, again, refresh=True, progress=step)])
    return read


def read_shipments(
    client: Client, asked: Question, channels: Sequence[str], *, refresh: bool, progress: bool | None
) -> Read:
    """Ask GET /shipments, channel by channel."""
    limit = client.dialect.shipment_limit
    source = Source(
        "/shipments",
        limit,
        lambda window: _shipment_parameters(window, limit),
        client.dialect.known_caps,
        keep=lambda window: window.acknowledged is None,
        channels=lambda: (),
    )
    with _bar(progress, "shipments") as step:
        return paging.read(client, source, _windows(asked, channels), refresh=refresh, progress=step)


def read_channels(client: Client, *, refresh: bool) -> Read:
    """Ask GET /channels."""
    source = Source("/channels", client.dialect.order_limit, lambda _: {}, client.dialect.known_caps)
    return paging.read(client, source, [Window()], refresh=refresh)


def read_stock(client: Client, which: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool) -> Read:
    """Ask GET /inventories; a total that may have been cut is asked again, warehouse by warehouse."""
    read = _ask_stock(client, which, codes, refresh=refresh)
    rows, by_code = _stock_rows(read)
    caps = client.dialect.known_caps
    if read.missing or (rows not in caps and not any(number in caps for number in by_code.values())):
        return read
    parts = [_ask_stock(client, which, (code,), refresh=refresh) for code in by_code]
    again = [_stock_rows(part)[0] for part in parts]
    # A number that some answer exceeded is no cap; a larger answer also shows that the first one was cut.
    longest = max([rows, *again], default=0)
    if sum(again) == rows and all(number not in caps or number < longest for number in again):
        return read
    missing = Missing(Window(), f"{rows} stock rows, where an answer may be cut at that number")
    return replace(joined(parts), missing=(missing,))


def joined(reads: Sequence[Read]) -> Read:
    """Put several readings together as one."""
    return Read(
        tuple(record for read in reads for record in read.records),
        tuple(window for read in reads for window in read.asked),
        tuple(hole for read in reads for hole in read.missing),
        min((read.oldest for read in reads if read.oldest), default=None),
        sum(read.requests for read in reads),
        sum(read.cached for read in reads),
    )


def names_of(value: str | Sequence[str] | None, name: str) -> tuple[str, ...] | None:
    """Read one name or several, as texts that can be sent, each once."""
    if value is None:
        return None
    names = (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
    for item in names:
        if not isinstance(item, str) or not item:
            raise InvalidRequestError(f"{name} has {item!r}, which is no text: pass codes as text, such as '0012'.")
        if len(item) > paging.NUMBERS_SIZE or (name in ("order_nos", "warehouse_codes") and "," in item):
            raise InvalidRequestError(
                f"{name} has {item!r}, which has a comma or is longer than 255: it can't be asked for."
            )
    if not names:
        raise InvalidRequestError(f"{name} is empty: leave it out to ask for all.")
    return names


def _windows(asked: Question, channels: Iterable[str | None]) -> list[Window]:
    """Plan what is asked: a day wider on both sides and one for an end that is not included.

    Neither the server's time zone nor whether its end day counts is documented; rows outside are cut later.
    """
    window = Window(acknowledged=asked.acknowledged)
    if asked.days is not None:
        try:
            window = replace(window, start=asked.days[0] - DAY, end=asked.days[1] + 2 * DAY)
        except OverflowError:
            raise InvalidRequestError(
                f"{asked.days[0]} to {asked.days[1]} touches the end of the calendar: ask for fewer days."
            ) from None
    chunks: list[tuple[str, ...]] = [()] if asked.numbers is None else list(paging.chunks_of(asked.numbers))
    return [replace(window, channel_id=channel, order_nos=chunk) for channel in channels for chunk in chunks]


def _order_parameters(window: Window, limit: int) -> dict[str, Any]:
    found: dict[str, Any] = {"limit": limit, "isPaginated": True}
    if window.channel_id is not None:
        found["channelId"] = window.channel_id
    if window.start and window.end:
        found |= {"startDate": window.start.isoformat(), "endDate": window.end.isoformat()}
    if window.order_nos:
        found["orders"] = ",".join(window.order_nos)
    if window.acknowledged is not None:
        found["isAcknowledged"] = window.acknowledged
    return found


def _shipment_parameters(window: Window, limit: int) -> dict[str, Any]:
    found: dict[str, Any] = {"limit": limit, "channelId": window.channel_id}
    if window.start and window.end:
        found |= {"startDate": window.start.isoformat(), "endDate": window.end.isoformat()}
    if window.order_nos:
        found["orders"] = [{"orderNo": number} for number in window.order_nos]
    if window.acknowledged is not None:
        found["acknowledged"] = window.acknowledged
    return found


def _order_identity(record: msgspec.Raw) -> object:
    """Channel and number of an order; of one that has no number, all of it."""
    try:
        found = msgspec.json.decode(record, type=OrderKey)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return bytes(record)
    return bytes(record) if found.order_no is None else (str(found.channel_id), str(found.order_no))


def _differing(read: Read) -> dict[str | None, list[str]]:
    """Find orders that came in copies that differ: channel asked -> numbers that can be asked for."""
    first: dict[object, bytes] = {}
    found: dict[str | None, list[str]] = {}
    for record, window in zip(read.records, read.asked, strict=True):
        identity = _order_identity(record)
        if first.setdefault((window.channel_id, identity), bytes(record)) != bytes(record):
            number = identity[1] if isinstance(identity, tuple) else ""
            numbers = found.setdefault(window.channel_id, [])
            if number not in numbers and "," not in number and 0 < len(number) <= paging.NUMBERS_SIZE:
                numbers.append(number)
    return found


def _ask_stock(client: Client, which: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool) -> Read:
    filters = {"warehouseCode": ",".join(codes)} if codes else {}
    parameters = {**which, **filters, "limit": client.dialect.inventory_limit}
    source = Source("/inventories", 2**31, lambda _: parameters, ())
    return paging.read(client, source, [Window()], refresh=refresh)


def _stock_rows(read: Read) -> tuple[int, dict[str, int]]:
    """Count the stock rows of an answer, in all and by warehouse."""
    codes = decode.stock(read.records)
    counts = codes.frame["warehouse_code"].value_counts()
    return len(codes.frame) + len(codes.rejects), {str(code): int(number) for code, number in counts.items()}


@contextmanager
def _bar(progress: bool | None, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar of answers; by default only after two seconds of real waiting."""
    with tqdm(desc=what, unit=" answers", leave=False, disable=progress is False, delay=0 if progress else 2) as bar:
        yield lambda step: _advance(bar, step)


def _advance(bar: tqdm[Any], step: int) -> None:
    bar.update(step)
