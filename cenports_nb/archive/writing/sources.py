"""What an update reads of an account: a month of orders or shipments, a reading of stock, the journal's outcomes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pandas as pd

from cenports_nb.api.http.record_page import open_page, split_records
from cenports_nb.api.retrieval.windows import MAX_NUMBERS_LENGTH, ONE_DAY
from cenports_nb.archive.tables import ACTUAL_STOCK, AVAILABLE_STOCK, OUTCOMES, to_frame, to_table
from cenports_nb.archive.writing.schedule import FIRST_MONTH, month_days, to_month
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    IncompleteError,
    IncompleteWarning,
    RateLimitedError,
    RejectedRowsWarning,
)
from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.line_status import is_open
from cenports_nb.frames.loaders.orders import load_orders, load_utc_days
from cenports_nb.frames.loaders.shipments import load_shipment_window
from cenports_nb.frames.loaders.stock import load_actual_stock, load_available_stock
from cenports_nb.frames.privacy.masking import mask_pii
from cenports_nb.frames.privacy.personal_columns import personal_kind
from cenports_nb.frames.provenance import provenance, rejected
from cenports_nb.frames.schema.keys import ORDER_KEYS
from cenports_nb.frames.user_warnings import collect_warnings, warn_user
from cenports_nb.submissions.journal import frames as journal_frames
from cenports_nb.submissions.journal.reader import has_journal, open_journal

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MAX_ASKED_ORDERS = 500
"""Of orders that vanished from their month; a number costs a twentieth of a request."""

STOCK_LOADERS: Mapping[str, Callable[..., pd.DataFrame]] = {
    ACTUAL_STOCK.name: load_actual_stock,
    AVAILABLE_STOCK.name: load_available_stock,
}


@dataclass(frozen=True)
class SourceReading:
    """The result of one reading, by table, as it may be stored.

    Attributes:
        at: When the oldest answer was fetched; None if there was none.
        has_open_lines: Whether its orders may still change.
    """

    frames: dict[str, pd.DataFrame]
    rejects: dict[str, pd.DataFrame]
    at: datetime | None
    has_open_lines: bool = False


class IncompleteReadingError(Exception):
    """A reading is incomplete, or was refused: it is not archived, and the update continues without it."""


def read_orders(client: Client, month: str, personal: str, progress: bool | None) -> SourceReading:
    """Read the orders and line items of one UTC month.

    Raises:
        IncompleteReadingError: Records are, or may be, missing.
    """
    first, after = month_days(month)
    with _watch_completeness():
        orders, lines = load_utc_days(client, first, after - ONE_DAY, progress=progress)
    found = _protect({"orders": orders, "line_items": lines}, personal)
    return replace(found, has_open_lines=bool(is_open(lines["status"]).any()))


def read_shipments(client: Client, month: str, personal: str, progress: bool | None) -> SourceReading:
    """Read the API's shipments for one month, and their lines.

    Raises:
        IncompleteReadingError: Records are, or may be, missing.
    """
    with _watch_completeness():
        shipments, items = load_shipment_window(client, *month_days(month), progress=progress)
    return _protect({"shipments": shipments, "shipment_items": items}, personal)


SOURCES: Mapping[str, Callable[[Client, str, str, bool | None], SourceReading]] = {
    "orders": read_orders,
    "shipments": read_shipments,
}
"""The sources that are read month by month."""

TABLE_SOURCES = {"orders": "orders", "line_items": "orders", "shipments": "shipments", "shipment_items": "shipments"}


def read_stock(client: Client, table: str, personal: str) -> SourceReading:
    """Read actual or available stock, past the cache.

    Raises:
        IncompleteReadingError: Records may be missing.
    """
    with _watch_completeness():
        frame = STOCK_LOADERS[table](client, refresh=True)
    return _protect({table: frame}, personal)


def read_outcomes(client: Client) -> dict[str, pd.DataFrame]:
    """Read the outcomes of the account's own stock updates, by the month of submission."""
    if not has_journal(client.home):
        return {}
    months: dict[str, list[pd.DataFrame]] = {}
    with open_journal(client.home) as journal:
        query = "SELECT submission_id FROM submission WHERE account = ? AND kind = 'stock' ORDER BY submission_id"
        for (name,) in journal.select_all(query, client.settings.account):
            head = journal.head(name)
            frame = journal_frames.read_outcomes(journal, head)
            month = to_month(datetime.fromisoformat(str(head.created_at)))
            months.setdefault(month, []).append(to_frame(to_table(frame, OUTCOMES, "", month), OUTCOMES))
    return {month: pd.concat(frames, ignore_index=True) for month, frames in months.items()}


def has_orders_before(client: Client, day: date) -> bool:
    """Return whether an account has any order before a day, with one small request.

    The server may mean days of its own zone and may leave the last one out, so that orders of two days more count too: a
    month too many costs a request, one too few would cost its orders.
    """
    first, end = month_days(FIRST_MONTH)[0], day + ONE_DAY
    parameters = {"limit": 1, "isPaginated": True, "startDate": first.isoformat(), "endDate": end.isoformat()}
    records = split_records(open_page("/orders", client.get("/orders", parameters).body).records)
    return any(_read_order_day(record) <= (end + ONE_DAY).isoformat() for record in records)


def find_order_months(client: Client, orders: Collection[tuple[str, str]]) -> dict[str, set[tuple[str, str]]]:
    """Ask in which UTC months some orders are now, by their numbers; of at most `MAX_ASKED_ORDERS`.

    Returns:
        The orders of each month, as far as they exist.

    Raises:
        IncompleteReadingError: The answers are not complete.
    """
    numbers = sorted({number for _, number in orders if "," not in number and len(number) <= MAX_NUMBERS_LENGTH})
    if not numbers:
        return {}
    with _watch_completeness():
        found = load_orders(client, order_nos=numbers[:MAX_ASKED_ORDERS], refresh=True, progress=False)
    months: dict[str, set[tuple[str, str]]] = {}
    for channel, number, at in found[[*ORDER_KEYS, "order_date"]].itertuples(index=False, name=None):
        if (channel, number) in orders:
            months.setdefault(to_month(at), set()).add((channel, number))
    return months


class _Dated(msgspec.Struct, rename="camel"):
    order_date: str = ""


def _read_order_day(record: msgspec.Raw) -> str:
    try:
        return msgspec.json.decode(record, type=_Dated).order_date[:10]
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""  # the order exists, whatever its date


@contextmanager
def _watch_completeness() -> Iterator[None]:
    """Convert incomplete, refused and doubtful readings to one error; rejects are stored and reported at the end."""
    try:
        with collect_warnings() as collected:
            yield
    except IncompleteError as error:
        raise IncompleteReadingError(str(error)) from None
    except ApiError as error:
        if isinstance(error, AuthenticationError | RateLimitedError):
            raise
        raise IncompleteReadingError(str(error)) from None
    for warning in collected:
        if issubclass(warning.category, IncompleteWarning):
            raise IncompleteReadingError(warning.text)
        if not issubclass(warning.category, RejectedRowsWarning):
            warn_user(warning.text, warning.category)


def _protect(frames: dict[str, pd.DataFrame], personal: str) -> SourceReading:
    times = [origin.as_of for frame in frames.values() if (origin := provenance(frame)) and origin.as_of]
    rejects = {name: _protect_rejects(frame, personal) for name, frame in frames.items()}
    stored: dict[str, Any] = {name: _protect_frame(frame, personal) for name, frame in frames.items()}
    return SourceReading(stored, rejects, min(times, default=None))


def _protect_frame(frame: pd.DataFrame, personal: str) -> pd.DataFrame:
    """Return a loader's frame as it may be stored: with pseudonyms (mask), with nulls (drop), or unchanged (keep)."""
    if personal == "keep":
        return frame
    masked = mask_pii(frame)
    return masked if personal == "mask" else _drop(frame, masked)


def _protect_rejects(frame: pd.DataFrame, personal: str) -> pd.DataFrame:
    """Return the rejects of a loader's frame as they may be stored; the record is null if data is dropped."""
    found = rejected(frame)
    if found is None or found.empty:
        return pd.DataFrame()
    if personal == "keep":
        return found
    masked = mask_pii(found)
    if personal == "drop":
        masked["record"] = repeat_text(None, len(masked))
    return masked


def _drop(frame: pd.DataFrame, masked: pd.DataFrame) -> pd.DataFrame:
    """Set to null what masking would change, and every column whose name is personal."""
    dropped = masked.copy(deep=False)
    for name in frame.columns:
        if "outcome" in frame.columns and name == "message":
            continue  # Cenports' message about a row
        if personal_kind(str(name)):
            dropped[name] = repeat_text(None, len(frame)).set_axis(frame.index)
        elif frame[name].dtype == "str":
            column: pd.Series[Any] = frame[name]
            same = (column == masked[name]) | column.isna()
            dropped[name] = column.where(same)
    return dropped
