"""Exit codes of errors and of row outcomes."""

from __future__ import annotations

from collections.abc import Mapping

from cenports_nb.errors import InvalidRequestError

DONE, FAILED, USAGE, INCOMPLETE, IN_DOUBT = range(5)

OUTCOME_CODES = {
    "applied": DONE,
    "rejected": FAILED,
    "not_applied": FAILED,
    "not_sent": FAILED,
    "held": FAILED,
    "dropped": FAILED,
    "pending": IN_DOUBT,
    "in_doubt": IN_DOUBT,
    "unconfirmed": IN_DOUBT,
}
"""Held and dropped rows count as failed, because somebody must look at them, also after a nightly job."""

ERROR_CODES = {"IncompleteError": INCOMPLETE, "ConfigurationError": USAGE, "InvalidRequestError": USAGE}
"""By class name, because a report knows the error of a cell only by its name; any other error is FAILED."""


def choose_outcome_code(outcomes: Mapping[str, int]) -> int:
    """Choose the exit code of a submission by its worst row; a row in doubt is worse than a failed one."""
    return max((OUTCOME_CODES[outcome] for outcome, rows in outcomes.items() if rows), default=DONE)


def choose_error_code(error: BaseException) -> int:
    """Choose the exit code of an error; an error's own `exit_code` takes precedence."""
    own: int | None = getattr(error, "exit_code", None)
    if own is not None:
        return own
    if isinstance(error, InvalidRequestError) and error.status is not None:
        return FAILED  # Cenports refused it: the command itself may be right
    return next((ERROR_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in ERROR_CODES), FAILED)
