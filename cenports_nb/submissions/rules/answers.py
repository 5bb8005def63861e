"""What the answer to a write proves, as one table: a refusal before processing, or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cenports_nb.errors import ApiError, CenportsError, InvalidRequestError, TransportError

SendEvent = Literal["refuse", "return", "lose"]

REFUSAL_EVENTS: Mapping[int, SendEvent] = {
    400: "refuse",
    401: "return",
    403: "refuse",
    404: "refuse",
    405: "refuse",
    413: "refuse",
    415: "refuse",
    422: "refuse",
    429: "return",
}
"""Statuses that are sent before anything is processed, and what each means for the rows.

Every other status may follow a change that was carried out (a redirect, 408, 409, 499, any 5xx), so it proves nothing.
"""

STOPPING_STATUSES = (401, 429)
"""Statuses after which the next batch would fail too."""


@dataclass(frozen=True)
class Verdict:
    """What an error means for the rows of its batch.

    Attributes:
        event: An event of `states.ROW_TRANSITIONS`.
        stops: Whether the next batch would fail too.
        too_large: Whether the number of rows was refused.
    """

    event: SendEvent
    stops: bool = False
    too_large: bool = False


def judge_error(error: CenportsError, items_field: str) -> Verdict:
    """Return what an error proves."""
    if not error.reached:
        # There was no token, or no connection.
        return Verdict("return", stops=not isinstance(error, TransportError))
    status = error.status if isinstance(error, ApiError | InvalidRequestError) else None
    if status is None:
        return Verdict("lose")
    event = REFUSAL_EVENTS.get(status, "lose")
    is_too_large = status == 413
    if isinstance(
        error, InvalidRequestError
    ):  # its text may refuse the number of rows, rather than the rows themselves
        texts = error.errors.get(items_field, ())
        is_too_large = any(re.search(r"\d|many|more than|max", text, re.IGNORECASE) for text in texts)
    return Verdict(event, status in STOPPING_STATUSES, event == "refuse" and is_too_large)
