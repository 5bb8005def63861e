"""Loaders: ask, decode, validate, say where it comes from. A frame that is returned is complete."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
import pandera.pandas as pa
from tqdm.auto import tqdm

from cenports_nb import __version__
from cenports_nb.api import paging
from cenports_nb.api.paging import Missing, Read, Source, Window
from cenports_nb.errors import (
    IncompleteError,
    IncompleteWarning,
    InvalidRequestError,
    RejectedRowsError,
    RejectedRowsWarning,
    UnexpectedAnswerError,
)
from cenports_nb.frames import decode, schemas
from cenports_nb.frames.days import Day, local_days, range_of
from cenports_nb.frames.provenance import Provenance, Reject, attach, rejects_frame

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnReject = Literal["warn", "raise"]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class _Handling:
    """What to do with a frame that is not perfect."""

    params: dict[str, Any]
    allow_partial: bool = False
    on_reject: OnReject = "warn"


def load_orders(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    last: str | None = None,
) -> pd.DataFrame:
    """Load orders, one row each, from GET /orders.

    Days are meant in the client's time zone, by `order_date`, both included; instants in the frame are UTC.

    Args:
        client: The account.
        start: First day, `YYYY-MM-DD`, a date or a Timestamp.
        end: Last day.
        channel_id: One sales channel or several; all of them by default.
        order_nos: Only these order numbers.
        acknowledged: Only orders that are (or are not) acknowledged; such answers are never cached.
        refresh: Ask Cenports even if the cache has it.
        progress: Show a bar; by default only when it takes more than two seconds.
        allow_partial: Return what did arrive, with a warning, instead of raising IncompleteError.
        on_reject: `"warn"` keeps unreadable records in `rejected(frame)`; `"raise"` stops.
        last: A span that ends today, such as `"30D"`, instead of start and end.

    Returns:
        The columns of `schemas.Orders`, ordered by `order_date`, `channel_id`, `order_no`.

    Raises:
        InvalidRequestError: A bad day, an unknown channel; nothing, or nothing more, was sent.
        IncompleteError: Records are missing; it carries what did arrive.
        RejectedRowsError: With `on_reject="raise"`.
    """
    days, read = _read_orders(
        client, start, end, last, channel_id, order_nos, acknowledged, refresh=refresh, progress=progress
    )
    decoded = decode.orders(read.records, [window.channel_id for window in read.asked])
    frame, outside = _within(_newest(decoded.frame), days, client)
    frame["acknowledged"] = pd.Series([acknowledged] * len(frame), dtype="boolean", index=frame.index)
    frame = _ordered(frame, ["order_date", "channel_id", "order_no"], schemas.Orders)
    params = _params(start, end, last, channel_id, order_nos, acknowledged)
    return _finish(
        client, "GET /orders", read, frame, decoded.rejects, _Handling(params, allow_partial, on_reject), outside
    )


def load_line_items(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    last: str | None = None,
) -> pd.DataFrame:
    """Load order lines, one row each, from the very pages of `load_orders`: no further request.

    Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.LineItems`, ordered by `order_date`, `channel_id`, `order_no`, `line_item`.
    """
    days, read = _read_orders(
        client, start, end, last, channel_id, order_nos, acknowledged, refresh=refresh, progress=progress
    )
    decoded = decode.line_items(read.records, [window.channel_id for window in read.asked])
    frame, outside = _within(_newest(decoded.frame), days, client)
    frame = _ordered(frame, ["order_date", "channel_id", "order_no", "line_item"], schemas.LineItems)
    params = _params(start, end, last, channel_id, order_nos, acknowledged)
    return _finish(
        client, "GET /orders", read, frame, decoded.rejects, _Handling(params, allow_partial, on_reject), outside
    )


def load_shipments(
    client: Client,
    start: Day | None = None,
    end: Day | None = None,
    *,
    channel_id: str | Sequence[str] | None = None,
    order_nos: Sequence[str] | None = None,
    acknowledged: bool | None = None,
    refresh: bool = False,
    progress: bool | None = None,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
    last: str | None = None,
) -> pd.DataFrame:
    """Load shipments, one row each, from GET /shipments; without a channel, from every channel.

    Which date the API filters by is not documented, so nothing is cut: shipments of the days just before
    and after may be among the rows. Arguments and errors are those of `load_orders`.

    Returns:
        The columns of `schemas.Shipments`, then every other field of the answer as text.
    """
    zone = ZoneInfo(client.settings.time_zone)
    days = range_of(start, end, last, zone, client.clock.now().astimezone(zone).date())
    channels = _names(channel_id, "channel_id")
    if channels is None:
        channels = tuple(load_channels(client)["channel_id"])
    source = Source(
        "/shipments",
        client.dialect.shipment_limit,
        lambda window: _shipment_parameters(window, client.dialect.shipment_limit),
        client.dialect.known_caps,
        keep=lambda window: window.acknowledged is None,
    )
    windows = _windows(days, channels, _names(order_nos, "order_nos"), acknowledged)
    with _bar(progress, "shipments") as step:
        read = paging.read(client, source, windows, refresh=refresh, progress=step)
    decoded = decode.shipments(read.records, [window.channel_id for window in read.asked])
    frame = decoded.frame.drop(columns="_index")
    frame = frame.sort_values(
        ["ship_date", "channel_id", "order_no", "tracking_number"], kind="stable", ignore_index=True
    )
    params = _params(start, end, last, channel_id, order_nos, acknowledged)
    return _finish(
        client,
        "GET /shipments",
        read,
        _validated(frame, schemas.Shipments),
        decoded.rejects,
        _Handling(params, allow_partial, on_reject),
    )


def load_actual_stock(
    client: Client,
    *,
    warehouse_codes: Sequence[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load the units on the shelf, one row a warehouse and SKU, from GET /inventories.

    Args:
        client: The account.
        warehouse_codes: Only these warehouses.
        refresh: Ask Cenports even if the cache has it.
        allow_partial: Return what did arrive, with a warning, instead of raising IncompleteError.
        on_reject: `"warn"` keeps unreadable records in `rejected(frame)`; `"raise"` stops.

    Returns:
        The columns of `schemas.ActualStock`, ordered by `warehouse_code`, `product_sku`.

    Raises:
        IncompleteError: The answer may have been cut.
        RejectedRowsError: With `on_reject="raise"`.
    """
    codes = _names(warehouse_codes, "warehouse_codes")
    read = _read_stock(client, {"actualStock": True}, codes, refresh=refresh)
    decoded = decode.stock(read.records)
    frame = _ordered(decoded.frame, ["warehouse_code", "product_sku"], schemas.ActualStock)
    handling = _Handling({"actual_stock": True, "warehouse_codes": codes}, allow_partial, on_reject)
    return _finish(client, "GET /inventories", read, frame, decoded.rejects, handling)


def load_available_stock(
    client: Client,
    channel_id: str | Sequence[str] | None = None,
    *,
    warehouse_codes: Sequence[str] | None = None,
    refresh: bool = False,
    allow_partial: bool = False,
    on_reject: OnReject = "warn",
) -> pd.DataFrame:
    """Load the units that can still be sold, one row a channel, warehouse and SKU, from GET /inventories.

    Without a channel every channel is read, one request each. Other arguments and errors are those of
    `load_actual_stock`.

    Returns:
        The columns of `schemas.AvailableStock`, ordered by `channel_id`, `warehouse_code`, `product_sku`.
    """
    codes = _names(warehouse_codes, "warehouse_codes")
    channels = _names(channel_id, "channel_id")
    if channels is None:
        channels = tuple(load_channels(client)["channel_id"])
    frames, rejects, reads = [], [], []
    for channel in channels:
        read = _read_stock(client, {"channelId": channel}, codes, refresh=refresh)
        decoded = decode.stock(read.records)
        frames.append(decoded.frame.assign(channel_id=pd.Series([channel] * len(decoded.frame), dtype="str")))
        rejects += decoded.rejects
        reads.append(read)
    if not frames:
        frames = [decode.stock(()).frame.assign(channel_id=pd.Series([], dtype="str"))]
    frame = _ordered(
        pd.concat(frames, ignore_index=True),
        ["channel_id", "warehouse_code", "product_sku"],
        schemas.AvailableStock,
    )
    handling = _Handling({"channel_id": channels, "warehouse_codes": codes}, allow_partial, on_reject)
    return _finish(client, "GET /inventories", _joined(reads), frame, tuple(rejects), handling)


def load_warehouses(client: Client, *, refresh: bool = False) -> pd.DataFrame:
    """Load the warehouses, one row each, from the answer of actual stock.

    Returns:
        The columns of `schemas.Warehouses`, ordered by `warehouse_code`.
    """
    read = _read_stock(client, {"actualStock": True}, None, refresh=refresh)
    decoded = decode.warehouses(read.records)
    frame = _ordered(decoded.frame, ["warehouse_code"], schemas.Warehouses)
    return _finish(client, "GET /inventories", read, frame, decoded.rejects, _Handling({}))


def load_channels(client: Client, *, refresh: bool = False) -> pd.DataFrame:
    """Load the sales channels, one row each, from GET /channels.

    Returns:
        The columns of `schemas.Channels`, ordered by `channel_id`.
    """
    source = Source("/channels", client.dialect.order_limit, lambda _: {}, client.dialect.known_caps)
    read = paging.read(client, source, [Window()], refresh=refresh)
    decoded = decode.channels(read.records)
    frame = _ordered(decoded.frame, ["channel_id"], schemas.Channels)
    return _finish(client, "GET /channels", read, frame, decoded.rejects, _Handling({}))


def _read_orders(
    client: Client,
    start: Day | None,
    end: Day | None,
    last: str | None,
    channel_id: str | Sequence[str] | None,
    order_nos: Sequence[str] | None,
    acknowledged: bool | None,
    *,
    refresh: bool,
    progress: bool | None,
) -> tuple[tuple[date, date] | None, Read]:
    """Ask GET /orders for these days, channels and numbers."""
    zone = ZoneInfo(client.settings.time_zone)
    days = range_of(start, end, last, zone, client.clock.now().astimezone(zone).date())
    numbers = _names(order_nos, "order_nos")
    if days is None and numbers is None and acknowledged is None:
        raise InvalidRequestError("Say which orders: start and end, last='30D', order_nos= or acknowledged=False.")
    limit = client.dialect.order_limit
    source = Source(
        "/orders",
        limit,
        lambda window: _order_parameters(window, limit),
        client.dialect.known_caps,
        keep=lambda window: window.acknowledged is None,
    )
    windows = _windows(days, _names(channel_id, "channel_id") or (None,), numbers, acknowledged)
    with _bar(progress, "orders") as step:
        return days, paging.read(client, source, windows, refresh=refresh, progress=step)


def _windows(
    days: tuple[date, date] | None,
    channels: Iterable[str | None],
    numbers: tuple[str, ...] | None,
    acknowledged: bool | None,
) -> list[Window]:
    """Plan what is asked: a day wider on both sides and one for an end that is not included.

    Neither the server's time zone nor whether its end day counts is documented; rows outside are cut later.
    """
    window = Window(acknowledged=acknowledged)
    if days is not None:
        window = replace(window, start=days[0] - DAY, end=days[1] + 2 * DAY)
    chunks: list[tuple[str, ...]] = [()] if numbers is None else list(paging.chunks_of(numbers))
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


def _read_stock(
    client: Client, which: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool
) -> Read:
    """Ask GET /inventories; a total that may have been cut is asked again, warehouse by warehouse."""
    read = _ask_stock(client, which, codes, refresh=refresh)
    rows, by_code = _stock_rows(read)
    caps = client.dialect.known_caps
    if read.missing or rows not in caps and not any(number in caps for number in by_code.values()):
        return read
    parts = [_ask_stock(client, which, (code,), refresh=refresh) for code in by_code]
    again = [_stock_rows(part)[0] for part in parts]
    # A number that some answer exceeded is no cap; a larger answer also shows that the first one was cut.
    longest = max([rows, *again], default=0)
    if sum(again) == rows and all(number not in caps or number < longest for number in again):
        return read
    missing = Missing(Window(), f"{rows} stock rows, where an answer may be cut at that number")
    return replace(_joined(parts), missing=(missing,))


def _ask_stock(
    client: Client, which: dict[str, Any], codes: tuple[str, ...] | None, *, refresh: bool
) -> Read:
    filters = {"warehouseCode": ",".join(codes)} if codes else {}
    parameters = {**which, **filters, "limit": client.dialect.inventory_limit}
    source = Source("/inventories", 2**31, lambda _: parameters, ())
    return paging.read(client, source, [Window()], refresh=refresh)


def _stock_rows(read: Read) -> tuple[int, dict[str, int]]:
    """Count the stock rows of an answer, in all and by warehouse."""
    codes = decode.stock(read.records)
    counts = codes.frame["warehouse_code"].value_counts()
    return len(codes.frame) + len(codes.rejects), {str(code): int(number) for code, number in counts.items()}


def _joined(reads: Sequence[Read]) -> Read:
    """Put several readings together as one."""
    return Read(
        tuple(record for read in reads for record in read.records),
        tuple(window for read in reads for window in read.asked),
        tuple(hole for read in reads for hole in read.missing),
        min((read.oldest for read in reads if read.oldest), default=None),
        sum(read.requests for read in reads),
        sum(read.cached for read in reads),
    )


def _newest(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep each order once, as whole: windows share edge days, and the later answer is the newer one."""
    last = frame.groupby(["channel_id", "order_no"])["_index"].transform("max")
    return frame[frame["_index"] == last]


def _within(
    frame: pd.DataFrame, days: tuple[date, date] | None, client: Client
) -> tuple[pd.DataFrame, int]:
    """Cut rows outside the days asked for, and count them."""
    if days is None:
        return frame, 0
    local = local_days(frame["order_date"], client.settings.time_zone)
    inside = (local >= pd.Timestamp(days[0])) & (local <= pd.Timestamp(days[1]))
    return frame[inside], int((~inside).sum())


def _ordered(frame: pd.DataFrame, by: list[str], model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Put rows and columns into their order, and validate."""
    frame = frame.sort_values(by, kind="stable", ignore_index=True)
    return _validated(frame[list(model.to_schema().columns)], model)


def _validated(frame: pd.DataFrame, model: type[pa.DataFrameModel]) -> pd.DataFrame:
    try:
        return model.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as failed:
        first = failed.failure_cases.iloc[0]
        raise UnexpectedAnswerError(
            f"The answers don't fit {model.__name__}: {first['column']} fails {first['check']} "
            f"({len(failed.failure_cases)} cases). Please report this with the package version, {__version__}."
        ) from None


def _finish(
    client: Client,
    source: str,
    read: Read,
    frame: pd.DataFrame,
    rejects: tuple[Reject, ...],
    handling: _Handling,
    outside: int = 0,
) -> pd.DataFrame:
    """Attach the origin, and speak up about what is missing or unreadable."""
    found = Provenance(
        source=source,
        params={name: value for name, value in handling.params.items() if value is not None},
        environment=client.settings.environment,
        partner_id=client.settings.partner_id,
        as_of=read.oldest,
        requests=read.requests,
        cached=read.cached,
        complete=not read.missing,
        rows=len(frame),
        rejected=len(rejects),
        outside=outside,
        package_version=__version__,
    )
    attach(frame, found, rejects)
    if rejects:
        first = rejects[0]
        text = (
            f"{len(rejects)} of {len(read.records)} records from {source} can't be read, the first "
            f"({first.key or 'no key'}) because: {first.reason}. See cenports_nb.rejected(frame)."
        )
        if handling.on_reject == "raise":
            raise RejectedRowsError(text, rejected=rejects_frame(rejects))
        warnings.warn(text, RejectedRowsWarning, stacklevel=3)
    if read.missing:
        missing = _missing_frame(source, read.missing)
        text = f"{source} is incomplete in {len(missing)} windows, the first: {read.missing[0].reason}."
        if not handling.allow_partial:
            raise IncompleteError(
                f"{text} The error's .partial has {len(frame)} rows that did arrive, .missing the windows that did not.",
                partial=frame,
                missing=missing,
            )
        warnings.warn(text, IncompleteWarning, stacklevel=3)
    return frame


def _missing_frame(source: str, missing: Sequence[Missing]) -> pd.DataFrame:
    """Make a frame of holes: `source channel_id start end reason`."""
    windows = [hole.window for hole in missing]
    return pd.DataFrame(
        {
            "source": pd.Series([source] * len(missing), dtype="str"),
            "channel_id": pd.Series([window.channel_id for window in windows], dtype="str"),
            "start": pd.Series([window.start for window in windows], dtype="datetime64[us]"),
            "end": pd.Series([window.end for window in windows], dtype="datetime64[us]"),
            "reason": pd.Series([hole.reason for hole in missing], dtype="str"),
        }
    )


def _names(value: str | Sequence[str] | None, name: str) -> tuple[str, ...] | None:
    """Read one name or several, as texts that can be sent, each once."""
    if value is None:
        return None
    names = (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
    for item in names:
        if not isinstance(item, str) or not item:
            raise InvalidRequestError(f"{name} has {item!r}, which is no text: pass codes as text, such as '0012'.")
        if len(item) > paging.NUMBERS_SIZE or name in ("order_nos", "warehouse_codes") and "," in item:
            raise InvalidRequestError(f"{name} has {item!r}, which has a comma or is longer than 255: it can't be asked for.")
    if not names:
        raise InvalidRequestError(f"{name} is empty: leave it out to ask for all.")
    return names


def _params(
    start: Day | None,
    end: Day | None,
    last: str | None,
    channel_id: str | Sequence[str] | None,
    order_nos: Sequence[str] | None,
    acknowledged: bool | None,
) -> dict[str, Any]:
    """What the caller asked, for the provenance."""
    return {
        "start": None if start is None else str(start),
        "end": None if end is None else str(end),
        "last": last,
        "channel_id": channel_id if isinstance(channel_id, str) or channel_id is None else list(channel_id),
        "order_nos": None if order_nos is None else f"{len(order_nos)} numbers",
        "acknowledged": acknowledged,
    }


@contextmanager
def _bar(progress: bool | None, what: str) -> Iterator[Callable[[int], None]]:
    """Show a bar of answers; by default only after two seconds of real waiting."""
    with tqdm(
        desc=what, unit=" answers", leave=False, disable=progress is False, delay=0 if progress else 2
    ) as bar:
        yield lambda step: _advance(bar, step)


def _advance(bar: tqdm[Any], step: int) -> None:
    bar.update(step)
