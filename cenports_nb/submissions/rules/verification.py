"""What a reading of Cenports proves about an unconfirmed row: pure decisions.

Presence proves that a change took effect, unless another change of our own may have had the same effect. Absence proves
something only when nothing of a batch can take effect any more, and only if two readings agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cenports_nb.submissions.rules.models import FORMAT_2_PROCESS, Batch, Row, parse_time
from cenports_nb.submissions.rules.moments import Moment, at_least_elapsed, has_better_clock
from cenports_nb.submissions.rules.states import SETTLED_BATCH_STATES

MIN_READING_INTERVAL = timedelta(minutes=1)
"""Minimum time between two readings that must agree."""

FOUND, NOT_FOUND = 1, 0
"""Values of `read_back` for a row whose order was looked up."""


@dataclass(frozen=True)
class Finding:
    """What a reading says about one row.

    Attributes:
        batch: The batch of the row: if the row was sent again since, the finding doesn't apply.
        event: An event of `states.ROW_TRANSITIONS`; None if the row stays as it is.
        message: What was read, and when to try again.
        read_back: What was read.
        read_back_at: When; the first time, while a second reading is due.
    """

    item: int
    batch: int
    event: str | None
    message: str | None
    read_back: int | None = None
    read_back_at: str | None = None


@dataclass(frozen=True)
class Reading:
    """The moment of a reading, and the settling time.

    Attributes:
        at: When it began.
        settle: The time after which nothing of a request can take effect any more.
    """

    at: Moment
    settle: timedelta

    def has_settled(self, row: Row, batch: Batch) -> bool:
        """Return whether nothing of a row can take effect any more: its transaction has ended, or its time is over."""
        if batch.state in SETTLED_BATCH_STATES and not row.exposed:
            return True
        if batch.sent is None or self.lacks_clock(batch):
            return False
        return at_least_elapsed(batch.sent, self.at) >= self.settle

    def lacks_clock(self, batch: Batch) -> bool:
        """Return whether only a wall clock says how long ago a batch was sent, though another clock could.

        That is the case for a batch whose process died, and which was marked in doubt before Cenports' time was known.
        """
        if batch.sent is None or self.at.server is None or batch.sent_process == FORMAT_2_PROCESS:
            return False
        return not has_better_clock(batch.sent, self.at)

    def find_next(self, row: Row, batch: Batch, first: datetime) -> datetime:
        """Return when a second reading may settle what the first one could not, on this machine's clock."""
        if self.has_settled(row, batch) or batch.sent is None:
            return max(first + MIN_READING_INTERVAL, self.at.wall)
        passed = timedelta() if self.lacks_clock(batch) else at_least_elapsed(batch.sent, self.at)
        remaining = self.settle - passed
        return max(first + MIN_READING_INTERVAL, self.at.wall + remaining)


def judge_by_stock(
    row: Row, batch: Batch, stock_now: int | None, reading: Reading, other_change: str | None
) -> Finding:
    """Judge one row by the current stock.

    A TRUE_UP whose stock equals its quantity, or a DIFFERENTIAL whose stock changed by exactly its quantity, is applied;
    with another change of our own in between, stock proves nothing.
    """
    at = reading.at.wall
    if stock_now is None:
        text = f"The warehouse does not have {row.product_sku!r}, so stock can't tell: resolve it."
        return Finding(row.item, row.batch, None, text, row.read_back, row.read_back_at)
    if other_change is not None:
        text = f"Stock is {stock_now}, and can't tell, as {other_change}: look at the shelf, then resolve it."
        return Finding(row.item, row.batch, None, text, stock_now, at.isoformat())
    if stock_now == row.target:
        return Finding(row.item, row.batch, "confirm", None, stock_now, at.isoformat())
    settled = reading.has_settled(row, batch)
    first = parse_time(row.read_back_at) if row.read_back == stock_now else None
    if first is not None and stock_now == row.before_quantity and settled and at - first >= MIN_READING_INTERVAL:
        text = f"Stock still is {stock_now}, as before it was sent, at {first:%H:%M} and {at:%H:%M} UTC."
        return Finding(row.item, row.batch, "refute", text, stock_now, at.isoformat())
    first = first or at
    if settled and stock_now != row.before_quantity:
        before = "unknown" if row.before_quantity is None else row.before_quantity
        text = (
            f"Stock is {stock_now}, neither {row.target} as wanted nor {before} as before, so it can't tell: look at "
            "the shelf, then resolve it."
        )
    else:
        text = f"Stock is {stock_now}, not {row.target}: verify again after {reading.find_next(row, batch, first):%H:%M:%S} UTC."
    return Finding(row.item, row.batch, None, text, stock_now, first.isoformat())


def judge_by_presence(row: Row, batch: Batch, is_there: bool, reading: Reading, finding: str) -> Finding:
    """Judge a row by whether what it created exists; `finding` is the message if it does not."""
    at = reading.at.wall
    if is_there:
        return Finding(row.item, row.batch, "confirm", None, FOUND, at.isoformat())
    first = (parse_time(row.read_back_at) if row.read_back == NOT_FOUND else None) or at
    if reading.has_settled(row, batch) and at - first >= MIN_READING_INTERVAL:
        text = f"{finding}, at {first:%H:%M} and {at:%H:%M} UTC."
        return Finding(row.item, row.batch, "refute", text, NOT_FOUND, at.isoformat())
    next_reading = reading.find_next(row, batch, first)
    text = f"{finding} yet: verify again after {next_reading:%H:%M:%S} UTC."
    return Finding(row.item, row.batch, None, text, NOT_FOUND, first.isoformat())


def judge_by_acknowledgement(row: Row, batch: Batch, acknowledged: bool | None, reading: Reading) -> Finding:
    """Judge the acknowledgment of an order, which takes effect at once unless its answer was lost.

    The order may not exist, for which `acknowledged` is None.
    """
    at = reading.at.wall.isoformat()
    if acknowledged:
        return Finding(row.item, row.batch, "confirm", None, FOUND, at)
    if acknowledged is None:
        text = f"Channel {row.channel_id} has no order {row.order_no}: check number and channel."
        return Finding(row.item, row.batch, "lack", text, NOT_FOUND, at)
    text = f"Order {row.order_no} is not acknowledged: resume or retry sends it again."
    if row.outcome == "in_doubt":
        text = f"It was sent, and no answer was seen. {text}"
    is_settled = row.outcome == "in_doubt" and reading.has_settled(row, batch)
    return Finding(row.item, row.batch, "refute" if is_settled else None, text, NOT_FOUND, at)
