"""Test that schemas explain every column, and that the data dictionary is up to date."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.frames.loaders.finalize import validate
from cenports_nb.frames.schema import column_docs
from cenports_nb.frames.schema.data_dictionary import write_dictionary
from cenports_nb.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
MODELS = [getattr(cn.schemas, name) for name in cn.schemas.__all__ if name != "describe"]
COLUMNS = ["column", "dtype", "null", "key", "unit", "personal", "meaning", "source", "example"]
LOADED = [
    "Orders", "LineItems", "Shipments", "ShipmentItems", "ActualStock", "AvailableStock", "Warehouses", "Channels",
]  # fmt: skip
KINDS = {"", "name", "address", "phone", "email", "text"}


def frames_of_loaders(client: cn.Client) -> dict[str, pd.DataFrame]:
    """Load a frame for each schema, by name."""
    days = ("1998-05-01", "1998-05-06")
    return {
        "Orders": cn.load_orders(client, *days),
        "LineItems": cn.load_line_items(client, *days),
        "ActualStock": cn.load_actual_stock(client),
        "AvailableStock": cn.load_available_stock(client),
        "Warehouses": cn.load_warehouses(client),
        "Channels": cn.load_channels(client),
    }


@pytest.mark.parametrize("model", MODELS)
def test_every_column_is_explained(model: Any) -> None:
    """Each column has a meaning, a source, an example and a known kind."""
    reported = model.describe()
    assert list(reported.columns) == COLUMNS
    assert list(reported["column"]) == list(model.to_schema().columns)
    assert reported[["meaning", "source", "example"]].ne("").all(axis=None)
    assert set(reported["personal"]) <= KINDS
    for column in model.to_schema().columns.values():
        assert column.description
        assert {"unit", "personal", "source"} <= set(column.metadata)


def test_no_meaning_is_left_over() -> None:
    """The table has no entry for a missing column."""
    for model, table in [
        (cn.schemas.Orders, column_docs.ORDERS),
        (cn.schemas.LineItems, column_docs.LINE_ITEMS),
        (cn.schemas.Shipments, column_docs.SHIPMENTS),
        (cn.schemas.AvailableStock, column_docs.AVAILABLE_STOCK),
        (cn.schemas.Warehouses, column_docs.WAREHOUSES),
        (cn.schemas.Channels, column_docs.CHANNELS),
        (cn.schemas.StockDiff, column_docs.STOCK_DIFF),
        (cn.schemas.StockUpdates, column_docs.STOCK_UPDATES),
        (cn.schemas.Outcomes, column_docs.OUTCOMES),
    ]:
        assert set(table) == set(model.to_schema().columns)


def test_a_column_is_personal_in_every_frame_or_in_none() -> None:
    """Masking goes by column name, so frames must agree."""
    seen: dict[str, set[str]] = {}
    for model in MODELS:
        for row in model.describe().to_dict("records"):
            seen.setdefault(row["column"], set()).add(row["personal"])
    assert {name: kinds for name, kinds in seen.items() if len(kinds) > 1} == {}


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("rows", [0, 120])
def test_examples_are_valid_and_the_same_each_time(model: Any, rows: int) -> None:
    """Examples pass their schema, keys included, and don't change."""
    frame = model.example(rows=rows)
    assert len(model.validate(frame, lazy=True)) == rows
    pd.testing.assert_frame_equal(frame, model.example(rows=rows))
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == dict(
        model.describe()[["column", "dtype"]].itertuples(index=False)
    )


def test_an_example_has_three_rows_unless_asked_otherwise() -> None:
    """Enough to see, few enough to read."""
    assert list(cn.schemas.Orders.example()["order_no"]) == ["10248", "10249", "10250"]


def test_examples_have_the_dtypes_of_loaded_frames(northwind: Sandbox, client: cn.Client) -> None:
    """Code tried on an example works on a loaded frame."""
    for name, frame in frames_of_loaders(client).items():
        example = getattr(cn.schemas, name).example()
        assert example.dtypes.astype(str).to_dict() == frame.dtypes.astype(str).to_dict(), name


@pytest.mark.parametrize(
    ("model", "column", "value"), [(cn.schemas.Orders, "line_count", -1), (cn.schemas.LineItems, "line_item", -1)]
)
def test_a_range_that_is_sure_is_checked(model: Any, column: str, value: int) -> None:
    """Impossible values are refused."""
    frame = model.example().assign(**{column: value})
    with pytest.raises(Exception, match=f"(?s){column}.*greater_than_or_equal_to"):
        model.validate(frame)


def _break_rules(model: Any) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield frames that each break one rule of a schema."""
    frame, schema = model.example(), model.to_schema()
    if schema.strict:  # shipments have further fields as they come
        yield "columns in another order", frame[frame.columns[::-1]]
        yield "one column more", frame.assign(more=1)
    yield "one column less", frame.iloc[:, 1:]
    if schema.unique:
        yield "a key twice", pd.concat([frame, frame], ignore_index=True)
    for name, column in schema.columns.items():
        if not column.nullable:
            yield f"{name} is missing", frame.assign(**{name: frame[name].where(frame.index > 0)})
        if column.checks and pd.api.types.is_integer_dtype(frame[name].dtype):
            yield f"{name} is too small", frame.assign(**{name: frame[name] - 1_000_000})


@pytest.mark.slow
@pytest.mark.parametrize("name", LOADED)
def test_a_loader_returns_no_frame_that_breaks_a_rule(name: str) -> None:
    """Every rule is checked, although loaders skip those that dtypes guarantee."""
    model = getattr(cn.schemas, name)
    pd.testing.assert_frame_equal(validate(model.example(), model), model.example())
    for rule, frame in _break_rules(model):
        with pytest.raises(cn.errors.UnexpectedAnswerError, match=f"fit {name}"):
            pytest.fail(f"{name}: {rule}, and it was returned: {validate(frame, model)}")


def test_negative_corrections_are_valid() -> None:
    """Corrections may be negative, and prices may have four decimals."""
    frame = cn.schemas.LineItems.example().assign(quantity=-3, price=-0.1234)
    assert len(cn.schemas.LineItems.validate(frame)) == 3


@pytest.mark.slow
def test_the_data_dictionary_is_up_to_date() -> None:
    """docs/reference/data-dictionary.md is what the command writes."""
    assert (ROOT / "docs/reference/data-dictionary.md").read_text(encoding="utf-8") == write_dictionary()
