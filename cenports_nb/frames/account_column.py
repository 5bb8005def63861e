"""The column `account`, which frames of several accounts have in front."""

from __future__ import annotations

import pandas as pd

from cenports_nb.frames.arrow_columns import repeat_text

ACCOUNT = "account"


def add_account(frame: pd.DataFrame, account: str) -> pd.DataFrame:
    """Put the account in front of a frame's columns; the frame is changed in place."""
    frame.insert(0, ACCOUNT, repeat_text(account, len(frame)).set_axis(frame.index))
    return frame


def list_accounts(frame: pd.DataFrame) -> list[str]:
    """List the accounts of a frame's rows; empty for a frame without the column."""
    if ACCOUNT not in frame.columns or isinstance(frame[ACCOUNT], pd.DataFrame):
        return []
    return sorted(frame[ACCOUNT].dropna().astype("str").unique())


def describe_accounts(frame: pd.DataFrame, what: str) -> str:
    """Explain that a frame has rows of several accounts, and how to choose one; empty if it hasn't.

    Args:
        frame: Any frame.
        what: The frame's name in errors, such as the argument's name.
    """
    accounts = list_accounts(frame)
    if len(accounts) < 2:
        return ""
    shown = ", ".join(accounts[:3]) + (", …" if len(accounts) > 3 else "")
    return (
        f"has rows of {len(accounts)} accounts ({shown}): pass those of one, such as "
        f'{what}[{what}["account"] == "{accounts[0]}"]'
    )


def add_account_key(frame: pd.DataFrame, keys: list[str]) -> list[str]:
    """Return the key of a frame's rows, with the account in front if the frame has it."""
    return [ACCOUNT, *keys] if ACCOUNT in frame.columns else keys


def name_warehouses_by_account(rows: pd.DataFrame) -> pd.DataFrame:
    """Put the account before the warehouse code of rows of several accounts, whose warehouses may share a code."""
    if len(list_accounts(rows)) < 2:
        return rows
    return rows.assign(warehouse_code=rows[ACCOUNT] + " " + rows["warehouse_code"])
