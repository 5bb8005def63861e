"""The state machine of writes: every state of a row and of a batch, and the transitions between them.

The journal carries out no others: each update names the state that it expects, and the file's own triggers refuse every
pair that is not in these tables.
"""

from __future__ import annotations

from typing import NamedTuple

SENDABLE_OUTCOMES = ("not_sent", "in_doubt")
"""Outcomes of a row that may be claimed for sending."""

OPEN_OUTCOMES = ("sending", "pending", "in_doubt", "unconfirmed")
"""Outcomes of a change that may have taken effect, or still may."""

EFFECTIVE_OUTCOMES = ("applied", *OPEN_OUTCOMES)
"""Outcomes of a change that counts when the same change is requested again."""

BLOCKING_OUTCOMES = ("not_sent", *OPEN_OUTCOMES)
"""Outcomes of a change that blocks another change of the same thing."""

UNSETTLED_OUTCOMES = ("in_doubt", "unconfirmed")
"""Outcomes that only evidence or a person can settle."""

RESOLVABLE_OUTCOMES = ("pending", "in_doubt", "unconfirmed", "held", "not_sent")
"""Outcomes that a person can close; the others rest on evidence."""

RESOLVED_OUTCOMES = ("applied", "not_applied", "rejected")
"""Outcomes that a person can give a row."""

RETRIED_OUTCOMES = ("rejected", "not_applied")
"""Outcomes that `retry()` sends again."""

INITIAL_OUTCOMES = ("not_sent", "held", "dropped")
"""Outcomes that a row may have when its submission is recorded."""


class Transition(NamedTuple):
    """One transition from a state to another.

    Attributes:
        event: What happened.
        old: The required state.
        new: The new state.
        exposed: The new state of an exposed row, whose earlier request may still take effect: an answer to a repeat can't
            settle the request before it.
    """

    event: str
    old: str
    new: str
    exposed: str


def _transition(event: str, old: str, new: str, exposed: str | None = None) -> Transition:
    return Transition(event, old, new, exposed or new)


ROW_TRANSITIONS = (
    # The request.
    _transition("claim", "not_sent", "sending"),  # it is about to be sent
    _transition("claim", "in_doubt", "sending"),
    _transition("accept", "sending", "pending"),  # answered with a transaction
    _transition("acknowledge", "sending", "applied"),  # answered, and the call has no transaction
    _transition("refuse", "sending", "rejected", exposed="in_doubt"),  # refused before any processing
    _transition("return", "sending", "not_sent", exposed="in_doubt"),  # it certainly never reached Cenports
    _transition("lose", "sending", "in_doubt"),  # any other answer, or none
    _transition("crash", "sending", "in_doubt"),  # its process died
    # Its transaction.
    _transition("complete", "pending", "applied"),
    _transition("name", "pending", "rejected", exposed="unconfirmed"),  # its errors name the row
    _transition("fail", "pending", "unconfirmed"),  # it ended without saying what became of the row
    # What Cenports has now.
    _transition("confirm", "in_doubt", "applied"),
    _transition("confirm", "unconfirmed", "applied"),
    _transition("refute", "in_doubt", "not_applied"),
    _transition("refute", "unconfirmed", "not_applied"),
    _transition("confirm", "rejected", "applied"),  # an acknowledgment that was refused because of another one
    _transition("lack", "in_doubt", "rejected"),  # an acknowledgment of an order that does not exist
    _transition("lack", "rejected", "rejected"),
    # What a person or a policy says.
    _transition("requeue", "rejected", "not_sent"),  # retry()
    _transition("requeue", "not_applied", "not_sent"),
    _transition("restore_rejected", "not_sent", "rejected"),  # retry() withheld it
    _transition("restore_not_applied", "not_sent", "not_applied"),
    _transition("drop", "not_sent", "dropped"),  # on_stale="drop"
    _transition("hold", "not_sent", "held"),
    *(
        _transition(f"resolve_{new}", old, new)  # resolve()
        for new in RESOLVED_OUTCOMES
        for old in RESOLVABLE_OUTCOMES
    ),
)
"""Every change of a row's outcome. A row whose state is not `old` stays as it is."""

EXPOSURE_SQL = {
    "lose": "max(exposed, 1)",
    "crash": "max(exposed, 1)",
    "claim": "iif(exposed, 2, 0)",
    "complete": "iif(exposed = 2, 2, 0)",
    "confirm": "iif(exposed = 2, 2, 0)",
    "acknowledge": "0",
    "refute": "0",
    **{f"resolve_{new}": "0" for new in RESOLVED_OUTCOMES},
}
"""How an event changes `exposed`: 0 for a row without an unaccounted request, 1 for one whose only request may still take
effect, 2 for one of several requests that may. One effect accounts for one request: a row with several blocks other changes
until the last of them must have taken effect, even if its own outcome is known."""

BATCH_TRANSITIONS = (
    ("claim", "planned", "sending"),
    ("claim", "not_sent", "sending"),
    ("accept", "sending", "accepted"),
    ("acknowledge", "sending", "completed"),
    ("refuse", "sending", "rejected"),
    ("return", "sending", "not_sent"),
    ("lose", "sending", "in_doubt"),
    ("crash", "sending", "in_doubt"),
    ("split", "sending", "planned"),  # refused as too large: its halves are sent
    ("end", "accepted", "completed"),
    ("end", "accepted", "failed"),
    ("end", "accepted", "ended"),  # with an unknown status, or none
    ("withhold", "planned", "not_sent"),
    ("hold", "planned", "held"),
    ("hold", "not_sent", "held"),
)
"""Every change of a batch's state; `dry_run` and `held` are initial and final."""

SETTLED_BATCH_STATES = ("completed", "failed")
"""States of a batch that can't take effect any more, because Cenports said that its transaction has ended."""


def find_targets(event: str) -> dict[str, tuple[str, str]]:
    """Return where an event leads: by old state, the new state, and that of an exposed row.

    Raises:
        KeyError: There is no such event.
    """
    found = {each.old: (each.new, each.exposed) for each in ROW_TRANSITIONS if each.event == event}
    if not found:
        raise KeyError(event)
    return found


def list_outcome_pairs() -> list[tuple[str, str]]:
    """List every pair of outcomes, before and after, that a row may go through."""
    pairs = {(each.old, new) for each in ROW_TRANSITIONS for new in (each.new, each.exposed)}
    return sorted((old, new) for old, new in pairs if old != new)


def list_batch_pairs() -> list[tuple[str, str]]:
    """List every pair of states, before and after, that a batch may go through."""
    return sorted({(old, new) for _, old, new in BATCH_TRANSITIONS})
