"""What an interrupted probe of a SKU left: a process may die between a write and the one that puts the stock back."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.rules.states import BLOCKING_OUTCOMES

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

REFERENCE = re.compile(r"write probe ([0-9a-f]+) \d+: (.+)")

CHANGES_SQL = """
SELECT row.reference, row.submission_id, type, quantity, before_quantity, outcome
FROM row CROSS JOIN submission USING (submission_id)
WHERE warehouse_code = ? AND product_sku = ? AND account = ? AND kind = 'stock'
ORDER BY submission.rowid, item
"""


class Change(NamedTuple):
    """A change of the SKU in the journal."""

    reference: str | None
    submission_id: str
    type: str
    quantity: int
    before: int | None
    outcome: str

    @property
    def moved(self) -> int:
        """How much it changed the stock."""
        return self.quantity if self.type == "DIFFERENTIAL" else self.quantity - (self.before or 0)

    @property
    def probe_step(self) -> tuple[str, str] | None:
        """The id and the step of the probe that it belongs to; None if it belongs to none."""
        found = REFERENCE.fullmatch(self.reference or "")
        return (found[1], found[2]) if found else None

    @property
    def is_open(self) -> bool:
        """Whether it may still take effect."""
        return self.outcome in BLOCKING_OUTCOMES

    @property
    def next_command(self) -> str:
        """The command that settles it."""
        action = {"pending": "wait", "sending": "wait", "not_sent": "resume"}.get(self.outcome, "verify")
        return f"cenports-nb submissions {action} {self.submission_id}"


def read_changes(client: Client, warehouse_code: str, product_sku: str) -> list[Change]:
    """List every change of a SKU in the journal, oldest first."""
    journal = get_context(client).journal
    return [
        Change(*row) for row in journal.select_all(CHANGES_SQL, warehouse_code, product_sku, client.settings.account)
    ]


def find_leftover(client: Client, warehouse_code: str, product_sku: str, stock: int) -> int:
    """Return how many units more than its own an interrupted probe left on a SKU; 0 if it put them back.

    Raises:
        InvalidRequestError: The journal has an open change of the SKU, or it is unknown what an earlier probe left.
    """
    changes = read_changes(client, warehouse_code, product_sku)
    for change in changes:
        if change.is_open:
            raise InvalidRequestError(
                f"SKU '{product_sku}' has a change in submission {change.submission_id} that is {change.outcome}. Settle it, "
                f"then run the probe again: {change.next_command}.",
                sent=False,
            )
    applied = [change for change in changes if change.outcome == "applied"]
    if not applied or applied[-1].probe_step is None:
        return 0  # nothing was changed, or something else was changed since by a person who saw the stock
    probe_id, step = applied[-1].probe_step
    probe = [change for change in applied if change.probe_step and change.probe_step[0] == probe_id]
    last = list(itertools.takewhile(lambda change: change.probe_step == (probe_id, step), reversed(probe)))[::-1]
    own = _find_own_stock(probe)
    moved = {(last[0].before or 0) - own + change.moved for change in last}
    if any(change.type == "TRUE_UP" for change in last):  # only the stock shows what it did, and in which order
        moved = {units for units in moved if stock == own + units}
    if len(moved) != 1:
        raise InvalidRequestError(
            f"An earlier probe of SKU '{product_sku}' was interrupted at its step '{step}' and had started from {own}; the "
            f"stock is {stock} now, so nobody can tell what it left. Count it and submit the count, then probe again.",
            sent=False,
        )
    return moved.pop()


def _find_own_stock(probe: list[Change]) -> int:
    """Return the stock that a probe started from, less what it took back of an earlier one."""
    first = probe[0]
    taken = first.quantity if first.probe_step and first.probe_step[1] == "take back" else 0
    return (first.before or 0) + taken
