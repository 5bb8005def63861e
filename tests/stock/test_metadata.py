"""Test the metadata of a plan, which guards need beside its rows."""

from __future__ import annotations

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.stock.plans.metadata import ATTRS_KEY, Coverage, read_metadata


@pytest.fixture
def actual(client: cn.Client) -> pd.DataFrame:
    return cn.load_actual_stock(client)


@pytest.fixture
def updates(actual: pd.DataFrame) -> pd.DataFrame:
    counts = actual[["warehouse_code", "product_sku", "quantity"]].iloc[:4]
    return cn.build_true_up(counts.assign(quantity=counts["quantity"] + 1), actual, missing="zero")


def test_a_plan_knows_what_it_was_made_from(actual: pd.DataFrame, updates: pd.DataFrame) -> None:
    """It has the account, the stock's time and the share counted."""
    metadata, origin = read_metadata(updates), cn.provenance(actual)
    assert (metadata.environment, metadata.partner_id, metadata.as_of) == ("sandbox", "SANDBOX", origin.as_of)
    assert (metadata.basis, metadata.missing) == ("on_hand", "zero")
    assert metadata.warehouses == {"NW-EAST": Coverage(stocked=41, counted=4)}


def test_metadata_is_one_small_text(updates: pd.DataFrame) -> None:
    """pandas copies it with every operation."""
    assert isinstance(updates.attrs[ATTRS_KEY], str)
    assert len(updates.attrs[ATTRS_KEY]) < 400


@pytest.mark.parametrize(
    "step",
    [
        lambda frame: frame[frame["quantity"] > 0],
        lambda frame: frame.sort_values("product_sku", ascending=False),
        lambda frame: frame.assign(reason="x").reset_index(drop=True),
        lambda frame: frame.query("known_sku").iloc[::-1].copy(),
    ],
)
def test_filtering_and_sorting_keep_the_metadata(updates: pd.DataFrame, step: object) -> None:
    """Guards can still read it."""
    assert read_metadata(step(updates)) == read_metadata(updates)


@pytest.mark.parametrize("text", [None, 7, "no json", '{"warehouses": 3}'])
def test_metadata_that_cannot_be_read_is_none(updates: pd.DataFrame, text: object) -> None:
    """Guards then use the rows only."""
    updates.attrs[ATTRS_KEY] = text
    assert read_metadata(updates) is None
