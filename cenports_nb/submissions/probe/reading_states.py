"""How certain each reading of the reference is for an account: known, assumed, or contradicted by later answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from cenports_nb.api.retrieval.observed_limits import get_observed_limits
from cenports_nb.frames.loaders.stock import STOCK_SOURCE
from cenports_nb.rendering.text import format_count
from cenports_nb.submissions.context import get_context

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.dialect import Dialect

TRANSACTIONS_SQL = """
SELECT submitted_at, completed_at FROM batch JOIN submission USING (submission_id)
WHERE account = ? AND submitted_at IS NOT NULL AND completed_at IS NOT NULL
"""
READ_BACK_SQL = """
SELECT quantity = read_back, count(*) FROM row JOIN submission USING (submission_id)
WHERE account = ? AND kind = 'stock' AND type = 'TRUE_UP' AND outcome = 'applied' AND read_back IS NOT NULL
GROUP BY 1
"""


@dataclass(frozen=True)
class ReadingState:
    """How certain one reading is.

    Attributes:
        evidence: What it is based on, or what contradicts it.
    """

    name: str
    value: Any
    state: Literal["known", "assumed", "contradicted"]
    evidence: str


def list_reading_states(client: Client, learned: Collection[str] = ()) -> list[ReadingState]:
    """List every reading of a client's dialect, some of them just learned, without sending anything."""
    found = []
    for field in fields(client.dialect):
        value = getattr(client.dialect, field.name)
        against = CONTRADICTIONS[field.name](client, client.dialect) if field.name in CONTRADICTIONS else ""
        is_known = field.name in client.settings.dialect or field.name in learned
        evidence = against or ("found out, or in the profile" if is_known else "the default")
        found.append(
            ReadingState(field.name, value, "contradicted" if against else "known" if is_known else "assumed", evidence)
        )
    return found


def format_reading_states(readings: Iterable[ReadingState]) -> str:
    """Format one line per reading, contradicted ones first."""
    order = ("contradicted", "known", "assumed")
    ordered = sorted(readings, key=lambda reading: order.index(reading.state))
    return "\n".join(
        f"  {reading.state:<13}{reading.name:<20}{_format_value(reading.value):<12}  {reading.evidence}"
        for reading in ordered
    )


def _format_value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{value[0]} to {value[-1]:,}" if len(value) > 3 else ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(value) or "none"
    return {None: "found out", True: "yes", False: "no"}.get(value, str(value))


def _compare_limit(name: str, endpoint: str) -> Callable[[Client, Dialect], str]:
    def compare(client: Client, dialect: Dialect) -> str:
        longest = get_observed_limits(client).longest(endpoint)
        return f"an answer with {format_count(longest, 'row')} came" if longest > getattr(dialect, name) else ""

    return compare


def _compare_range_end(client: Client, dialect: Dialect) -> str:
    is_contradicted = dialect.end_included is False and get_observed_limits(client).saw_end_included
    return "the last day of a range was part of an answer" if is_contradicted else ""


def _compare_whole_lengths(client: Client, dialect: Dialect) -> str:
    longest = get_observed_limits(client).longest(STOCK_SOURCE)
    needless = [length for length in dialect.whole_lengths if length < longest]
    return (
        f"an answer with {format_count(longest, 'row')} came, so {needless[0]} is not needed any more"
        if needless
        else ""
    )


def _compare_settling(client: Client, dialect: Dialect) -> str:
    """Look for a transaction that took longer than a write may take."""
    spans = get_context(client).journal.select_all(TRANSACTIONS_SQL, client.settings.account)
    lives = [datetime.fromisoformat(ended) - datetime.fromisoformat(began) for began, ended in spans]
    longest = max((life.total_seconds() / 60 for life in lives), default=0.0)
    return f"a transaction took {longest:.0f} minutes" if longest > dialect.settle_minutes else ""


def _compare_true_up(client: Client, _: Dialect) -> str:
    """Check whether stock ever equaled what a TRUE_UP had set; sales may change it, but not each time."""
    counts = get_context(client).journal.select_all(READ_BACK_SQL, client.settings.account)
    equal = {bool(is_equal): number for is_equal, number in counts}
    if equal.get(True) or equal.get(False, 0) < MIN_READ_BACKS:
        return ""
    return f"of {format_count(equal[False], 'TRUE_UP')} that {'were' if equal[False] > 1 else 'was'} read back, none had set what was sent"


MIN_READ_BACKS = 3
CONTRADICTIONS: Mapping[str, Callable[[Client, Dialect], str]] = MappingProxyType({
    "order_limit": _compare_limit("order_limit", "/orders"),
    "shipment_limit": _compare_limit("shipment_limit", "/shipments"),
    "inventory_limit": _compare_limit("inventory_limit", STOCK_SOURCE),
    "end_included": _compare_range_end,
    "whole_lengths": _compare_whole_lengths,
    "settle_minutes": _compare_settling,
    "true_up_sets": _compare_true_up,
})  # fmt: skip
"""Evidence against a reading, in one sentence; empty if there is none."""
