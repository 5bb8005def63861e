"""An update frame that a person changed: sent as meant, or refused in one line before anything is sent."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError


@pytest.fixture
def updates(client: cn.Client) -> pd.DataFrame:
    actual = cn.load_actual_stock(client)
    counts = actual[["warehouse_code", "product_sku", "quantity"]].iloc[2:4].assign(quantity=40)
    return cn.build_true_up(counts, actual)


def test_another_order_and_dtype_of_columns_is_sent_as_meant(client: cn.Client, updates: pd.DataFrame) -> None:
    """What spreadsheets and merges do to a frame: objects, floats, other labels, notes, no reason."""
    mine = updates.drop(columns=["reason", "reference", "known_sku"]).assign(note="by Eve")
    mine = mine.astype({"product_sku": "object", "quantity": "float64", "current_quantity": "float64"})
    mine = mine[list(mine.columns)[::-1]].set_index(pd.Index(["x", "y"]))
    outcomes = cn.submit_updates(client, mine, allow=["discontinued"], progress=False).wait(progress=False).outcomes
    assert outcomes[["product_sku", "quantity", "outcome"]].values.tolist() == [
        [sku, 40, "applied"] for sku in updates["product_sku"]
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"product_sku": [1, 3]}, "updates has a product_sku that is a number and must be text in rows 0 (1), 1 (3)"),
        ({"quantity": [1, 1.5]}, "updates has a quantity that is not whole in row 1 (1.5)"),
        ({"type": ["TRUE_UP", "SET"]}, "updates has a type that is none of TRUE_UP, DIFFERENTIAL in row 1 ('SET')"),
        ({"product_sku": "0001"}, "updates has more than one row for NW-EAST, 0001 (rows 0, 1)"),
    ],
    ids=["number", "fraction", "type", "doubled"],
)
def test_what_could_be_misread_is_refused_and_nothing_is_sent(
    client: cn.Client, updates: pd.DataFrame, change: dict[str, Any], words: str
) -> None:
    """By its column, row and value."""
    sent = client.usage.sent
    with pytest.raises(InvalidRequestError) as caught:
        cn.submit_updates(client, updates.assign(**change))
    assert words in str(caught.value)
    assert client.usage.sent == sent
