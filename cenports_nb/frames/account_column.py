"""The column `account`, which frames of several accounts have in front."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import ParamSpec, cast

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import repeat_text

ACCOUNT = "account"

P = ParamSpec("P")


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


def per_account(*parameters: str) -> Callable[[Callable[P, pd.DataFrame]], Callable[P, pd.DataFrame]]:
    """Let a function, whose rows are of one account, take frames with the column `account`.

    Args:
        *parameters: The parameters that are frames.
    """

    def decorate(analyze: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
        signature, run = inspect.signature(analyze), cast("Callable[..., pd.DataFrame]", analyze)

        @functools.wraps(analyze)
        def analyze_each(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
            given = signature.bind(*args, **kwargs).arguments
            frames = {name: given[name] for name in parameters if isinstance(given.get(name), pd.DataFrame)}
            accounts = sorted({account for frame in frames.values() for account in list_accounts(frame)})
            having = [ACCOUNT in frame.columns for frame in frames.values()]
            if not any(having) or (len(accounts) < 2 and not all(having)):
                return analyze(*args, **kwargs)
            require_accounts(frames)
            parts = []
            for account in accounts or [""]:
                own = {
                    name: frame[(frame[ACCOUNT] == account).to_numpy(dtype=bool)].drop(columns=ACCOUNT)
                    for name, frame in frames.items()
                }
                parts.append(add_account(run(**{**given, **own}), account))
            return pd.concat(parts, ignore_index=True)

        return analyze_each

    return decorate


def require_accounts(frames: Mapping[str, pd.DataFrame]) -> bool:
    """Return whether frames have the column `account`: all of them, or none.

    Args:
        frames: By their names in errors.

    Raises:
        InvalidRequestError: Some have it, and others don't.
    """
    having = [name for name, frame in frames.items() if ACCOUNT in frame.columns]
    lacking = [name for name in frames if name not in having]
    if having and lacking:
        raise InvalidRequestError(
            f"{having[0]} has the column account, and {lacking[0]} doesn't: load both from the same list of clients, or "
            f"both from an archive."
        )
    return bool(having)
