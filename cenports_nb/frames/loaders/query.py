"""The query of a loader of orders or shipments: its parameters, declared once, and the windows that cover it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, ParamSpec
from zoneinfo import ZoneInfo

import pandas as pd
from tqdm.auto import tqdm

from cenports_nb.api.retrieval.windows import MAX_NUMBERS_LENGTH, ONE_DAY, Window, chunk_order_numbers, cover_days
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import Day, parse_range
from cenports_nb.frames.loaders.accounts import for_accounts, require_client
from cenports_nb.frames.loaders.finalize import LoadOptions, OnReject
from cenports_nb.rendering.surface import name_parameter

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.frames.loaders.accounts import Clients

P = ParamSpec("P")

QueryKey = tuple[tuple[date, date] | None, tuple[str, ...] | None, tuple[str, ...] | None, bool | None]


@dataclass(frozen=True)
class LoadQuery:
    """The checked arguments of a loader.

    Attributes:
        client: The account.
        days: First and last day, both included, in the client's time zone; None for any.
        channels: Sales channels; None for all.
        numbers: Order numbers; None for all.
        acknowledged: Only records that are, or are not, acknowledged.
        both_halves: Request unacknowledged records, then acknowledged ones.
        refresh: Request from Cenports even if the cache has an answer.
        progress: Show a progress bar.
        options: The parameters for the provenance, and what to do with incomplete or rejected data.
    """

    client: Client
    days: tuple[date, date] | None
    channels: tuple[str, ...] | None
    numbers: tuple[str, ...] | None
    acknowledged: bool | None
    both_halves: bool = False
    refresh: bool = False
    progress: bool | None = None
    options: LoadOptions = field(default_factory=LoadOptions)

    @property
    def key(self) -> QueryKey:
        """Identifies queries for the same records."""
        return self.days, self.channels, self.numbers, self.acknowledged

    def windows(self, channels: Iterable[str | None], *, by_month: bool) -> list[Window]:
        """Plan windows wide enough for every reading of the server's zone and range end; surplus rows are removed later.

        Args:
            channels: The channels to request; None requests all at once.
            by_month: Request long periods by calendar month, so that tomorrow's load finds most of them in the cache.

        Raises:
            InvalidRequestError: The days reach the end of the calendar.
        """
        days: list[tuple[date | None, date | None]] = [(None, None)]
        if self.days is not None:
            start, end = self.days
            try:
                whole = (start - ONE_DAY, end + 2 * ONE_DAY)
                days = [*cover_days(start, end)] if by_month and self.numbers is None else [whole]
            except (OverflowError, ValueError):
                raise InvalidRequestError(
                    f"{start} to {end} touches the end of the calendar: ask for fewer days."
                ) from None
        chunks: list[tuple[str, ...]] = [()] if self.numbers is None else list(chunk_order_numbers(self.numbers))
        windows = [
            Window(
                first,
                after,
                channel_id=channel,
                order_nos=chunk,
                acknowledged=self.acknowledged,
                until=self.days and self.days[1],
            )
            for channel in channels
            for first, after in days
            for chunk in chunks
        ]
        if not self.both_halves:
            return windows
        return [replace(window, acknowledged=answer) for answer in (False, True) for window in windows]


def parse_query(
    client: Clients,
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
    with_acknowledged: bool = False,
    last: str | None = None,
) -> LoadQuery:
    """Check the parameters that the loaders of orders and shipments share; see `load_orders`.

    Raises:
        InvalidRequestError: An argument is invalid, or no filter is given; nothing was sent.
    """
    client = require_client(client)
    zone = ZoneInfo(client.settings.time_zone)
    days = parse_range(start, end, last, zone, client.clock.now().astimezone(zone).date())
    numbers = parse_names(order_nos, "order_nos")
    channels = parse_names(channel_id, "channel_id")
    if acknowledged is not None and not isinstance(acknowledged, bool):
        raise InvalidRequestError(f"acknowledged={acknowledged!r} must be True, False or None.")
    if days is None and numbers is None and acknowledged is None:
        raise InvalidRequestError(
            "No days are given. Pass start and end, or last='30D', order_nos= or acknowledged=False."
        )
    if with_acknowledged and acknowledged is not None:
        raise InvalidRequestError("Pass either acknowledged= or with_acknowledged=True, not both.")
    params = {
        "start": None if days is None or last else str(days[0]),
        "end": None if days is None or last else str(days[1]),
        "last": last,
        "channel_id": None if channels is None else list(channels),
        "order_nos": None if numbers is None else f"{len(numbers)} numbers",
        "acknowledged": acknowledged,
        "with_acknowledged": with_acknowledged or None,
        "time_zone": client.settings.time_zone,
    }
    options = LoadOptions(params, allow_partial, on_reject)
    return LoadQuery(client, days, channels, numbers, acknowledged, with_acknowledged, refresh, progress, options)


def with_parameters_from(
    parse: Callable[P, LoadQuery],
) -> Callable[[Callable[[LoadQuery], pd.DataFrame]], Callable[P, pd.DataFrame]]:
    """Give a loader the parameters of the function that parses them, so that they are declared once."""

    def decorate(load: Callable[[LoadQuery], pd.DataFrame]) -> Callable[P, pd.DataFrame]:
        @for_accounts
        @functools.wraps(load)
        def loader(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
            return load(parse(*args, **kwargs))

        parameters = inspect.signature(parse).replace(return_annotation="pd.DataFrame")
        loader.__signature__ = parameters  # type: ignore[attr-defined]
        return loader

    return decorate


def parse_names(value: str | Sequence[str] | None, name: str) -> tuple[str, ...] | None:
    """Return one or several names as distinct texts that can be sent."""
    if value is None:
        return None
    names = (value,) if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
    for item in names:
        if not isinstance(item, str) or not item:
            raise InvalidRequestError(
                f"{name_parameter(name)} has {item!r}, which isn't text: pass codes as text, such as '0012'."
            )
        if len(item) > MAX_NUMBERS_LENGTH or (name in ("order_nos", "warehouse_codes") and "," in item):
            raise InvalidRequestError(
                f"{name} has {item!r}, which has a comma or is longer than 255: it can't be asked for."
            )
    if not names:
        raise InvalidRequestError(f"{name} is empty: leave it out to ask for all.")
    return tuple(dict.fromkeys(names))


@contextmanager
def progress_bar(client: Client, progress: bool | None, what: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar of responses and waits; by default only after two seconds."""
    with tqdm(desc=what, unit=" answers", leave=False, disable=progress is False, delay=0 if progress else 2) as bar:

        def show_wait(seconds: float) -> None:
            if seconds >= 2:
                bar.set_postfix_str(f"waiting for the rate limit, {seconds:.0f} s")

        def step(number: int) -> None:
            bar.set_postfix_str("", refresh=False)
            bar.update(number)

        with client.usage.watch_waits(show_wait):
            yield step
