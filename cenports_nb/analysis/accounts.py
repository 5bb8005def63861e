"""Analyses of frames with rows of several accounts: each account by itself, with `account` in front."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import ParamSpec, cast

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT, add_account, list_accounts

P = ParamSpec("P")


def per_account(*parameters: str) -> Callable[[Callable[P, pd.DataFrame]], Callable[P, pd.DataFrame]]:
    """Let an analysis, whose rows are of one account, take frames with the column `account`.

    Args:
        *parameters: The parameters that are frames.
    """

    def decorate(analyze: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
        signature, run = inspect.signature(analyze), cast("Callable[..., pd.DataFrame]", analyze)

        @functools.wraps(analyze)
        def analyze_each(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
            given = signature.bind(*args, **kwargs).arguments
            frames = {name: given[name] for name in parameters if isinstance(given.get(name), pd.DataFrame)}
            if not require_accounts(frames):
                return analyze(*args, **kwargs)
            accounts = sorted({account for frame in frames.values() for account in list_accounts(frame)})
            parts = []
            for account in accounts or [""]:
                own = {name: choose_account(frame, account) for name, frame in frames.items()}
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


def choose_account(frame: pd.DataFrame, account: str) -> pd.DataFrame:
    """Choose the rows of one account, without the column."""
    return frame[(frame[ACCOUNT] == account).to_numpy(dtype=bool)].drop(columns=ACCOUNT)
