"""Validation of frames that people made or changed: all failures at once, in one line."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT, add_account_key, describe_accounts
from cenports_nb.frames.row_keys import IntArray, find_duplicates, index_rows
from cenports_nb.frames.schema.coercion import COERCIONS, Flaw
from cenports_nb.frames.schema.frame_kinds import explain_wrong_kind
from cenports_nb.rendering.text import pluralize

ACCOUNT_COLUMN = pa.Column(str)
MAX_QUOTED_ROWS = 5
"""Rows named for each flaw; the message counts the others."""


def validate_columns(
    frame: pd.DataFrame,
    model: type[pa.DataFrameModel],
    what: str,
    columns: Sequence[str] | None = None,
    *,
    optional: Collection[str] = (),
    least: Mapping[str, int] | None = None,
    unique: Sequence[str] = (),
    by_account: bool = False,
) -> pd.DataFrame:
    """Validate the needed columns of a frame, and convert them to the schema's dtypes.

    Unambiguous values are converted: smaller integers, whole floats, object text, instants of another unit or zone.
    Ambiguous ones are refused: numeric identifiers, whose leading zeros may be lost; 1.5 units; missing keys; instants
    without a zone.

    A frame with rows of several accounts is refused, unless `account` is one of the needed columns.

    Args:
        frame: A person's frame, with any row labels and any order of columns.
        model: The schema of the columns.
        what: The frame's name in errors, such as the argument's name.
        columns: The needed columns; by default all columns of the schema.
        optional: Those that may be absent, besides the ones that the schema doesn't require.
        least: The minimum value of a column.
        by_account: Take rows of several accounts: `account` is read too, and a part of `unique`.
        unique: Columns that must identify a row. (A caller that encodes keys uses `refuse_duplicates`.)

    Returns:
        A new frame of these columns, in this order, with the same rows and labels.

    Raises:
        InvalidRequestError: One line that names columns, rows, values, and what to do.
    """
    if not isinstance(frame, pd.DataFrame):
        raise InvalidRequestError(f"{what} must be a DataFrame, not {type(frame).__name__}.")
    schema = {ACCOUNT: ACCOUNT_COLUMN, **model.to_schema().columns}
    needed = list(model.to_schema().columns) if columns is None else [*columns]
    if by_account:
        needed = add_account_key(frame, needed)
        unique = add_account_key(frame, [*unique]) if unique else unique
    missing = [name for name in needed if name not in frame.columns and name not in optional and schema[name].required]
    lacks = _describe_missing_columns(frame, missing) if missing else ""
    if wrong_kind := explain_wrong_kind(frame, what):
        raise InvalidRequestError(f"{what} {lacks or 'is another frame'}: {wrong_kind}.")
    several = "" if ACCOUNT in needed else describe_accounts(frame, what)
    problems = [problem for problem in (lacks, several) if problem]
    read: dict[str, pd.Series[Any]] = {}
    for name in needed:
        if name not in frame.columns:
            continue
        values = frame[name]
        if isinstance(values, pd.DataFrame):
            problems.append(f"has the column {name} more than once: keep one")
            continue
        column, flaws = COERCIONS[str(schema[name].dtype)](values, nullable=bool(schema[name].nullable))
        if not flaws:
            flaws = _check_rules(column, schema[name], (least or {}).get(name))
        problems += [_describe_flaw(flaw, name, values) for flaw in flaws]
        read[name] = column
    if unique and not missing and set(unique) <= set(read):
        is_duplicate = pd.DataFrame({name: read[name] for name in unique}).duplicated(keep=False).to_numpy()
        problems += [_describe_duplicates(frame, is_duplicate, unique)] if is_duplicate.any() else []
    if problems:
        raise InvalidRequestError(f"{what} {'; it '.join(problems)}.")
    return pd.DataFrame(read, index=frame.index, copy=False)


def refuse_duplicates(frame: pd.DataFrame, is_duplicate: np.ndarray[Any, Any], key: Sequence[str], what: str) -> None:
    """Refuse a frame with several rows of one key.

    Args:
        frame: The rows, with their labels.
        is_duplicate: Which rows share their key with another one.
        key: The columns of the key.
        what: The frame's name in errors.

    Raises:
        InvalidRequestError: A key repeats; the message names it with its first rows.
    """
    if is_duplicate.any():
        raise InvalidRequestError(f"{what} {_describe_duplicates(frame, is_duplicate, key)}.")


def index_unique_rows(frame: pd.DataFrame, codes: IntArray, size: int, key: Sequence[str], what: str) -> IntArray:
    """Return the row of each key code below `size`, -1 for none; refuse a frame that repeats a key.

    Args:
        frame: The rows, with their labels.
        codes: The key code of each row, from `encode_keys`.
        size: All codes are below.
        key: The columns of the key.
        what: The frame's name in errors.

    Raises:
        InvalidRequestError: A key repeats; the message names it with its first rows.
    """
    rows = index_rows(codes, size)
    refuse_duplicates(frame, find_duplicates(codes, rows), key, what)
    return rows


def _check_rules(column: pd.Series[Any], schema: pa.Column, least: int | None) -> list[Flaw]:
    """List the flaws that a schema's own checks find in a coerced column."""
    flaws = []
    if least is not None:
        low = (column < least).fillna(value=False).to_numpy(dtype=bool)
        flaws += [Flaw(low, "is negative" if least == 0 else f"is below {least}", "fix it")] if low.any() else []
    if schema.checks and len(column):
        known = column[column.notna()]
        for rule in schema.checks:
            passed = rule(known).check_output
            bad = np.zeros(len(column), dtype=bool)
            bad[column.notna().to_numpy()] = ~np.asarray(passed, dtype=bool)
            if bad.any():
                flaws.append(
                    Flaw(
                        bad, _RULE_TEXTS.get(str(rule.name), "fails {name}").format_map(_describe_rule(rule)), "fix it"
                    )
                )
    return flaws


_RULE_TEXTS = {
    "isin": "is none of {allowed_values}",
    "str_length": "is not {min_value} to {max_value} characters long",
    "greater_than_or_equal_to": "is below {min_value}",
}


def _describe_rule(rule: pa.Check) -> dict[str, Any]:
    facts = {name: ", ".join(map(str, v)) if isinstance(v, list) else v for name, v in (rule.statistics or {}).items()}
    return {"name": rule.name, **facts}


def _describe_missing_columns(frame: pd.DataFrame, missing: list[str]) -> str:
    there = ", ".join(map(str, frame.columns[:12])) or "none"
    more = f" and {len(frame.columns) - 12} more" if len(frame.columns) > 12 else ""
    return f"lacks the {pluralize('column', len(missing))} {', '.join(missing)} (it has {there}{more})"


def _describe_flaw(flaw: Flaw, name: str, values: pd.Series[Any]) -> str:
    """Describe a flaw: the column, what is wrong, the first rows with their values, what to do."""
    where = np.flatnonzero(flaw.bad)
    shown = [
        _describe_row(values, int(position), quoted=flaw.quoted and _is_quotable(name))
        for position in where[:MAX_QUOTED_ROWS]
    ]
    more = f" and {len(where) - MAX_QUOTED_ROWS:,} more" if len(where) > MAX_QUOTED_ROWS else ""
    rows = f"{pluralize('row', len(where))} {', '.join(shown)}{more}"
    article = "an" if name[0] in "aeio" else "a"
    return f"has {article} {name} that {flaw.what} in {rows}: {flaw.advice}"


def _describe_row(values: pd.Series[Any], position: int, *, quoted: bool) -> str:
    label = str(values.index[position])
    if not quoted:
        return label
    value = values.iloc[position]
    text = repr(value) if isinstance(value, str) else str(value)
    return f"{label} ({text if len(text) <= 40 else text[:39] + '…'})"


def _is_quotable(name: str) -> bool:
    """Return whether an error may quote a column's values: keys and counts may be quoted, personal data never."""
    return name.endswith(_QUOTABLE_SUFFIXES) or name in _QUOTABLE_NAMES


_QUOTABLE_SUFFIXES = ("_code", "_sku", "_no", "_id", "_upc", "_date", "_at", "quantity")
_QUOTABLE_NAMES = {"line_item", "type", "side", "change", "actual", "available", "reserved", "unexplained", "price"}


def _describe_duplicates(frame: pd.DataFrame, is_duplicate: np.ndarray[Any, Any], key: Sequence[str]) -> str:
    """Name the first key that repeats with its first rows, and count the other rows."""
    rows = frame.loc[is_duplicate, list(key)]
    first = (rows == rows.iloc[0]).all(axis=1).to_numpy()
    labels = list(map(str, rows.index[first][:MAX_QUOTED_ROWS]))
    others = len(rows) - int(first.sum())
    more = f", and {others:,} more rows repeat another key" if others else ""
    return (
        f"has more than one row for {', '.join(map(str, rows.iloc[0]))} (rows {', '.join(labels)}{more}): "
        f"keep one of each {' + '.join(key)}"
    )
