"""Test that an invalid choice raises an error that suggests the closest one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import check_choice

LINES, STOCK, DIFF = (
    pd.DataFrame(columns=list(model.to_schema().columns))
    for model in (cn.schemas.LineItems, cn.schemas.ActualStock, cn.schemas.StockDiff)
)


@pytest.mark.parametrize(
    ("value", "choices", "words"),
    [
        ("product_sku", ["day", "sku"], 'by=\'product_sku\' must be "day" or "sku"; did you mean "sku"?'),
        ("Day", ["day", "sku"], 'by=\'Day\' must be "day" or "sku"; did you mean "day"?'),
        ("upc", ["product_sku", "product_upc"], 'did you mean "product_upc"?'),
        ("warehouse_code", ["sku", "warehouse", "x"], 'must be "sku", "warehouse" or "x"; did you mean "warehouse"?'),
        ("mnth", ["day", "month"], 'did you mean "month"?'),
        ("xyz", ["day", "month"], 'must be "day" or "month".'),
        (7, ["day"], 'by=7 must be "day".'),
        (["day"], ["day"], "by=['day'] must be \"day\"."),
    ],
)
def test_an_invalid_choice_is_refused_with_a_suggestion(value: Any, choices: list[str], words: str) -> None:
    """A suggestion is made if one is close."""
    with pytest.raises(InvalidRequestError) as error:
        check_choice("by", value, choices)
    assert str(error.value).endswith(words)


@pytest.mark.parametrize(
    ("call", "near"),
    [
        (lambda: cn.summarize_sales(LINES, by="product_sku"), "sku"),
        (lambda: cn.summarize_sales(LINES, by=["day", "channel_id"]), "channel"),
        (lambda: cn.summarize_stock(DIFF, by="warehouse"), "warehouse_code"),
        (lambda: cn.plot_stock(DIFF, by="product_sku"), "sku"),
        (lambda: cn.plot_orders(LINES, by="weekly"), "week"),
        (lambda: cn.plot_orders(LINES, measure="revenue"), "line_value"),
        (lambda: cn.build_true_up(STOCK, STOCK, basis="net"), "net_of_open"),
        (lambda: cn.build_true_up(STOCK, STOCK, missing="zeros"), "zero"),
        (lambda: cn.diff_stock(STOCK, STOCK, available_scope="accounts"), "account"),
    ],
)
def test_every_argument_with_choices_suggests_one(call: Callable[[], Any], near: str) -> None:
    """All such arguments behave alike."""
    with pytest.raises(InvalidRequestError, match=f'did you mean "{near}"'):
        call()
