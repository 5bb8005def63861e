"""Mask personal data: pseudonyms instead of names, addresses, phone numbers, e-mail addresses and messages."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.privacy.personal_columns import is_known, is_personal_number, normalize_name, personal_kind
from cenports_nb.frames.privacy.pseudonyms import Pseudonymize, build_pseudonymizer
from cenports_nb.frames.provenance import (
    ACCOUNT_KEY,
    QUOTED_VALUE,
    provenance,
    read_account,
    read_accounts,
    rejected,
    replace_account,
    replace_rejects,
)
from cenports_nb.frames.schema.column_docs import TEXT

MAX_SIDEWAYS_ROWS = 500  # a transposed frame has few rows; longer ones have people or orders in their index


def mask_pii(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace values that identify a person by pseudonyms, such as `name-3f9a1c22d05b`.

    Names, streets, postal codes, phone numbers, e-mail addresses and free messages are masked. Cities, states,
    countries, identifiers, statuses, and the names of products, warehouses, channels and carriers are not. The schemas
    say which columns are personal; other columns are judged by their name, and JSON text field by field. Index levels
    and column labels with such values are masked too.

    A value has the same pseudonym in every frame of an account (environment and partner), and another one in another
    account, so that masked frames can still be joined and counted. Frames without provenance share one set. Masking a
    masked frame changes nothing.

    Pseudonyms are not anonymous: a person who knows a name can compute its pseudonym, and city, order number and price
    may identify a customer. Treat a masked frame as personal data.

    Args:
        frame: Any frame; it is not changed.

    Returns:
        A copy with the same columns, dtypes, index and provenance, and masked rejects; nulls stay null. Only a numeric
        column that is named as a phone number or postal code becomes text.

    Raises:
        InvalidRequestError: Not a DataFrame.

    Example:
        >>> orders = cn.mask_pii(cn.load_orders(client, last="30D"))
        >>> orders[["customer_name", "ship_to_city"]].head(2)
               customer_name ship_to_city
        0  name-c3b4651de9c3       Lisboa
        1  name-d88a841a20f0         Graz
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidRequestError(f"mask_pii takes a DataFrame, not {type(frame).__name__}: pass column.to_frame().")
    return _mask_frame(frame, shorten=False)


def mask_for_display(frame: pd.DataFrame) -> pd.DataFrame:
    """Mask a frame as `mask_pii` does, with pseudonyms that are short enough for a table: `Customer 3f9a`."""
    return _mask_frame(frame, shorten=True)


def _mask_frame(frame: pd.DataFrame, *, shorten: bool) -> pd.DataFrame:
    if len(accounts := read_accounts(frame)) > 1 and ACCOUNT in frame.columns:
        return _mask_by_account(frame, accounts, shorten=shorten)
    pseudonymize = build_pseudonymizer(read_account(frame), shorten=shorten)
    rejects = ACCOUNT_KEY in frame.attrs or {"record_index", "record"} <= set(frame.columns)
    has_row_messages = not {"outcome", "guard"}.isdisjoint(frame.columns)  # a message about a row, not a person's
    masked = frame.copy(deep=False)
    if not any(personal_kind(str(name)) for name in frame.columns.names if name is not None):
        for position, label in enumerate(frame.columns):
            if has_row_messages and label == "message":
                continue
            column = frame.iloc[:, position]
            changed: Any = _mask_rejects_column(label, frame, pseudonymize) if rejects else None
            changed = _mask_column(label, column, pseudonymize) if changed is None else changed
            if changed is not None:
                masked.isetitem(position, changed)
    on_its_side = _find_personal_rows(frame.index)
    for position in range(frame.shape[1]) if on_its_side else ():
        rows: Any = _mask_rows(masked.iloc[:, position], on_its_side, pseudonymize)
        masked.isetitem(position, rows)
    masked.index = _mask_labels(frame.index, pseudonymize)
    masked.columns = _mask_labels(frame.columns, pseudonymize)
    _mask_rejects(frame, masked)
    return masked


def _mask_by_account(frame: pd.DataFrame, accounts: Mapping[str, str], *, shorten: bool) -> pd.DataFrame:
    """Mask the rows of each account with its own pseudonyms."""
    names = frame[ACCOUNT].where(frame[ACCOUNT].isin(list(accounts)), "").astype("str").to_numpy()
    parts, positions = [], []
    for name in np.unique(names):
        at = np.flatnonzero(names == name)
        part = frame.iloc[at]
        replace_account(part, accounts.get(name, ""))
        parts.append(_mask_frame(part, shorten=shorten))
        positions.append(at)
    if not parts:
        return frame.copy(deep=False)
    masked = pd.concat(parts).iloc[np.argsort(np.concatenate(positions), kind="stable")]
    masked.attrs = frame.attrs
    _mask_rejects(frame, masked)
    return masked


def _mask_rejects(frame: pd.DataFrame, masked: pd.DataFrame) -> None:
    """Mask the rejects of a frame, which stay with it, also in a .parquet file."""
    origin = provenance(frame)
    unread = rejected(frame) if origin and origin.rejected else None
    if unread is not None:
        replace_rejects(masked, mask_pii(unread))


def mask_series(column: pd.Series[Any]) -> pd.Series[Any]:
    """Mask one column or one row of a frame for display."""
    rows = _find_personal_rows(column.index)
    if rows:
        return _mask_rows(column, rows, build_pseudonymizer(read_account(column), shorten=True))
    masked: pd.Series[Any] = mask_for_display(column.to_frame()).iloc[:, 0]
    masked.name = column.name
    return masked


def _mask_rejects_column(label: Hashable, rejects: pd.DataFrame, pseudonymize: Pseudonymize) -> pd.Series[Any] | None:
    """Mask a column of rejects: the whole record, and the value that a reason quotes."""
    if label == "reason":
        return _map_distinct(
            rejects["reason"],
            lambda text: QUOTED_VALUE.sub(lambda found: f"{found[1]}: {pseudonymize(TEXT, found[2])}", str(text)),
        )
    if label != "record":
        return None
    known = {"column", "reason"} <= set(rejects.columns)
    quoted = [
        str(column) if QUOTED_VALUE.match(str(reason)) else ""
        for column, reason in zip(rejects["column"], rejects["reason"], strict=True)
    ] if known else [""] * len(rejects)  # fmt: skip
    masked = [
        text if _is_missing(text) else mask_json(str(text), "", pseudonymize, name) or pseudonymize(TEXT, text)
        for text, name in zip(rejects["record"], quoted, strict=True)
    ]
    return pd.Series(masked, index=rejects.index, dtype=rejects["record"].dtype, name="record")


def _mask_column(label: Hashable, column: pd.Series[Any], pseudonymize: Pseudonymize) -> pd.Series[Any] | None:
    """Mask a column if it is personal; None if there is nothing to mask."""
    names = [str(part) for part in label] if isinstance(label, tuple) else [str(label)]
    kind = next((kind for kind in map(personal_kind, names) if kind), "")
    if not _holds_text(column):
        if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
            return _mask_numbers(column, kind, pseudonymize) if any(map(is_personal_number, names)) else None
        return None
    if kind:
        return _map_distinct(column, lambda value: pseudonymize(kind, value))
    if any(map(is_known, names)) or not _holds_json(column):
        return None
    return _map_distinct(column, lambda value: _mask_json_text(value, normalize_name(names[0]), pseudonymize))


def _mask_json_text(value: Any, path: str, pseudonymize: Pseudonymize) -> Any:
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    return mask_json(value, path, pseudonymize) or value


def mask_json(text: str, path: str, pseudonymize: Pseudonymize, quoted: str = "") -> str | None:
    """Mask the personal fields of JSON, by their names; None if the text isn't JSON.

    Args:
        text: The JSON.
        path: Its location, such as the column; empty for a record.
        pseudonymize: From `build_pseudonymizer`.
        quoted: A field whose text could not be read, so that it may hold anything.
    """
    try:
        value = json.loads(text)
        masked = json.dumps(_mask_value(value, path, pseudonymize, quoted), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return None
    try:
        masked.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only its escape can represent
        return json.dumps(json.loads(masked), separators=(",", ":"))
    return masked


def _mask_value(value: Any, path: str, pseudonymize: Pseudonymize, quoted: str) -> Any:
    if isinstance(value, dict):
        return {
            name: _mask_value(item, f"{path}_{normalize_name(name)}".lstrip("_"), pseudonymize, quoted)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_mask_value(item, path, pseudonymize, quoted) for item in value]
    if value is None or isinstance(value, bool):
        return value
    anything = not path or (isinstance(value, str) and path == quoted)  # outside any field, or not what it should be
    kind = personal_kind(path) or (TEXT if anything else "")
    return pseudonymize(kind, value) if kind else value


def _holds_text(column: pd.Series[Any] | pd.Index[Any]) -> bool:
    dtype = column.dtype
    return types.is_object_dtype(dtype) or types.is_string_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype)


def _holds_json(column: pd.Series[Any]) -> bool:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _holds_json(pd.Series(column.cat.categories))
    texts = column if isinstance(column.dtype, pd.StringDtype) else column[[isinstance(v, str) for v in column]]
    begins = texts.astype("str").str.lstrip().str[:1]
    return bool(begins.isin(["{", "["]).any())


def _map_distinct(column: pd.Series[Any], change: Callable[[Any], Any]) -> pd.Series[Any]:
    """Change each distinct value once; nulls, dtype and index stay."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        changed = [change(value) for value in column.cat.categories]
        if len(set(changed)) == len(changed):
            return column.cat.rename_categories(changed)
        column = column.astype("str")  # short pseudonyms of two people may be equal
    if not isinstance(column.dtype, pd.StringDtype):  # objects may not be hashable
        values = [value if _is_missing(value) else change(value) for value in column]
        return pd.Series(values, index=column.index, dtype=column.dtype, name=column.name)
    codes, different = pd.factorize(column)
    texts = pd.array([change(value) for value in different], dtype=column.dtype)
    return pd.Series(texts.take(codes, allow_fill=True), index=column.index, name=column.name)


def _mask_numbers(column: pd.Series[Any], kind: str, pseudonymize: Pseudonymize) -> pd.Series[Any]:
    """Replace phone numbers and postal codes that were made numbers by pseudonyms of their digits."""
    digits = [None if _is_missing(value) else f"{value:.0f}" if value == value // 1 else str(value) for value in column]
    return _map_distinct(
        pd.Series(digits, index=column.index, dtype="str", name=column.name), lambda text: pseudonymize(kind, text)
    )


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _find_personal_rows(index: pd.Index[Any]) -> dict[int, str]:
    """Find the rows that were columns, in a transposed frame or a single row."""
    if (
        isinstance(index, pd.MultiIndex)
        or index.name is not None
        or not _holds_text(index)
        or len(index) > MAX_SIDEWAYS_ROWS
    ):
        return {}
    kinds = {row: personal_kind(label) for row, label in enumerate(index) if isinstance(label, str)}
    return {row: kind for row, kind in kinds.items() if kind}


def _mask_rows(column: pd.Series[Any], rows: dict[int, str], pseudonymize: Pseudonymize) -> pd.Series[Any]:
    if not _holds_text(column):
        return column
    values = list(column.astype(object))
    for row, kind in rows.items():
        if not _is_missing(values[row]) and not isinstance(values[row], bool):
            values[row] = pseudonymize(kind, values[row])
    masked = pd.Series(values, index=column.index, dtype=column.dtype, name=column.name)
    masked.attrs = column.attrs
    return masked


def _mask_labels(index: pd.Index[Any], pseudonymize: Pseudonymize) -> pd.Index[Any]:
    """Mask the levels of an index whose names are personal, such as customers after a groupby."""
    kinds = ["" if name is None else personal_kind(str(name)) for name in index.names]
    if not any(kinds):
        return index
    if isinstance(index, pd.MultiIndex):
        for level, kind in enumerate(kinds):
            if kind and _holds_text(index.levels[level]):
                values = [value if _is_missing(value) else pseudonymize(kind, value) for value in index.levels[level]]
                index = index.set_levels(values, level=level, verify_integrity=False)
        return index
    if not _holds_text(index):
        return index
    masked: pd.Index[Any] = pd.Index(
        _map_distinct(index.to_series(), lambda value: pseudonymize(kinds[0], value)).array
    )
    return masked.rename(index.name)
