from . import errors
from .analysis.changes import changes
from .analysis.cover import stock_cover
from .analysis.matching import match_shipments
from .analysis.order_aging import order_ages
from .analysis.restatement import restatement
from .analysis.sales import summarize_sales
from .api.client import Client, connect
from .api.dialect import Dialect
from .archive.archive import Archive, open_archive
from .archive.reading.scans import Scan
from .errors import CenportsError
from .frames.export.files import export
from .frames.loaders.orders import load_line_items, load_open_items, load_orders
from .frames.loaders.shipments import load_shipment_items, load_shipments
from .frames.loaders.stock import (
    load_actual_stock,
    load_available_stock,
    load_channels,
    load_warehouses,
)
from .frames.privacy.display import show_pii
from .frames.privacy.masking import mask_pii
from .frames.provenance import Provenance, provenance, rejected
from .frames.schema import schemas
from .notebook.charts.cover import plot_cover
from .notebook.charts.demand import plot_demand
from .notebook.charts.order_aging import plot_ages
from .notebook.charts.orders import plot_orders
from .notebook.charts.outcomes import plot_outcomes
from .notebook.charts.stock import plot_stock
from .notebook.explorer.explorer import OrderExplorer
from .notebook.review.review import StockReview
from .notebook.tracker.tracker import TransactionTracker
from .reports.run import run_report
from .stock.counts.read import read_counts
from .stock.diff import diff_stock
from .stock.guards.registry import check_updates
from .stock.plans.differential import build_differential
from .stock.plans.reversal import build_reversal
from .stock.plans.true_up import build_true_up
from .stock.summary import summarize_stock
from .submissions.channels import create_channel
from .submissions.handover.hand_over import hand_over
from .submissions.handover.result import Handover
from .submissions.orders.acknowledge_orders import acknowledge_orders
from .submissions.orders.acknowledge_shipments import acknowledge_shipments
from .submissions.orders.create import create_orders
from .submissions.registry import list_submissions, open_submission
from .submissions.submission import Submission
from .submissions.submit import submit_updates

__all__ = [
    "Archive",
    "CenportsError",
    "Client",
    "Dialect",
    "Handover",
    "OrderExplorer",
    "Provenance",
    "Scan",
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
    "open_archive",
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

__version__: str

def load_ipython_extension(shell: object) -> None: ...
