"""Test frames that people made or changed: unambiguous values are read, others raise a one-line error."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import validate_columns

STOCK = ["warehouse_code", "product_sku", "quantity"]


def _stock(sku: Any = ("A", "B"), quantity: Any = (1, 2), **options: Any) -> pd.DataFrame:
    return pd.DataFrame({"warehouse_code": "W", "product_sku": sku, "quantity": quantity}, **options)


def _read(frame: pd.DataFrame, **options: Any) -> pd.DataFrame:
    return validate_columns(frame, schemas.ActualStock, "actual", STOCK, **options)


def _refused(frame: pd.DataFrame, **options: Any) -> str:
    with pytest.raises(InvalidRequestError) as caught:
        _read(frame, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "dtypes",
    [
        {"quantity": "int32"},
        {"quantity": "uint64"},
        {"quantity": "Int16"},
        {"quantity": "float64"},
        {"quantity": "Float64"},
        {"quantity": "int64[pyarrow]"},
        {"quantity": "str"},
        {"quantity": "object"},
        {"product_sku": "object"},
        {"product_sku": "string"},
        {"product_sku": "category"},
        {"product_sku": "string[pyarrow]"},
    ],
    ids=str,
)
def test_another_dtype_of_the_same_values_is_read(dtypes: dict[str, Any]) -> None:
    """The result has the schema's dtype."""
    pd.testing.assert_frame_equal(_read(_stock().astype(dtypes)), _read(_stock()))


def test_the_result_has_the_schemas_dtypes_and_the_frames_labels() -> None:
    """Columns are in the requested order without others, and the input is unchanged."""
    frame = _stock(index=["x", "y"])[["quantity", "product_sku", "warehouse_code"]].assign(note="mine")
    read = _read(frame)
    assert (list(read.columns), list(read.index)) == (STOCK, ["x", "y"])
    assert read.dtypes.astype(str).tolist() == ["str", "str", "int64"]
    assert list(frame.columns) == ["quantity", "product_sku", "warehouse_code", "note"]


def test_empty_columns_of_no_dtype_are_read() -> None:
    """Columns of `DataFrame(columns=…)` are objects, and empty."""
    assert _read(pd.DataFrame(columns=STOCK)).dtypes.astype(str).tolist() == ["str", "str", "int64"]


@pytest.mark.parametrize("sku", [[12, 13], [12.0, 13.0], ["A", 12]], ids=str)
def test_a_sku_that_is_a_number_is_refused(sku: Any) -> None:
    """Leading zeros may be lost; the error says how to read them."""
    said = _refused(_stock(sku))
    assert "product_sku that is a number and must be text" in said
    assert "zeros in front may be lost" in said
    assert "read_counts" in said


@pytest.mark.parametrize(
    ("quantity", "words"),
    [
        ((1, 1.5), "is not whole in row 1 (1.5)"),
        ((1, None), "is missing in row 1"),
        ((1, "many"), "isn't a number in row 1 ('many')"),
        ((1, "1,000"), "isn't a number in row 1 ('1,000')"),
        ((1, "1e3"), "isn't a number in row 1 ('1e3')"),
        ((1, np.inf), "is too large in row 1 (inf)"),
        ((1, 2.0**60), "is too large in row 1"),
        ((True, False), "is yes or no, not a count in rows 0 (True), 1 (False)"),
    ],
    ids=str,
)
def test_a_quantity_that_can_be_misread_is_refused(quantity: Any, words: str) -> None:
    """The error names the row and value."""
    assert words in _refused(_stock(quantity=quantity))


@pytest.mark.parametrize("sku", [("A", None), ("A", np.nan), ("A", "")], ids=str)
def test_a_key_that_is_missing_is_refused(sku: Any) -> None:
    """A key may be neither null nor empty."""
    assert "actual has a product_sku that is missing in row 1" in _refused(_stock(sku))


def test_all_errors_are_in_one_message() -> None:
    """All errors are in one message, to be fixed together."""
    said = _refused(pd.DataFrame({"product_sku": [12, 13], "quantity": [1.5, 2]}))
    assert all(words in said for words in ("lacks the column warehouse_code", "must be text", "is not whole"))


def test_many_rows_are_named_by_the_first_five() -> None:
    """The message has their labels and the number of others."""
    said = _refused(_stock(["A"] * 9, [-1] * 9, index=range(100, 109)), least={"quantity": 0})
    assert "is negative in rows 100 (-1), 101 (-1), 102 (-1), 103 (-1), 104 (-1) and 4 more: fix it" in said


def test_doubled_keys_are_named() -> None:
    """The message has the first key with its rows, and the number of others."""
    said = _refused(_stock(["A", "B", "A", "B"], [1, 2, 3, 4]), unique=STOCK[:2])
    assert "more than one row for W, A (rows 0, 2, and 2 more rows repeat another key)" in said
    assert "keep one of each warehouse_code + product_sku" in said


def test_a_column_that_is_there_twice_is_refused() -> None:
    """It is unknown which one counts."""
    frame = pd.concat([_stock(), _stock()[["quantity"]]], axis=1)
    assert "has the column quantity more than once" in _refused(frame)


def test_a_long_list_of_columns_is_cut() -> None:
    """The message stays one line."""
    said = _refused(pd.DataFrame({f"c{i}": [1] for i in range(40)}))
    assert "c11 and 28 more" in said


ORDERED = pd.Timestamp("2026-01-31T08:00Z")


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([ORDERED]).astype("datetime64[ns, UTC]"),
        pd.Series([ORDERED]).dt.tz_convert("Asia/Tokyo"),
        pd.Series([ORDERED], dtype="object"),
        pd.Series(["2026-01-31 08:00:00+00:00"]),
        pd.Series(["2026-01-31T09:00:00+01:00"]),
    ],
    ids=lambda values: str(values.dtype),
)
def test_an_instant_of_any_zone_and_unit_is_read(values: Any) -> None:
    """The result is UTC in microseconds."""
    read = validate_columns(pd.DataFrame({"order_date": values}), schemas.LineItems, "line_items", ["order_date"])
    assert (str(read["order_date"].dtype), read["order_date"][0]) == ("datetime64[us, UTC]", ORDERED)


@pytest.mark.parametrize("value", [pd.Timestamp("2026-01-31T08:00"), "2026-01-31", "2026-01-31T08:00", 1_769_846_400])
def test_an_instant_without_a_zone_is_refused(value: Any) -> None:
    """Its zone can't be guessed."""
    with pytest.raises(InvalidRequestError, match="time zone"):
        validate_columns(pd.DataFrame({"order_date": [value]}), schemas.LineItems, "line_items", ["order_date"])


@pytest.mark.parametrize(("value", "read"), [(Decimal("9.99"), 9.99), (7, 7.0), (None, None)])
def test_an_amount_is_any_finite_number(value: Any, read: float | None) -> None:
    """Decimals from a database work too; nulls stay null."""
    frame = pd.DataFrame({"price": pd.Series([value], dtype="object")})
    found = validate_columns(frame, schemas.LineItems, "line_items", ["price"])["price"]
    assert found.dtype == "float64"
    assert found.isna()[0] if read is None else found[0] == read


@pytest.mark.parametrize("value", [np.inf, "9.99", True])
def test_an_invalid_amount_is_refused(value: Any) -> None:
    """Infinity, text and booleans are no amounts."""
    with pytest.raises(InvalidRequestError, match="price that is"):
        validate_columns(pd.DataFrame({"price": [value]}, dtype="object"), schemas.LineItems, "line_items", ["price"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "SET"}, "has a type that is none of TRUE_UP, DIFFERENTIAL in row 0 ('SET')"),
        ({"product_sku": "A" * 256}, "is not 1 to 255 characters long"),
        ({"known_sku": "yes"}, "has a known_sku that is neither True nor False"),
    ],
    ids=str,
)
def test_the_schemas_own_checks_apply(change: dict[str, Any], words: str) -> None:
    """Errors are in plain words, not pandera's."""
    row = {
        "warehouse_code": "W", "product_sku": "A", "type": "TRUE_UP", "quantity": 1, "current_quantity": None,
        "change": None, "known_sku": True, "reason": None, "reference": None,
    }  # fmt: skip
    with pytest.raises(InvalidRequestError) as caught:
        validate_columns(pd.DataFrame([{**row, **change}]), schemas.StockUpdates, "updates")
    assert words in str(caught.value)


def test_personal_data_is_never_quoted() -> None:
    """A name in the wrong column stays out of logs and screenshots."""
    orders = pd.DataFrame({"customer_name": [("Ana", "Trujillo")], "order_no": ["1"]})
    with pytest.raises(InvalidRequestError) as caught:
        validate_columns(orders, schemas.Orders, "orders", ["order_no", "customer_name"])
    assert "customer_name that isn't text in row 0:" in str(caught.value)
    assert "Trujillo" not in str(caught.value)


def test_a_column_that_the_schema_does_not_require_may_be_absent() -> None:
    """It is read if present."""
    whole = schemas.StockUpdates.example()
    assert list(validate_columns(whole, schemas.StockUpdates, "updates").columns) == list(whole.columns)
    part = whole.drop(columns=["suggestion", "counted_at"])
    assert list(validate_columns(part, schemas.StockUpdates, "updates").columns) == list(part.columns)
