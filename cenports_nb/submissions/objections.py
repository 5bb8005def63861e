"""What guards object to in a plan, with what the journal knows of earlier ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.stock.guards.registry import STOPS_ALL, check_updates
from cenports_nb.stock.guards.thresholds import read_thresholds
from cenports_nb.submissions.context import desk_of
from cenports_nb.submissions.journal.queries import history_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def objections_to(
    client: Client,
    updates: pd.DataFrame,
    actual: pd.DataFrame,
    at: datetime,
    *,
    available: pd.DataFrame | None = None,
    thresholds: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """List what guards object to, as `check_updates` does, with the history of the client's account.

    Args:
        client: Whose journal is looked into.
        updates: The plan.
        actual: Actual stock as of `at`.
        at: Now.
        available: Available stock, for the guards that need it.
        thresholds: Other thresholds of guards.
    """
    span = timedelta(seconds=pd.Timedelta(read_thresholds(thresholds).repeated).total_seconds())
    history = history_of(desk_of(client).journal, client.home, client.settings.account, at, span)
    return check_updates(updates, actual, available=available, history=history, thresholds=thresholds)


def doubts_all(objections: pd.DataFrame) -> pd.Series[bool]:
    """Tell which objections doubt a warehouse or the whole frame, not a row."""
    return objections["product_sku"].isna() | objections["guard"].isin(STOPS_ALL)
