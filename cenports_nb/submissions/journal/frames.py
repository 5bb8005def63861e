"""Entries of the journal as frames, with the same dtypes whatever their content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from cenports_nb.frames.arrow_columns import build_text
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.rules.models import Head

INSTANT = "datetime64[us, UTC]"
DTYPES = {
    name: dtype
    for dtype, names in {
        "str": (
            "submission_id warehouse_code channel_id order_no product_sku type handle status outcome message errors kind "
            "environment partner_id reason reference made_by fingerprint"
        ),
        INSTANT: "at before_at submitted_at completed_at last_polled_at read_back_at created_at",
        "int64": "item batch row quantity rows open applied rejected in_doubt",
        "Int64": "current_quantity before_quantity read_back change",
        "bool": "known_sku",
    }.items()
    for name in names.split()
}
"""The dtype of every column that a frame of the journal may have."""


STATUS_SQL = (
    "coalesce(status, CASE state WHEN 'planned' THEN 'NOT_SENT' WHEN 'ended' THEN 'UNCONFIRMED' ELSE upper(state) END)"
)
"""Cenports' status of a batch, or our own."""

OUTCOME_SQL = "CASE row.outcome WHEN 'sending' THEN ? ELSE row.outcome END"
"""The outcome of a row for people: a row being sent is shown as something they can act on."""


def build_frame(values: Iterable[Sequence[Any]], dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Build a typed frame from tuples; an empty one has the same dtypes, and instants may be text."""
    columns = list(zip(*values, strict=True)) or [()] * len(dtypes)
    return pd.DataFrame(
        {name: _build_column(column, dtype) for (name, dtype), column in zip(dtypes.items(), columns, strict=True)}
    )


def select_frame(journal: Journal, names: Sequence[str], query: str, values: Sequence[Any]) -> pd.DataFrame:
    """Select a frame with these columns from the journal, some thousands of rows at a time."""
    dtypes = {name: DTYPES[name] for name in names}
    parts = [build_frame(part, dtypes) for part in journal.select(query, values)]
    return pd.concat(parts, ignore_index=True) if parts else build_frame((), dtypes)


def read_outcomes(journal: Journal, head: Head, sending_as: str = "in_doubt") -> pd.DataFrame:
    """Return the outcome of each row of a submission, in the order of submission.

    Rows that are being sent are shown as pending while their sender lives, as in doubt after.
    """
    kind = get_write_kind(head)
    stock = ["type", "quantity"] if head.kind == "stock" else []
    read = ["read_back", "read_back_at"]
    names = [
        "submission_id", "batch", "row", *kind.key_columns, *stock, "handle", "status", "outcome", "message", "submitted_at",
        "completed_at", *read,
    ]  # fmt: skip
    of_batch = {"handle", "status", "submitted_at", "completed_at"}
    columns = ", ".join(
        OUTCOME_SQL if name == "outcome" else f"batch.{name}" if name in of_batch else f"row.{name}" for name in names
    )
    query = (
        f"SELECT {columns} FROM row JOIN batch USING (submission_id, batch) "  # noqa: S608 - our own names
        "WHERE row.submission_id = ? ORDER BY row.item"
    )
    return select_frame(journal, names, query, (sending_as, head.submission_id))


def read_changes(journal: Journal, head: Head, sending_as: str = "in_doubt") -> pd.DataFrame:
    """Return how each row changes its SKU, with its outcome; only for stock."""
    names = [
        "warehouse_code", "product_sku", "type", "current_quantity", "before_quantity", "quantity", "outcome", "batch",
        "row",
    ]  # fmt: skip
    columns = ", ".join(OUTCOME_SQL if name == "outcome" else name for name in names)
    query = f"SELECT {columns} FROM row "  # noqa: S608 - our own names
    query += "WHERE submission_id = ? AND product_sku IS NOT NULL ORDER BY item"
    return select_frame(journal, names, query, (sending_as, head.submission_id))


def read_transactions(journal: Journal, head: Head) -> pd.DataFrame:
    """List the batches of a submission, with Cenports' latest status of each, or ours in capitals."""
    names = [
        "submission_id", "batch", get_write_kind(head).batch_column, "rows", "handle", "status", "submitted_at", "completed_at",
        "last_polled_at", "errors",
    ]  # fmt: skip
    query = (
        f"SELECT submission_id, batch, place, rows, handle, {STATUS_SQL}, submitted_at, completed_at, "  # noqa: S608
        "last_polled_at, errors FROM batch WHERE submission_id = ? ORDER BY batch"
    )
    return select_frame(journal, names, query, (head.submission_id,))


def read_history(journal: Journal, head: Head) -> pd.DataFrame:
    """List every change of every row, oldest first: when, the SKU, old and new stock, outcome, message, who, why."""
    kind = get_write_kind(head)
    stock = ["type", "before_quantity", "quantity"] if head.kind == "stock" else []
    names = ["submission_id", "at", "batch", "row", *kind.key_columns, *stock, "outcome", "message", "made_by"]
    of_row = {*kind.key_columns, *stock}
    columns = ", ".join(f"row.{name}" if name in of_row else f"event.{name}" for name in names[:-1])
    query = (
        f"SELECT {columns}, coalesce(event.made_by, submission.made_by), coalesce(row.reason, submission.reason), "  # noqa: S608
        "coalesce(row.reference, submission.reference) "
        "FROM event JOIN row USING (submission_id, item) JOIN submission USING (submission_id) "
        "WHERE submission_id = ? ORDER BY event.rowid"
    )
    return select_frame(journal, [*names, "reason", "reference"], query, (head.submission_id,))


def read_held(journal: Journal, head: Head) -> pd.DataFrame:
    """List held rows as an update frame, with the objection or the reason of the person who left them out."""
    names = [
        "warehouse_code", "product_sku", "type", "quantity", "current_quantity", "change", "known_sku", "reason",
        "reference", "message",
    ]  # fmt: skip
    query = (
        "SELECT warehouse_code, product_sku, type, quantity, current_quantity, "
        "CASE WHEN type = 'TRUE_UP' THEN quantity - current_quantity ELSE quantity END, current_quantity IS NOT NULL, "
        "reason, reference, message FROM row WHERE submission_id = ? AND outcome = 'held' ORDER BY item"
    )
    return select_frame(journal, names, query, (head.submission_id,))


def _build_column(values: Sequence[Any], dtype: str) -> pd.Series[Any]:
    if dtype == "str":
        return build_text(values)
    if dtype == INSTANT:
        return pd.to_datetime(pd.Series(values, dtype="object"), utc=True, format="ISO8601").dt.as_unit("us")
    return pd.Series(values, dtype=dtype)
