"""Changes between two readings of a frame: rows that are new, moved or vanished."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from cenports_nb.errors import AnalysisWarning, InvalidRequestError
from cenports_nb.frames.account_column import per_account
from cenports_nb.frames.arrow_columns import repeat_text
from cenports_nb.frames.provenance import provenance
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import index_unique_rows, validate_columns
from cenports_nb.frames.user_warnings import warn_user

KEYED_SCHEMAS: tuple[type[pa.DataFrameModel], ...] = (
    schemas.LineItems,
    schemas.Orders,
    schemas.AvailableStock,
    schemas.ActualStock,
    schemas.Channels,
    schemas.Warehouses,
)
"""Frames with a known key, the most specific first."""


@per_account("before", "after")
def changes(
    before: pd.DataFrame, after: pd.DataFrame, *, key: Sequence[str] | None = None, ignore: Collection[str] = ()
) -> pd.DataFrame:
    """List what changed between two frames of the same kind, one row per changed key and column.

    new = keys of `after` only; vanished = keys of `before` only; moved = columns of a common key whose values differ
    (null equals null, 5 equals 5.0, an instant equals itself in another zone). The API has no time of change, so this
    is how you compare yesterday's orders, line items or stock with today's.

    Args:
        before: The earlier frame.
        after: The later frame.
        key: The columns that identify a row; by default the key of orders, line items, stock, channels or warehouses.
            Required for shipments and for your own frames.
        ignore: Columns that are not compared.

    Returns:
        The key, `change` (`new`, `moved`, `vanished`), `column` (null except for moved), `before` and `after` (the
        exact values as text, null for null). Ordered by key, then by column as in `after`.

    Raises:
        InvalidRequestError: A column of the key is missing, can't be read or repeats; the key is not known; or a
            column has text in one frame and numbers in the other.

    Warns:
        AnalysisWarning: The frames were loaded with different arguments, so that new and vanished rows may only be
            outside one of them; or only one frame has a column, so it is not compared.

    Example:
        >>> stock = pd.DataFrame({"warehouse_code": "W", "product_sku": ["A", "B"], "quantity": [5, 7]})
        >>> later = pd.DataFrame({"warehouse_code": "W", "product_sku": ["A", "C"], "quantity": [4, 7]})
        >>> cn.changes(stock, later)
          warehouse_code product_sku    change    column before after
        0              W           A     moved  quantity      5     4
        1              W           B  vanished       NaN    NaN   NaN
        2              W           C       new       NaN    NaN   NaN
    """
    return list_changes(before, after, key, ignore)


def list_changes(
    before: pd.DataFrame, after: pd.DataFrame, key: Sequence[str] | None = None, ignore: Collection[str] = ()
) -> pd.DataFrame:
    """List what changed between two frames, whose key has the account if they have it; see `changes`."""
    names, model = _find_key(before, after, key)
    keys = [
        validate_columns(frame, model, what, names) if model else _read_own_key(frame, names, what)
        for frame, what in ((before, "before"), (after, "after"))
    ]
    encoded = encode_keys(*[[part[name] for name in names] for part in keys])
    was, now = (
        index_unique_rows(frame, codes, encoded.size, names, what)
        for frame, codes, what in zip((before, after), encoded.rows, ("before", "after"), strict=True)
    )
    shared = np.flatnonzero((was >= 0) & (now >= 0))
    new, vanished = np.flatnonzero((was < 0) & (now >= 0)), np.flatnonzero((was >= 0) & (now < 0))
    columns = _find_common_columns(before, after, {*names, *ignore})
    parts = [_build_rows(new, "new"), _build_rows(vanished, "vanished")]
    for name in columns:
        earlier, later = before[name].iloc[was[shared]], after[name].iloc[now[shared]]
        earlier, later = _unify_dtypes(earlier.reset_index(drop=True), later.reset_index(drop=True), name)
        moved = _is_different(earlier, later)
        rows = _build_rows(shared[moved], "moved", name)
        parts.append(rows.assign(before=_to_text(earlier[moved]), after=_to_text(later[moved])))
    _warn_of_other_queries(before, after, gone=len(new) + len(vanished))
    found = pd.concat(parts, ignore_index=True).sort_values("_code", kind="stable", ignore_index=True)
    codes = found.pop("_code").to_numpy()
    key_rows = np.where(was[codes] >= 0, was[codes], len(before) + now[codes])
    key_columns = {
        name: pd.concat([part[name] for part in keys], ignore_index=True).take(key_rows).reset_index(drop=True)
        for name in names
    }
    return pd.DataFrame({**key_columns, **found}, copy=False)


def _build_rows(codes: IntArray, change: str, column: str | None = None) -> pd.DataFrame:
    texts = {"change": change, "column": column, "before": None, "after": None}
    return pd.DataFrame({"_code": codes, **{name: repeat_text(text, len(codes)) for name, text in texts.items()}})


def _find_key(
    before: pd.DataFrame, after: pd.DataFrame, key: Sequence[str] | None
) -> tuple[list[str], type[pa.DataFrameModel] | None]:
    """Return the key of the frames, and the schema that defines it."""
    for frame, what in ((before, "before"), (after, "after")):
        if not isinstance(frame, pd.DataFrame):
            raise InvalidRequestError(f"{what} must be a DataFrame, not {type(frame).__name__}.")
    if key is not None:
        names = [key] if isinstance(key, str) else list(key)
        for frame, what in ((before, "before"), (after, "after")):
            lacking = [name for name in names if name not in frame.columns]
            if lacking or not names:
                raise InvalidRequestError(f"{what} lacks the key's column {', '.join(lacking)}: name others in key=.")
        return names, None
    for model in KEYED_SCHEMAS:
        schema = model.to_schema()
        names = list(schema.unique or [name for name, column in schema.columns.items() if column.unique])
        if set(names) <= {*before.columns} & {*after.columns} and "tracking_number" not in before.columns:
            return names, model
    raise InvalidRequestError("What names a row of these frames is not known: pass key=, such as ['order_no'].")


def _read_own_key(frame: pd.DataFrame, names: list[str], what: str) -> pd.DataFrame:
    """Validate a key that a person chose: text or whole numbers, never null."""
    for name in names:
        bad = frame.index[frame[name].isna()]
        if len(bad):
            raise InvalidRequestError(f"{what} has no {name} in row {bad[0]}, and it is part of the key: fill it in.")
    read = {}
    for name in names:
        whole = pd.api.types.is_integer_dtype(frame[name])
        read[name] = frame[name].astype("int64") if whole else frame[name].astype("str")
    return pd.DataFrame(read)


def _find_common_columns(before: pd.DataFrame, after: pd.DataFrame, ignored: set[str]) -> list[str]:
    alone = [*before.columns.difference(after.columns), *after.columns.difference(before.columns)]
    alone = [name for name in alone if name not in ignored]
    if alone:
        warn_user(f"Only one of the frames has {', '.join(map(str, alone))}: not compared.", AnalysisWarning)
    return [name for name in after.columns if name in before.columns and name not in ignored]


def _detect_kind(column: pd.Series[Any]) -> str:
    """Detect what a column holds, to compare like with like."""
    if column.isna().all():
        return "nothing"
    kind = column.dtype.kind
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return "instants"
    if isinstance(column.dtype, pd.StringDtype):
        return "text"
    named = {"i": "numbers", "u": "numbers", "f": "numbers", "b": "flags", "M": "days", "m": "spans"}
    if kind in named and not isinstance(column.dtype, pd.CategoricalDtype):
        return named[kind]
    guessed = pd.api.types.infer_dtype(column, skipna=True)
    return {"string": "text", "categorical": "text", "boolean": "flags"}.get(guessed, guessed)


def _unify_dtypes(earlier: pd.Series[Any], later: pd.Series[Any], name: str) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Convert two columns to one dtype in which equal values are equal."""
    kinds = _detect_kind(earlier), _detect_kind(later)
    if "nothing" in kinds:
        other = later if kinds[0] == "nothing" else earlier
        dtype: Any = "Int64" if other.dtype.kind in "iu" else "boolean" if other.dtype.kind == "b" else other.dtype
        earlier, later = (column.astype("object").where(column.notna()) for column in (earlier, later))
        return earlier.astype(dtype), later.astype(dtype)
    if kinds[0] != kinds[1]:
        raise InvalidRequestError(f"{name} holds {kinds[0]} before and {kinds[1]} after: load both in the same way.")
    if kinds[0] == "numbers":
        integer = [column.dtype.kind in "iu" for column in (earlier, later)]
        whole = all(known or _is_whole(column) for known, column in zip(integer, (earlier, later), strict=True))
        dtype = "Int64" if any(integer) and whole else "Float64"
        return earlier.astype(dtype), later.astype(dtype)
    dtypes: dict[str, Any] = {"text": "str", "flags": "boolean", "instants": "datetime64[us, UTC]"}
    dtype = dtypes.get(kinds[0])
    return (earlier.astype(dtype), later.astype(dtype)) if dtype else (earlier, later)


def _is_whole(column: pd.Series[Any]) -> bool:
    """Return whether all floats of a column are whole numbers."""
    known = column.dropna()
    return bool(((known % 1 == 0) & (known.abs() < 2**53)).all())


def _is_different(earlier: pd.Series[Any], later: pd.Series[Any]) -> Mask:
    """Compare value by value; null equals only null."""
    no_earlier, no_later = earlier.isna().to_numpy(), later.isna().to_numpy()
    unequal = (earlier != later).fillna(value=False).to_numpy(dtype=bool)
    mask: Mask = np.where(no_earlier | no_later, no_earlier != no_later, unequal)
    return mask


def _to_text(values: pd.Series[Any]) -> pd.Series[Any]:
    """Format values as text, exactly: floats in the shortest form that reads back the same."""
    texts = values.astype("object").where(values.notna(), None).map(str, na_action="ignore")
    return texts.astype("str").reset_index(drop=True)


def _warn_of_other_queries(before: pd.DataFrame, after: pd.DataFrame, *, gone: int) -> None:
    """Warn if the frames come from different queries and rows are only on one side."""
    earlier, later = provenance(before), provenance(after)
    if earlier is None or later is None:
        return
    facts = [{"environment": o.environment, "partner_id": o.partner_id, **o.params} for o in (earlier, later)]
    names = [name for name in {**facts[0], **facts[1]} if facts[0].get(name) != facts[1].get(name)]
    differences = [
        f"{name} was {facts[0].get(name, 'not given')}, then {facts[1].get(name, 'not given')}" for name in names
    ]
    differences += [
        f"{what} is partial" for what, origin in (("before", earlier), ("after", later)) if not origin.complete
    ]
    if differences and gone:
        warn_user(
            f"The frames answer different questions ({'; '.join(differences)}): rows that are new or vanished may only be "
            "outside of one of them.",
            AnalysisWarning,
        )
