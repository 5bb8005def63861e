"""Rows that a workbook hides or filters out: a question, unless the person or the profile has answered it."""

from __future__ import annotations

from typing import Literal, get_args

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.row_keys import Mask
from cenports_nb.rendering.surface import name_argument
from cenports_nb.settings import read_profile_value
from cenports_nb.tables.table import Table

HiddenRows = Literal["include", "exclude"]
HIDDEN_ROWS_SETTING = "hidden_rows"
"""The profile's setting that answers the question for every file."""


def settle_hidden_rows(table: Table, matters: Mask, what: str, answer: str | None, profile: str | None = None) -> Table:
    """Include or exclude the hidden rows of a table.

    Args:
        table: The table.
        matters: Rows that make a difference; other hidden rows are read like visible ones.
        what: What those rows hold, such as "6 units".
        answer: `include` or `exclude`; None for the profile's setting.
        profile: The profile; None for the one of the environment, else the default profile.

    Raises:
        InvalidRequestError: Hidden rows matter and the question is unanswered, or the answer is invalid.
    """
    answers = get_args(HiddenRows)
    if answer is not None and answer not in answers:
        raise InvalidRequestError(f"{name_argument('hidden_rows', answer)} must be {' or '.join(map(repr, answers))}.")
    if table.hidden_rows is None or not (table.hidden_rows & matters).any():
        return table
    answer = answer or read_profile_value(HIDDEN_ROWS_SETTING, profile)
    if answer not in answers:
        hidden = table.lines[table.hidden_rows & matters]
        where = f"{table.line} {hidden[0]}" if len(hidden) == 1 else f"{table.line}s {hidden[0]} to {hidden[-1]}"
        rows = "1 row is" if len(hidden) == 1 else f"{len(hidden):,} rows are"
        raise InvalidRequestError(
            f"{table.title} has {what} in rows that are hidden or filtered out ({rows}, {where}): read them with "
            f"{name_argument('hidden_rows', 'include')}, leave them out with {name_argument('hidden_rows', 'exclude')}, or say so once in your profile. "
            "Nothing was read."
        )
    return table if answer == "include" else table.select_rows(~(table.hidden_rows & matters))
