"""The last decision before a batch is sent: which of its rows are sent, with which numbers, and why the others are not.

A pure function of rows, evidence and policy, for the first sending, `resume()`, `retry()` and the repeat after a refusal.
It is best effort: up to 15 minutes pass between the last look and the change, and Cenports offers no compare-and-set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from msgspec.structs import replace

from cenports_nb.stock.guards.row_limits import drops_too_far, falls_below_reserved, fell_equally
from cenports_nb.submissions.rules.models import Row
from cenports_nb.submissions.rules.moments import Moment

MAX_EVIDENCE_AGE = timedelta(minutes=5)
"""Maximum age of what a batch is compared with, when its request is sent."""

MAX_LOOKS = 3
"""Maximum looks at a batch; then it stays not sent, because each look was too old."""


@dataclass(frozen=True)
class Policy:
    """The options of a submission, for all its rows.

    Attributes:
        on_stale: What to do with TRUE_UP rows whose stock or open demand changed: raise (withhold), rebase, drop or force.
        is_repeatable: Whether sending twice has the effect of sending once, whatever happened in between.
        compares_stock: Whether rows change stock.
        max_drop: The share of a SKU's stock that it may lose.
        max_drop_from: The minimum units of a SKU that `max_drop` checks.
    """

    on_stale: str
    is_repeatable: bool
    compares_stock: bool
    max_drop: float
    max_drop_from: int


@dataclass(frozen=True)
class Evidence:
    """What is known of the rows of a batch at one moment.

    Attributes:
        began: The time before stock, or else the first other thing, was read.
        stock: Stock by item; None if the warehouse does not have the SKU.
        open_quantities: Open units by item; missing for rows that added none back, or if they were not read.
        obstacles: Why a row must not be sent, by item: another change of the same SKU, or an order that exists.
        position: The journal's position before stock was read.
    """

    began: Moment
    stock: Mapping[int, int | None] = field(default_factory=dict)
    open_quantities: Mapping[int, int] = field(default_factory=dict)
    obstacles: Mapping[int, str] = field(default_factory=dict)
    position: int | None = None

    @cached_property
    def began_at(self) -> str:
        """The time when it began, as in rows."""
        return self.began.wall.isoformat()


@dataclass(frozen=True)
class Decision:
    """What to do with the rows of a batch; each row is in exactly one list.

    Attributes:
        send: Rows to send, with their final numbers.
        withhold: Rows that stay as they are, with the reason.
        drop: Rows that are left out for good, with the reason.
        confirm: Rows that were in doubt, and whose stock shows that they took effect.
    """

    send: tuple[Row, ...] = ()
    withhold: tuple[Row, ...] = ()
    drop: tuple[Row, ...] = ()
    confirm: tuple[Row, ...] = ()


def decide(rows: Sequence[Row], evidence: Evidence, policy: Policy) -> Decision:
    """Decide what to do with rows that may be sent."""
    groups: dict[str, list[Row]] = {"send": [], "withhold": [], "drop": [], "confirm": []}
    for row in rows:
        action, decided = _decide_row(row, evidence, policy)
        groups[action].append(decided)
    return Decision(**{action: tuple(decided) for action, decided in groups.items()})


def _decide_row(row: Row, evidence: Evidence, policy: Policy) -> tuple[str, Row]:
    obstacle = evidence.obstacles.get(row.item)
    if obstacle is not None:
        prefix = "In doubt, and not sent again" if row.exposed else "Not sent"
        return "withhold", replace(row, message=f"{prefix}: {obstacle}.")
    if not policy.compares_stock:
        return "send", replace(row, message=None)
    now, at = evidence.stock.get(row.item), evidence.began_at
    open_now = evidence.open_quantities.get(row.item, row.open_quantity)
    if row.exposed:
        return _decide_exposed(replace(row, read_back=now, read_back_at=at), now, open_now)
    fresh = replace(row, before_quantity=now, before_at=at, before_position=evidence.position, message=None)
    return _decide_unexposed(row, fresh, now, open_now, policy)


def _decide_exposed(row: Row, now: int | None, open_now: int | None) -> tuple[str, Row]:
    """Decide a row whose earlier request may still take effect: send it unchanged or not at all, never rebased."""
    if row.type != "TRUE_UP":
        return "withhold", replace(
            row, message="In doubt, and not sent again, because it would count twice: verify it."
        )
    if now is not None and now == row.quantity:
        return "confirm", replace(row, message=None)
    if now is not None and now == row.before_quantity and open_now == row.open_quantity:
        return "send", replace(row, message="In doubt, but stock stands as before it was sent: sent again.")
    reason = f"stock is {now}, neither {row.quantity} as wanted nor {row.before_quantity} as before"
    if now == row.before_quantity and open_now != row.open_quantity:
        reason = f"{describe_move(now, now, row.open_quantity, open_now)} since it was planned"
    text = f"In doubt, and not sent again: {reason}. Look at the shelf, then resolve it or count again."
    return "withhold", replace(row, message=text)


def _decide_unexposed(planned: Row, row: Row, now: int | None, open_now: int | None, policy: Policy) -> tuple[str, Row]:
    """Decide a row that was never sent; a withheld row keeps the numbers with which it was planned and checked."""
    has_moved = now != row.current_quantity or open_now != row.open_quantity
    if row.type == "TRUE_UP" and has_moved and policy.on_stale != "force":
        rebased = _rebase(row, now, open_now) if policy.on_stale == "rebase" else None
        if rebased is None:
            move = describe_move(row.current_quantity, now, row.open_quantity, open_now)
            text = f"Not sent: {move} since it was planned, so {row.quantity} may be wrong; plan it again."
            return "drop" if policy.on_stale == "drop" else "withhold", replace(planned, message=text)
        row = rebased
    if row.type == "DIFFERENTIAL" and now is not None and now + (row.quantity or 0) < 0:
        text = f"Not sent: stock is {now} now, and {row.quantity:+} would go below 0."
        return "withhold", replace(planned, message=text)
    if now != planned.before_quantity or row.quantity != planned.quantity:
        # Guards checked other numbers than those that would be sent.
        objection = find_objection(row, now, policy)
        if objection is not None:
            return "withhold", replace(planned, message=f"Not sent: {objection}")
    return "send", row


def _rebase(row: Row, now: int | None, open_now: int | None) -> Row | None:
    """Keep the change of a row whose stock or demand changed since planning; None if that is impossible."""
    if now is None or row.current_quantity is None or row.quantity is None:
        return None
    before, open_before = row.current_quantity, row.open_quantity
    if open_now is not None and open_before is not None and not fell_equally(now - before, open_now - open_before):
        return None
    quantity = now + row.quantity - row.current_quantity
    rebased = replace(row, quantity=quantity, current_quantity=now, open_quantity=open_now)
    return rebased if quantity >= 0 else None


def find_objection(row: Row, now: int | None, policy: Policy) -> str | None:
    """Return what a guard of single rows objects to in a row; None if nothing, or if a person accepted it."""
    target, allowed = row.target, (row.allowed or "").split()
    if now is None or target is None:
        return None
    numbers = f"stock is {now} now, and it would fall to {target}"
    if "max_drop" not in allowed and drops_too_far(now, target, policy.max_drop, policy.max_drop_from):
        return f"max_drop: {numbers}, by more than {policy.max_drop * 100:g}%; plan it again."
    if "below_reserved" not in allowed and row.reserved is not None and falls_below_reserved(now, target, row.reserved):
        return (
            f"below_reserved: {numbers}, below the {row.reserved} units that open orders have reserved; plan it again."
        )
    return None


def describe_move(planned: int | None, now: int | None, open_planned: int | None, open_now: int | None) -> str:
    """Describe how a SKU's stock and open demand changed, with old and new values."""
    spans = {"stock": (planned, now), "open demand": (open_planned, open_now)}
    moves = [
        f"{name} moved from {_format_quantity(before)} to {_format_quantity(after)}"
        for name, (before, after) in spans.items()
        if before != after
    ]
    return " and ".join(moves)


def _format_quantity(quantity: int | None) -> str:
    return "unknown" if quantity is None else str(quantity)
