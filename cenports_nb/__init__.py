"""Cenports orders, shipments and stock as pandas DataFrames you can trust.

    connect ─▶ load_orders, load_line_items, load_shipments      what was sold and sent
            ─▶ load_actual_stock, load_available_stock           what is on the shelf, what is for sale
            ─▶ diff_stock ─▶ build_true_up ─▶ submit_updates     compare, plan, correct
            ─▶ summarize_sales, stock_cover, order_ages          what sells, what runs out, what waits
            ─▶ match_shipments, changes                          what was sent, what moved since yesterday
            ─▶ StockReview                                       tick the rows that go, try, send
            ─▶ TransactionTracker, plot_outcomes                 watch it go through, see what became of it
            ─▶ OrderExplorer                                     search orders, open one
            ─▶ plot_orders, plot_stock, plot_cover, plot_ages    look at it; plot_demand

Everything loads at first use: importing the package costs less than importing pandas.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from cenports_nb import errors
    from cenports_nb.analysis.ages import order_ages
    from cenports_nb.analysis.changes import changes
    from cenports_nb.analysis.cover import stock_cover
    from cenports_nb.analysis.matching import match_shipments
    from cenports_nb.analysis.restatement import restatement
    from cenports_nb.analysis.sales import summarize_sales
    from cenports_nb.api.client import Client, connect
    from cenports_nb.api.dialect import Dialect
    from cenports_nb.errors import CenportsError
    from cenports_nb.frames import schemas
    from cenports_nb.frames.export import export
    from cenports_nb.frames.loaders import (
        load_line_items,
        load_open_items,
        load_orders,
        load_shipment_items,
        load_shipments,
    )
    from cenports_nb.frames.pii import mask_pii, show_pii
    from cenports_nb.frames.provenance import Provenance, provenance, rejected
    from cenports_nb.frames.stock_loaders import (
        load_actual_stock,
        load_available_stock,
        load_channels,
        load_warehouses,
    )
    from cenports_nb.notebook.charts.ages import plot_ages
    from cenports_nb.notebook.charts.cover import plot_cover
    from cenports_nb.notebook.charts.demand import plot_demand
    from cenports_nb.notebook.charts.orders import plot_orders
    from cenports_nb.notebook.charts.outcomes import plot_outcomes
    from cenports_nb.notebook.charts.stock import plot_stock
    from cenports_nb.notebook.explorer import OrderExplorer
    from cenports_nb.notebook.review.review import StockReview
    from cenports_nb.notebook.tracker import TransactionTracker
    from cenports_nb.reports.run import run_report
    from cenports_nb.stock.counts import read_counts
    from cenports_nb.stock.diff import diff_stock
    from cenports_nb.stock.differential import build_differential
    from cenports_nb.stock.guards import check_updates
    from cenports_nb.stock.reversal import build_reversal
    from cenports_nb.stock.summary import summarize_stock
    from cenports_nb.stock.updates import build_true_up
    from cenports_nb.transactions.channel import create_channel
    from cenports_nb.transactions.handover.handing_over import hand_over
    from cenports_nb.transactions.handover.handover import Handover
    from cenports_nb.transactions.listing import list_submissions, open_submission
    from cenports_nb.transactions.orders.acknowledgement import acknowledge_orders, acknowledge_shipments
    from cenports_nb.transactions.orders.creation import create_orders
    from cenports_nb.transactions.submission import Submission
    from cenports_nb.transactions.submit import submit_updates

__all__ = [
    "CenportsError",
    "Client",
    "Dialect",
    "Handover",
    "OrderExplorer",
    "Provenance",
    "StockReview",
    "Submission",
    "TransactionTracker",
    "acknowledge_orders",
    "acknowledge_shipments",
    "build_differential",
    "build_reversal",
    "build_true_up",
    "changes",
    "check_updates",
    "connect",
    "create_channel",
    "create_orders",
    "diff_stock",
    "errors",
    "export",
    "hand_over",
    "list_submissions",
    "load_actual_stock",
    "load_available_stock",
    "load_channels",
    "load_line_items",
    "load_open_items",
    "load_orders",
    "load_shipment_items",
    "load_shipments",
    "load_warehouses",
    "mask_pii",
    "match_shipments",
    "open_submission",
    "order_ages",
    "plot_ages",
    "plot_cover",
    "plot_demand",
    "plot_orders",
    "plot_outcomes",
    "plot_stock",
    "provenance",
    "read_counts",
    "rejected",
    "restatement",
    "run_report",
    "schemas",
    "show_pii",
    "stock_cover",
    "submit_updates",
    "summarize_sales",
    "summarize_stock",
]

_MODULE_OF = {
    "CenportsError": "errors",
    "Client": "api.client",
    "Dialect": "api.dialect",
    "Handover": "transactions.handover.handover",
    "OrderExplorer": "notebook.explorer",
    "Provenance": "frames.provenance",
    "StockReview": "notebook.review.review",
    "Submission": "transactions.submission",
    "TransactionTracker": "notebook.tracker",
    "acknowledge_orders": "transactions.orders.acknowledgement",
    "acknowledge_shipments": "transactions.orders.acknowledgement",
    "build_differential": "stock.differential",
    "build_reversal": "stock.reversal",
    "build_true_up": "stock.updates",
    "changes": "analysis.changes",
    "check_updates": "stock.guards",
    "connect": "api.client",
    "create_channel": "transactions.channel",
    "create_orders": "transactions.orders.creation",
    "diff_stock": "stock.diff",
    "errors": "",
    "export": "frames.export",
    "hand_over": "transactions.handover.handing_over",
    "list_submissions": "transactions.listing",
    "load_actual_stock": "frames.stock_loaders",
    "load_available_stock": "frames.stock_loaders",
    "load_channels": "frames.stock_loaders",
    "load_line_items": "frames.loaders",
    "load_open_items": "frames.loaders",
    "load_orders": "frames.loaders",
    "load_shipment_items": "frames.loaders",
    "load_shipments": "frames.loaders",
    "load_warehouses": "frames.stock_loaders",
    "mask_pii": "frames.pii",
    "match_shipments": "analysis.matching",
    "open_submission": "transactions.listing",
    "order_ages": "analysis.ages",
    "plot_ages": "notebook.charts.ages",
    "plot_cover": "notebook.charts.cover",
    "plot_demand": "notebook.charts.demand",
    "plot_orders": "notebook.charts.orders",
    "plot_outcomes": "notebook.charts.outcomes",
    "plot_stock": "notebook.charts.stock",
    "provenance": "frames.provenance",
    "read_counts": "stock.counts",
    "rejected": "frames.provenance",
    "restatement": "analysis.restatement",
    "run_report": "reports.run",
    "schemas": "frames",
    "show_pii": "frames.pii",
    "stock_cover": "analysis.cover",
    "submit_updates": "transactions.submit",
    "summarize_sales": "analysis.sales",
    "summarize_stock": "stock.summary",
}


def load_ipython_extension(shell: Any) -> None:
    """Let frames that know their origin show it in an IPython shell, with personal data masked.

    Importing the package in a notebook does it; `%load_ext cenports_nb` does it where the shell came later.
    """
    views = shell.display_formatter.mimebundle_formatter
    for name in ("DataFrame", "Series"):
        views.for_type_by_name("pandas", name, _view)  # by name: pandas need not be imported for it


def _view(shown: Any) -> Any:
    return importlib.import_module(f"{__name__}.notebook.frame_view").view(shown)


def _meet_ipython() -> None:
    """Find the shell that runs, if one does; elsewhere this is one look into a dict."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = find() if find is not None else None
    if getattr(shell, "display_formatter", None) is not None:
        load_ipython_extension(shell)


_meet_ipython()


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _meet_ipython()  # a shell may have started since the import
    home = _MODULE_OF[name]
    if name in ("errors", "schemas"):
        value: Any = importlib.import_module(".".join(filter(None, (__name__, home, name))))
    else:
        value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
