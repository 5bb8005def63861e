"""What a user writes, checked from outside: the gate runs this with the built wheel, under mypy --strict and pyright."""

from __future__ import annotations

import warnings
from typing import assert_type

import pandas as pd

import cenports_nb as cn
from cenports_nb.errors import GuardRailError, IncompleteError, IncompleteWarning, RejectedRowsError


def load(client: cn.Client) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the same orders twice, and say what is missing of them."""
    try:
        orders = cn.load_orders(client, last="90D", on_reject="raise")
    except IncompleteError as error:
        assert_type(error.missing, pd.DataFrame)
        raise
    except RejectedRowsError:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IncompleteWarning)
            orders = cn.load_orders(client, last="90D", allow_partial=True)
    assert_type(orders, pd.DataFrame)
    return orders, cn.load_line_items(client, last="90D")


def correct(client: cn.Client, line_items: pd.DataFrame) -> cn.Submission:
    """Compare stock, plan a correction, and rehearse it."""
    actual, available = cn.load_actual_stock(client), cn.load_available_stock(client)
    difference = assert_type(cn.diff_stock(actual, available, open_items=line_items), pd.DataFrame)
    counts = (
        actual[["warehouse_code", "product_sku", "quantity"]].head(2).assign(quantity=lambda rows: rows["quantity"] + 1)
    )
    updates = assert_type(cn.build_true_up(counts, actual, reason=f"{len(difference)} rows compared"), pd.DataFrame)
    try:
        return cn.submit_updates(client, updates, dry_run=True, progress=False)
    except GuardRailError as error:
        assert_type(error.objections, pd.DataFrame)
        return cn.submit_updates(client, updates, dry_run=True, allow=tuple(error.objections["guard"]))


def main() -> None:
    """Do it on the sandbox."""
    with cn.connect("sandbox") as client:
        assert_type(client, cn.Client)
        orders, line_items = load(client)
        provenance = assert_type(cn.provenance(orders), cn.Provenance | None)
        submission = correct(client, line_items)
        outcomes = assert_type(submission.outcomes, pd.DataFrame)
        refused = ""
        try:
            cn.load_orders(client, "2026-02-01")
        except cn.errors.InvalidRequestError as error:
            refused = str(error)
        print(provenance, len(orders), len(outcomes), refused)


if __name__ == "__main__":
    main()
