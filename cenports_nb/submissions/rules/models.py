"""What the journal holds: a submission's head, its batches, its rows, and every change of them; frozen values.

Times are UTC in ISO 8601, so that they sort as text.
"""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Any

import msgspec

from cenports_nb.submissions.rules.moments import Moment

FORMAT_2_PROCESS = "format 2"
"""Stands as `sent_process` of what left when journals knew no other time than the wall clock's."""


class Head(msgspec.Struct, frozen=True):
    """What a submission is, who made it and why.

    Attributes:
        kind: A key of `write_kinds.WRITE_KINDS`.
        account: Address and partner.
        fingerprint: Equal for equal frames.
        on_stale: What is done with rows whose stock moved.
        made_by: The user of this machine.
        details: What only its kind understands, JSON.
    """

    submission_id: str
    kind: str
    environment: str
    account: str
    partner_id: str
    created_at: str
    reason: str | None = None
    reference: str | None = None
    fingerprint: str | None = None
    on_stale: str = "raise"
    made_by: str | None = None
    details: str | None = None

    def get_detail(self, name: str) -> Any:
        """Return one of the details; None where it is not there."""
        return msgspec.json.decode(self.details).get(name) if self.details else None


class Batch(msgspec.Struct, frozen=True):
    """One write: `state` is ours, `status` is Cenports' word for its transaction.

    Attributes:
        place: What all its rows have in common: a warehouse code, a channel id, or nothing.
        rows: How many rows it holds as it was sent; rows of it that were withheld are not counted.
        state: One of `states.BATCH_TRANSITIONS`, or held, dropped, dry_run, which are never sent.
        sent_at: When its request left, at the latest.
        sent_server_at: The same in Cenports' time, as far as it was known.
        sent_monotonic: The same on the clock of the process `sent_process`.
        errors: What Cenports objects to, JSON.
    """

    submission_id: str
    batch: int
    place: str
    rows: int
    state: str = "planned"
    handle: str | None = None
    status: str | None = None
    sent_at: str | None = None
    submitted_at: str | None = None
    completed_at: str | None = None
    last_polled_at: str | None = None
    errors: str | None = None
    sent_server_at: str | None = None
    sent_monotonic: float | None = None
    sent_process: str | None = None

    @property
    def sent(self) -> Moment | None:
        """When its request left, at the latest; None if it did not."""
        wall = parse_time(self.sent_at)
        if wall is None:
            return None
        return Moment(wall, self.sent_monotonic, self.sent_process, parse_time(self.sent_server_at))

    @property
    def write_id(self) -> str:
        """The batch's name for the cache, which keeps nothing while a write is under way."""
        return f"{self.submission_id}/{self.batch}"


class Row(msgspec.Struct, frozen=True):
    """One change, and what became of it.

    Attributes:
        item: Its place in the submission, for good.
        batch: The batch that it was sent in last.
        row: Its place there, which errors of a transaction name.
        before_quantity: The stock just before it was sent.
        before_position: The journal's position when that was read.
        reserved: What open orders had reserved of the SKU when the row was planned; None where nobody looked.
        open_quantity: Open units that its plan added back; None where it did not, or can't be compared.
        allowed: The guards that a person accepted for it, separated by blanks.
        payload: What is sent of an order, JSON; gone when it is applied.
        exposed: Whether an earlier request of it may still take effect; see `states.EXPOSURE_SQL`.
    """

    submission_id: str
    item: int
    batch: int
    row: int
    warehouse_code: str | None = None
    product_sku: str | None = None
    type: str | None = None
    quantity: int | None = None
    current_quantity: int | None = None
    before_quantity: int | None = None
    before_at: str | None = None
    channel_id: str | None = None
    order_no: str | None = None
    payload: str | None = None
    outcome: str = "not_sent"
    message: str | None = None
    read_back: int | None = None
    read_back_at: str | None = None
    reason: str | None = None
    reference: str | None = None
    reserved: int | None = None
    allowed: str | None = None
    exposed: int = 0
    before_position: int | None = None
    open_quantity: int | None = None

    @property
    def stock_key(self) -> tuple[str, str]:
        """Warehouse code and SKU."""
        return self.warehouse_code or "", self.product_sku or ""

    @property
    def order_key(self) -> tuple[str, str]:
        """Channel id and order number."""
        return self.channel_id or "", self.order_no or ""

    @property
    def target(self) -> int | None:
        """Where the stock stands if the row was applied and nothing else happened."""
        if self.type == "TRUE_UP":
            return self.quantity
        if self.before_quantity is None or self.quantity is None:
            return None
        return self.before_quantity + self.quantity


class Event(msgspec.Struct, frozen=True):
    """One change of a row: what it was from then on, and who or what said so."""

    submission_id: str
    at: str
    item: int
    batch: int
    row: int
    outcome: str
    message: str | None
    made_by: str | None


def get_user_name() -> str:
    """Name the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may have a user without a name
        return "unknown"


def parse_time(text: str | None) -> datetime | None:
    """Read a time of the journal."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
