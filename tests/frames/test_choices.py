"""A word that an argument doesn't take is answered with the one that was meant."""

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
def test_another_word_is_refused_with_the_one_that_was_meant(value: Any, choices: list[str], words: str) -> None:
    """If one is near."""
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
def test_every_argument_of_a_few_words_suggests_one(call: Callable[[], Any], near: str) -> None:
    """By the same rule."""
    with pytest.raises(InvalidRequestError, match=f'did you mean "{near}"'):
        call()
