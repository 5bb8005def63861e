"""Exit codes: what an error, or what became of rows, tells the shell."""

from __future__ import annotations

from collections.abc import Mapping

DONE, FAILED, USAGE, INCOMPLETE, IN_DOUBT = range(5)

OF_OUTCOME = {
    "applied": DONE,
    "rejected": FAILED,
    "not_applied": FAILED,
    "not_sent": FAILED,
    "held": FAILED,
    "pending": IN_DOUBT,
    "in_doubt": IN_DOUBT,
    "unconfirmed": IN_DOUBT,
}
"""Held rows fail: somebody must look at them, and a nightly job that ends with 1 is how somebody hears of it."""


def code_of_outcomes(outcomes: Mapping[str, int]) -> int:
    """Choose the exit code of a submission: its worst row's, and what may still land is worse than what failed."""
    return max((OF_OUTCOME[outcome] for outcome, rows in outcomes.items() if rows), default=DONE)


def code_of_error(error: BaseException) -> int:
    """Choose the exit code of an error."""
    from typer.exceptions import TyperException  # noqa: PLC0415

    from cenports_nb.reports import exit_code_of  # noqa: PLC0415

    return error.exit_code if isinstance(error, TyperException) else exit_code_of(error)
