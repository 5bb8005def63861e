"""The query of an archive's loaders: its parameters, declared once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.archive.tables import TABLES
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.choices import suggest_choice
from cenports_nb.frames.dates import Day, parse_range
from cenports_nb.frames.loaders.query import parse_names

P = ParamSpec("P")
Owner = TypeVar("Owner")
Result = TypeVar("Result")
Instant = str | datetime | pd.Timestamp


@dataclass(frozen=True)
class ArchiveQuery:
    """The arguments of a loader; see `Archive.load_orders`."""

    start: Day | None
    end: Day | None
    last: str | None
    accounts: tuple[str, ...] | None
    channels: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    as_of: Instant | None
    allow_partial: bool

    def parse_days(self, zone: ZoneInfo, today: date) -> tuple[date, date] | None:
        """Parse the days in a zone; None if none are given."""
        return parse_range(self.start, self.end, self.last, zone, today)

    def parse_as_of(self, zone: ZoneInfo) -> datetime | None:
        """Parse the instant; a day means its beginning in the zone.

        Raises:
            InvalidRequestError: It isn't an instant.
        """
        if self.as_of is None:
            return None
        try:
            moment = pd.Timestamp(self.as_of)
            is_missing = bool(pd.isna(moment))
        except (ValueError, TypeError):
            is_missing = True
        if is_missing:
            raise InvalidRequestError(
                f"as_of={self.as_of!r} isn't an instant: write it as '2026-10-01' or '2026-10-01T08:00Z'."
            )
        local = moment if moment.tzinfo is not None else moment.tz_localize(zone)
        found: datetime = local.to_pydatetime(warn=False).astimezone(UTC)
        return found

    def check_columns(self, table: str) -> tuple[str, ...] | None:
        """Return the requested columns of a table; None for all.

        Raises:
            InvalidRequestError: The table lacks one of them.
        """
        definition = TABLES[table]
        unknown = [name for name in self.columns or () if name not in (ACCOUNT, *definition.dtypes)]
        if unknown and not definition.is_open:
            near = suggest_choice(unknown, list(definition.dtypes))
            raise InvalidRequestError(f"columns has {unknown[0]!r}, which {table} does not have{near or '.'}")
        return self.columns


def parse_archive_query(
    start: Day | None = None,
    end: Day | None = None,
    *,
    last: str | None = None,
    accounts: str | Sequence[str] | None = None,
    channel_id: str | Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    as_of: Instant | None = None,
    allow_partial: bool = False,
) -> ArchiveQuery:
    """Check the parameters that all loaders of an archive share; see `Archive.load_orders`.

    Raises:
        InvalidRequestError: A name isn't text.
    """
    return ArchiveQuery(
        start,
        end,
        last,
        parse_names(accounts, "accounts"),
        parse_names(channel_id, "channel_id"),
        parse_names(columns, "columns"),
        as_of,
        allow_partial,
    )


def with_query(
    parse: Callable[P, ArchiveQuery],
) -> Callable[[Callable[[Owner, ArchiveQuery], Result]], Callable[Concatenate[Owner, P], Result]]:
    """Give a method the parameters of the function that parses them, so that they are declared once."""

    def decorate(method: Callable[[Owner, ArchiveQuery], Result]) -> Callable[Concatenate[Owner, P], Result]:
        @functools.wraps(method)
        def call(self: Owner, /, *args: P.args, **kwargs: P.kwargs) -> Result:
            return method(self, parse(*args, **kwargs))

        own = inspect.signature(method)
        parameters = [next(iter(own.parameters.values())), *inspect.signature(parse).parameters.values()]
        signature: Any = own.replace(parameters=parameters)
        call.__signature__ = signature  # type: ignore[attr-defined]
        return call

    return decorate
