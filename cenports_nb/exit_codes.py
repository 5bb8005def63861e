"""Exit codes: what an error, or what became of rows, tells the shell."""

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
"""Held and dropped rows fail: somebody must look at them, and a nightly job that ends with 1 is how somebody hears of it."""

ERROR_CODES = {"IncompleteError": INCOMPLETE, "ConfigurationError": USAGE, "InvalidRequestError": USAGE}
"""By class name, as a report knows the error of a cell by its name alone; any other error is FAILED."""


def choose_outcome_code(outcomes: Mapping[str, int]) -> int:
    """Choose the exit code of a submission: its worst row's, and what may still land is worse than what failed."""
    return max((OUTCOME_CODES[outcome] for outcome, rows in outcomes.items() if rows), default=DONE)


def choose_error_code(error: BaseException) -> int:
    """Choose the exit code of an error; one that has an `exit_code` of its own keeps it."""
    own: int | None = getattr(error, "exit_code", None)
    if own is not None:
        return own
    if isinstance(error, InvalidRequestError) and error.status is not None:
        return FAILED  # Cenports refused it: what was typed may be right
    return next((ERROR_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in ERROR_CODES), FAILED)
