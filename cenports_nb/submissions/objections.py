"""The objections of guards to a plan, with the journal's history, and which of them a person accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.errors import GuardRailError
from cenports_nb.frames.arrow_columns import build_text, repeat_text
from cenports_nb.frames.row_keys import list_keys
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.text import format_count
from cenports_nb.stock.guards.registry import STOPS_ALL, check_updates
from cenports_nb.stock.guards.thresholds import read_thresholds
from cenports_nb.stock.plans.metadata import read_metadata
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.journal.queries import list_repeated_updates, read_stock_history

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

ORDER_OBJECTION_DTYPES = dict.fromkeys(("channel_id", "order_no", "guard", "message"), "str")


def find_objections(
    client: Client,
    updates: pd.DataFrame,
    actual: pd.DataFrame,
    at: datetime,
    *,
    available: pd.DataFrame | None = None,
    thresholds: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """List the objections of guards, as in `check_updates`, with the history of the client's account."""
    span = timedelta(seconds=pd.Timedelta(read_thresholds(thresholds).repeated).total_seconds())
    metadata = read_metadata(updates)
    reversal_of = metadata.reversal_of if metadata is not None else None
    if reversal_of is not None:
        attrs = updates.attrs
        updates = updates.assign(reference=repeat_text(f"reversal of {reversal_of}", len(updates)).array)
        updates.attrs = attrs
    references = updates["reference"].dropna().astype("str").unique().tolist() if "reference" in updates else []
    context = get_context(client)
    history = read_stock_history(
        context.journal, context.locks.is_sending, client.settings.account, at, span, references, reversal_of
    )
    repeated = list_repeated_updates(
        context.journal, client.settings.account, context.gateway.now(), context.gateway.settle
    )
    if len(repeated):
        merged = history.merge(repeated.assign(is_repeated=True), on=list(repeated.columns), how="left")
        history["outcome"] = history["outcome"].mask(merged["is_repeated"].notna().to_numpy(), "pending").astype("str")
    return check_updates(updates, actual, available=available, history=history, thresholds=thresholds)


def is_blocking(objections: pd.DataFrame) -> pd.Series[bool]:
    """Return which objections are about a warehouse or the whole frame, not a row."""
    return objections["product_sku"].isna() | objections["guard"].isin(STOPS_ALL)


def hold_objected_rows(
    rows: pd.DataFrame, objections: pd.DataFrame, allow: Sequence[str] | pd.DataFrame, on_objection: str
) -> pd.DataFrame:
    """Hold the rows that a guard objects to, and add to each row the accepted guards, as `allowed`.

    Args:
        rows: `warehouse_code product_sku outcome message`.
        objections: From `find_objections`.
        allow: What a person accepts.
        on_objection: "hold" or "raise".

    Raises:
        GuardRailError: A guard objects, and its rows are not to be held, or it objects to the whole frame.
    """
    accepted = _is_accepted(objections, allow)
    rows = rows.assign(allowed=_join_by_row(rows, objections[accepted], objections["guard"], " "))
    objections = objections[~accepted].reset_index(drop=True)
    blocking = is_blocking(objections)
    if len(objections) and (on_objection == "raise" or blocking.any()):
        shown = objections[blocking] if on_objection == "hold" else objections
        names = ", ".join(f'"{name}"' for name in shown["guard"].unique())
        raise GuardRailError(
            f"{format_count(len(objections), 'objection')}, the first: "
            f"{shown['message'].iloc[0].rstrip('.')}. Nothing was sent; fix the frame (the error's .objections has all), "
            f"or accept them with allow=({names},).",
            objections=objections,
        )
    held = _join_by_row(rows, objections, objections["guard"] + ": " + objections["message"], "; ")
    is_held = held.notna() & (rows["outcome"] == "not_sent")
    return rows.assign(
        outcome=rows["outcome"].mask(is_held, "held").astype("str"),
        message=rows["message"].mask(is_held, held).astype("str"),
    )


def _join_by_row(rows: pd.DataFrame, objections: pd.DataFrame, texts: pd.Series[Any], separator: str) -> pd.Series[Any]:
    """Join the messages of each row; null if it has none."""
    if not len(objections):
        return repeat_text(None, len(rows))
    joined: dict[tuple[Any, ...], str] = {}
    for key, text in zip(list_keys(objections, STOCK_KEYS), texts[objections.index].tolist(), strict=True):
        joined[key] = f"{joined[key]}{separator}{text}" if key in joined else text
    return build_text([joined.get(key) for key in list_keys(rows, STOCK_KEYS)]).set_axis(rows.index)


def _is_accepted(objections: pd.DataFrame, allow: Sequence[str] | pd.DataFrame) -> pd.Series[bool]:
    """Return which objections a person accepts: all of a guard, or exactly these."""
    if not isinstance(allow, pd.DataFrame):
        return objections["guard"].isin(list(allow))
    names = [*STOCK_KEYS, "guard"]
    known = set(list_keys(allow[names].astype("str").fillna(""), names))
    given = list_keys(objections[names].astype("str").fillna(""), names)
    return pd.Series([each in known for each in given], dtype=bool, index=objections.index)
