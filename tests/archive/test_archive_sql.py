"""Test SQL over an archive: the same rows, the loaders' dtypes, and no access to files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import cenports_nb as cn

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(first_update: Callable[[str], Path]) -> cn.Archive:
    """An archive after one update; tests only read it."""
    return cn.open_archive(first_update("mask"))


def test_sales_in_sql_are_those_of_summarize_sales(archive: cn.Archive) -> None:
    """Both read the same files."""
    query = """
        SELECT product_sku, count(DISTINCT (channel_id, order_no)) AS orders, count(*) AS lines, sum(quantity) AS units
        FROM line_items GROUP BY product_sku ORDER BY product_sku
    """
    sales = cn.summarize_sales(archive.load_line_items(), by="sku")
    pd.testing.assert_frame_equal(archive.sql(query), sales[["product_sku", "orders", "lines", "units"]])


def test_dtypes_are_those_of_the_loaders(archive: cn.Archive) -> None:
    """Instants are UTC, text is text, whole numbers with nulls are Int64."""
    found = archive.sql("SELECT * EXCLUDE (month) FROM orders ORDER BY order_date, channel_id, order_no")
    loaded = archive.load_orders()
    assert list(found.columns) == list(loaded.columns)
    same = [name for name in found.columns if not loaded[name].isna().any() and loaded[name].dtype != "boolean"]
    pd.testing.assert_frame_equal(found[same], loaded[same], check_flags=False)
    numbers = archive.sql("SELECT quantity, CASE WHEN quantity > 1 THEN quantity END AS some FROM line_items")
    assert [str(dtype) for dtype in numbers.dtypes] == ["int64", "Int64"]


def test_parameters_are_passed_apart(archive: cn.Archive) -> None:
    """Parameters are positional or named."""
    assert archive.sql("SELECT count(*) AS n FROM orders WHERE month = ?", ["2026-01"])["n"].tolist() == [6]
    assert archive.sql("SELECT count(*) AS n FROM orders WHERE month = $m", {"m": "2026-02"})["n"].tolist() == [6]


def test_every_table_can_be_asked(archive: cn.Archive) -> None:
    """A table without rows has its columns."""
    tables = ("orders", "line_items", "shipments", "shipment_items", "actual_stock", "available_stock", "outcomes")
    for name in tables:
        assert list(archive.sql(f"SELECT * FROM {name} LIMIT 1").columns)[:2] == ["account", "month"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "COPY orders TO '{file}.out'",
        "COPY orders FROM '{file}'",
        "ATTACH '{file}.db'",
        "EXPORT DATABASE '{file}.folder'",
        "INSTALL delta",
        "LOAD '{file}'",
        "SET enable_external_access = true",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM secret_frame",
        "SELEKT 1",
    ],
)
def test_no_query_reaches_a_file_or_a_variable(archive: cn.Archive, tmp_path: Path, query: str) -> None:
    """DuckDB refuses, and the error quotes its reason."""
    secret_frame = pd.DataFrame({"a": [1]})
    (tmp_path / "file.csv").write_text("a,b\n1,2\n")
    with pytest.raises(cn.errors.InvalidRequestError, match="The query can't be run") as caught:
        archive.sql(query.format(file=tmp_path / "file.csv"))
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file.csv"]
    assert len(secret_frame) == 1
