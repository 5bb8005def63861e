"""The errors and warnings of the package; every message says what happened, to what, and what to do next.

* CenportsError
  + ConfigurationError        a setting is missing or invalid
  + InvalidRequestError       arguments that can't be sent, or HTTP 422 (also a ValueError)
  + ReadOnlyError             a write through a read-only client; nothing was sent
  + ApiError                  any other HTTP error status
    - AuthenticationError     credentials refused
    - BusinessError           HTTP 400, or a 200 whose envelope has an error
    - RateLimitedError        429 after all retries
  + TransportError            no usable answer
  + UnexpectedAnswerError     JSON whose shape contradicts the reference
  + IncompleteError           records are, or may be, missing
  + RejectedRowsError         records that can't be read, with `on_reject="raise"`
  + OfflineMissError          `offline=True` and the cache has no answer
  + JournalError              the journal can't be written or read; nothing was sent
  + ArchiveError              the archive can't be written or read, or is damaged
  + GuardRailError            a guard objects to an update frame; nothing was sent
  + StaleStockError           stock changed since planning; nothing was sent

* CenportsWarning (a UserWarning)
  + IncompleteWarning, RejectedRowsWarning, UnknownFieldsWarning
  + StockWarning              a comparison of stock leaves something out
  + AnalysisWarning           an analysis leaves something out, or is uncertain
  + HandoverWarning           a hand-over leaves orders out, or finishes an earlier one
  + PendingWarning            a wait ended before the transactions did
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
    """The base class of all errors that this package raises on purpose.

    Attributes:
        reached: False if the request certainly never reached Cenports; otherwise a write is in doubt.
        sent: False if the message says that nothing was sent; None if it doesn't say.
    """

    reached = True
    sent: bool | None = None
    _shown = False

    def __init__(self, *args: object, sent: bool | None = None) -> None:
        super().__init__(*args)
        if sent is not None:
            self.sent = sent

    def _render_traceback_(self) -> list[str]:
        """Render for IPython: a paragraph and the caller's own line; when asked again (`%tb`), the whole traceback.

        Where nobody can ask again, the traceback is below the paragraph. Any %xmode other than the default shows its own.
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
    """Format an error for people: what happened and what to do, and where in their code."""
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
    """A setting is missing or invalid."""


class InvalidRequestError(CenportsError, ValueError):
    """Arguments can't be sent, or Cenports refused them with 422.

    Attributes:
        status: 422 if Cenports refused, None if nothing was sent.
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
    """A write was requested through a read-only client; nothing was sent."""

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
    """HTTP 400, or a 200 whose envelope has an error.

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
    """A request was still refused with 429 after all retries.

    Attributes:
        retry_after: Seconds until Cenports will accept requests again, if known.
    """

    def __init__(self, message: str, *, body: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, status=429, body=body)
        self.retry_after = retry_after


class TransportError(CenportsError):
    """No usable answer: connection failed, timed out, truncated, or not JSON."""

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class UnexpectedAnswerError(CenportsError):
    """JSON whose shape contradicts the reference."""


class IncompleteError(CenportsError):
    """Records are, or may be, missing.

    Attributes:
        partial: The validated frame of the records that were received.
        missing: The windows that were not: `source channel_id start end reason`.
    """

    def __init__(self, message: str, *, partial: pd.DataFrame, missing: pd.DataFrame) -> None:
        super().__init__(message)
        self.partial = partial
        self.missing = missing


class RejectedRowsError(CenportsError):
    """Records can't be read, and the caller asked to raise.

    Attributes:
        rejected: `record_index key column reason record`.
    """

    def __init__(self, message: str, *, rejected: pd.DataFrame) -> None:
        super().__init__(message)
        self.rejected = rejected


class OfflineMissError(CenportsError):
    """The client is offline and the cache has no answer to this request."""


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
    """Stock, or open demand that was added back, changed since planning; nothing was sent.

    Attributes:
        stale: `warehouse_code product_sku current_quantity stock_now quantity`, and `open_quantity open_now` for a plan
            that added open demand back.
    """

    sent = False

    def __init__(self, message: str, *, stale: pd.DataFrame) -> None:
        super().__init__(message)
        self.stale = stale


class CenportsWarning(UserWarning):
    """The base class of all warnings of this package."""


class IncompleteWarning(CenportsWarning):
    """A partial frame was returned because the caller allowed it."""


class RejectedRowsWarning(CenportsWarning):
    """Records could not be read; `cenports_nb.rejected(frame)` has them."""


class UnknownFieldsWarning(CenportsWarning):
    """Cenports sent fields that the frame does not have."""


class StockWarning(CenportsWarning):
    """A comparison of stock leaves something out; the message says what."""


class AnalysisWarning(CenportsWarning):
    """An analysis leaves something out or is uncertain; the message says what."""


class HandoverWarning(CenportsWarning):
    """A hand-over leaves orders out or finishes an earlier one; the message says which."""


class PendingWarning(CenportsWarning):
    """A wait ended before all transactions did; nothing is lost, wait again."""
