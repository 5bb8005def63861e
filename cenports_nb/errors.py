"""What can go wrong, as a tree; every message says what happened, to what, and what to do next.

* CenportsError
  + ConfigurationError        nothing or nonsense is configured
  + InvalidRequestError       arguments that can't be sent, or HTTP 422 (also a ValueError)
  + ReadOnlyError             a write through a read-only client; nothing was sent
  + ApiError                  any other HTTP error status
    - AuthenticationError     credentials refused
    - BusinessError           HTTP 400, or a 200 whose envelope says otherwise
    - RateLimitedError        429 that outlasted the patience
  + TransportError            no usable answer
  + UnexpectedAnswerError     JSON of a shape that the reference can't explain
  + IncompleteError           records are known or feared to be missing
  + RejectedRowsError         records that can't be read, and `on_reject="raise"`
  + OfflineMissError          `offline=True` and the cache has no answer
  + JournalError              the journal can't be written or read; nothing was sent
  + ArchiveError              the archive can't be written or read, or is damaged
  + GuardRailError            an update frame that a guard objects to; nothing was sent
  + StaleStockError           stock moved since the update frame was built; nothing was sent

* CenportsWarning (a UserWarning)
  + IncompleteWarning, RejectedRowsWarning, UnknownFieldsWarning
  + StockWarning              a comparison of stock that leaves something out
  + AnalysisWarning           an analysis that leaves something out, or can't tell
  + HandoverWarning           a hand-over that leaves orders out, or finishes an earlier one
  + PendingWarning            a wait that ended before the transactions did
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cenports_nb.ipython import get_shell, is_attended
from cenports_nb.rendering.text import make_printable, truncate

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AnalysisWarning",
    "ApiError",
    "ArchiveError",
    "AuthenticationError",
    "BusinessError",
    "CenportsError",
    "CenportsWarning",
    "ConfigurationError",
    "GuardRailError",
    "HandoverWarning",
    "IncompleteError",
    "IncompleteWarning",
    "InvalidRequestError",
    "JournalError",
    "OfflineMissError",
    "PendingWarning",
    "RateLimitedError",
    "ReadOnlyError",
    "RejectedRowsError",
    "RejectedRowsWarning",
    "StaleStockError",
    "StockWarning",
    "TransportError",
    "UnexpectedAnswerError",
    "UnknownFieldsWarning",
]


class CenportsError(Exception):
    """The root of all errors that this package raises on purpose.

    Attributes:
        reached: False if the request certainly never reached Cenports; a write is in doubt otherwise.
        sent: False if the message says that nothing was sent; None if it says nothing of that.
    """

    reached = True
    sent: bool | None = None
    _shown = False

    def __init__(self, *args: object, sent: bool | None = None) -> None:
        super().__init__(*args)
        if sent is not None:
            self.sent = sent

    def _render_traceback_(self) -> list[str]:
        """Tell IPython how it looks: a paragraph and the caller's own line; asked again (`%tb`), every step.

        Where nobody can ask again the steps stand below the paragraph. Whoever chose another %xmode gets that.
        """
        tracebacks = getattr(get_shell(), "InteractiveTB", None)
        if tracebacks is None:
            return [format_paragraph(self)]
        chosen = str(tracebacks.mode) not in ("Context", "Minimal")
        alone = not is_attended() and str(tracebacks.mode) != "Minimal"
        brief = not (self._shown or chosen)
        steps: list[str] = []
        if alone or not brief:
            steps = tracebacks.structured_traceback(type(self), self, self.__traceback__)
        self._shown = True
        return (
            [format_paragraph(self), *([""] if steps else ["", "Every step that led here: %tb"]), *steps]
            if brief
            else steps
        )


def format_paragraph(error: CenportsError) -> str:
    """Write an error as a person reads it: what happened and what to do, and where in their own code."""
    text = make_printable("\n".join([str(error), *getattr(error, "__notes__", [])]), keep="\n")
    steps = traceback.extract_tb(error.__traceback__)
    entry = next((i for i, step in enumerate(steps) if step.filename.startswith(PACKAGE_FOLDER)), len(steps))
    caller = steps[entry - 1] if entry else None
    location = ""
    if caller is not None and caller.line:
        location = f"\n\n    line {caller.lineno}:  {truncate(caller.line, QUOTED_LINE_MAX_LENGTH)}"
    return f"{type(error).__name__}: {text}{location}"


QUOTED_LINE_MAX_LENGTH = 100
PACKAGE_FOLDER = __file__.removesuffix("errors.py")


class ConfigurationError(CenportsError):
    """Nothing or nonsense is configured."""


class InvalidRequestError(CenportsError, ValueError):
    """Arguments that can't be sent, or that Cenports refused with 422.

    Attributes:
        status: 422 if Cenports said so, None if nothing was sent.
        errors: Field name to messages.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        errors: Mapping[str, Sequence[str]] | None = None,
        sent: bool | None = None,
    ) -> None:
        super().__init__(message, sent=sent)
        self.status = status
        self.errors: dict[str, list[str]] = {field: list(texts) for field, texts in (errors or {}).items()}


class ReadOnlyError(CenportsError):
    """A write was asked of a read-only client; nothing was sent."""

    sent = False


class ApiError(CenportsError):
    """Cenports answered with an error status.

    Attributes:
        status: The HTTP status.
        body: The beginning of the answer, without secrets.
    """

    def __init__(self, message: str, *, status: int, body: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class AuthenticationError(ApiError):
    """The credentials were refused, or a token was still refused after it was renewed."""


class BusinessError(ApiError):
    """HTTP 400, or a 200 whose envelope says otherwise.

    Attributes:
        code: The error code of the envelope, as text.
        errors: What Cenports objects to, one text each.
    """

    def __init__(
        self, message: str, *, status: int, body: str = "", code: str = "", errors: Sequence[str] = ()
    ) -> None:
        super().__init__(message, status=status, body=body)
        self.code = code
        self.errors = list(errors)


class RateLimitedError(ApiError):
    """The request was refused with 429 for longer than the patience of a call.

    Attributes:
        retry_after: Seconds until Cenports will answer again, as far as known.
    """

    def __init__(self, message: str, *, body: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, status=429, body=body)
        self.retry_after = retry_after


class TransportError(CenportsError):
    """No usable answer: connection, time-out, cut off, or not JSON."""

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class UnexpectedAnswerError(CenportsError):
    """JSON of a shape that the reference can't explain."""


class IncompleteError(CenportsError):
    """Records are known or feared to be missing.

    Attributes:
        partial: The frame of what did arrive, validated.
        missing: What did not: `source channel_id start end reason`.
    """

    def __init__(self, message: str, *, partial: pd.DataFrame, missing: pd.DataFrame) -> None:
        super().__init__(message)
        self.partial = partial
        self.missing = missing


class RejectedRowsError(CenportsError):
    """Records can't be read, and the caller asked to be stopped by that.

    Attributes:
        rejected: `record_index key column reason record`.
    """

    def __init__(self, message: str, *, rejected: pd.DataFrame) -> None:
        super().__init__(message)
        self.rejected = rejected


class OfflineMissError(CenportsError):
    """The client is offline and the cache has no answer to this question."""


class JournalError(CenportsError):
    """The journal can't be written or read; nothing was sent."""


class ArchiveError(CenportsError):
    """The archive can't be written or read: its folder is full, damaged, not an archive, or of a newer version."""


class GuardRailError(CenportsError):
    """A guard objects to an update frame; nothing was sent.

    Attributes:
        objections: `warehouse_code product_sku guard message`.
    """

    sent = False

    def __init__(self, message: str, *, objections: pd.DataFrame) -> None:
        super().__init__(message)
        self.objections = objections


class StaleStockError(CenportsError):
    """Stock, or open demand that was added back, moved since the update frame was built; nothing was sent.

    Attributes:
        stale: `warehouse_code product_sku current_quantity stock_now quantity`, and `open_quantity open_now` of a plan that
            added open demand back.
    """

    sent = False

    def __init__(self, message: str, *, stale: pd.DataFrame) -> None:
        super().__init__(message)
        self.stale = stale


class CenportsWarning(UserWarning):
    """The root of all warnings of this package."""


class IncompleteWarning(CenportsWarning):
    """A partial frame was returned because the caller allowed it."""


class RejectedRowsWarning(CenportsWarning):
    """Records could not be read; `cenports_nb.rejected(frame)` has them."""


class UnknownFieldsWarning(CenportsWarning):
    """Cenports sent fields that the frame does not have."""


class StockWarning(CenportsWarning):
    """A comparison of stock leaves something out, and says what."""


class AnalysisWarning(CenportsWarning):
    """An analysis leaves something out or can't tell it, and says what."""


class HandoverWarning(CenportsWarning):
    """A hand-over leaves orders out or finishes an earlier one, and says which."""


class PendingWarning(CenportsWarning):
    """A wait ended before all transactions did; nothing is lost, wait again."""
