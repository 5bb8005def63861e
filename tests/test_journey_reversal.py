"""A wrong count is taken back: what was sold since then stays sold."""

from __future__ import annotations

import io

import pytest

import cenports_nb as cn

pytestmark = pytest.mark.slow


def _stock(client: cn.Client) -> dict[str, int]:
    actual = cn.load_actual_stock(client, refresh=True).set_index("product_sku")["quantity"]
    return actual.loc[["0003", "0014"]].to_dict()


def test_a_correction_is_taken_back_and_what_came_since_is_kept(client: cn.Client) -> None:
    """13 and 35 are set to 21 and 30; one is sold; the reversal leaves the sale alone, and is not sent twice."""
    before, actual = _stock(client), cn.load_actual_stock(client)
    text = io.StringIO("Warehouse,SKU,Qty\nNW-EAST,0003,21\nNW-WEST,0014,30\n")
    updates = cn.build_true_up(cn.read_counts(text), actual, reference="COUNT-17")
    submission = cn.submit_updates(client, updates, progress=False).wait(progress=False)
    sale = updates.head(1)[["warehouse_code", "product_sku"]].assign(quantity=-1)
    cn.submit_updates(client, cn.build_differential(sale), progress=False).wait(progress=False)
    assert _stock(client) == {"0003": 20, "0014": 30}

    reversal = cn.build_reversal(submission)
    outcomes = cn.submit_updates(client, reversal, progress=False).wait(progress=False).outcomes
    assert set(outcomes["outcome"]) == {"applied"}
    assert _stock(client) == {"0003": before["0003"] - 1, "0014": before["0014"]}
