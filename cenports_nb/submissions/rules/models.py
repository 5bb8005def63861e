"""What the journal stores: a submission's head, its batches and its rows, as frozen values.

Times are UTC in ISO 8601, so that they sort as text.
"""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import Any

import msgspec

from cenports_nb.submissions.rules.moments import Moment

FORMAT_2_PROCESS = "format 2"
"""The `sent_process` of requests from when the journal only recorded the wall clock's time."""


class Head(msgspec.Struct, frozen=True, gc=False):
    """What a submission is, who made it and why.

    Attributes:
        kind: A key of `write_kinds.WRITE_KINDS`.
        account: Address and partner id.
        fingerprint: Equal for equal frames.
        on_stale: What to do with rows whose stock changed.
        made_by: The user of this machine.
        details: JSON that only its kind understands.
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
        """Return one of the details; None if it is missing."""
        return msgspec.json.decode(self.details).get(name) if self.details else None


class Batch(msgspec.Struct, frozen=True, gc=False):
    """One write: `state` is ours, `status` is Cenports' word for its transaction.

    Attributes:
        place: What all its rows share: a warehouse code, a channel id, or nothing.
        rows: The number of rows that were sent, without withheld ones.
        state: One of `states.BATCH_TRANSITIONS`, or held, dropped, dry_run, which are never sent.
        sent_at: The latest time at which its request was sent.
        sent_server_at: The same in Cenports' time, if known.
        sent_monotonic: The same on the clock of the process `sent_process`.
        errors: What Cenports objects to, as JSON.
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
        """The latest moment at which its request was sent; None if it wasn't."""
        wall = parse_time(self.sent_at)
        if wall is None:
            return None
        return Moment(wall, self.sent_monotonic, self.sent_process, parse_time(self.sent_server_at))

    @property
    def write_id(self) -> str:
        """The batch's id for the cache, which stores nothing while a write is open."""
        return f"{self.submission_id}/{self.batch}"


class Row(msgspec.Struct, frozen=True, gc=False):
    """One change, and its outcome.

    Attributes:
        item: Its permanent number in the submission.
        batch: The batch that it was sent in last.
        row: Its position there, which errors of a transaction name.
        before_quantity: The stock just before it was sent.
        before_position: The journal's position when that was read.
        reserved: The units of the SKU that open orders reserved at planning; None if unknown.
        open_quantity: Open units that its plan added back; None if it added none, or if they can't be compared.
        allowed: The guards that a person accepted for it, separated by blanks.
        payload: The JSON of an order; deleted when it is applied.
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
        """The stock if the row is applied and nothing else happens."""
        if self.type == "TRUE_UP":
            return self.quantity
        if self.before_quantity is None or self.quantity is None:
            return None
        return self.before_quantity + self.quantity


def get_user_name() -> str:
    """Return the name of the user of this machine."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # in a container, a user may have no name
        return "unknown"


def parse_time(text: str | None) -> datetime | None:
    """Parse a time of the journal."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
