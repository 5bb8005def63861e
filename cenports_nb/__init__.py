"""Cenports orders, shipments and stock as pandas DataFrames you can trust.

    connect ─▶ load_orders, load_line_items, load_shipments      load sales and shipments
            ─▶ load_actual_stock, load_available_stock           load stock
            ─▶ diff_stock ─▶ build_true_up ─▶ submit_updates     compare, plan, correct
            ─▶ summarize_sales, stock_cover, order_ages          what sells, what runs out, what waits
            ─▶ match_shipments, changes                          what was shipped, what changed since yesterday
            ─▶ StockReview                                       select the rows of a plan, dry-run, send
            ─▶ TransactionTracker, plot_outcomes                 follow transactions, see the outcomes
            ─▶ OrderExplorer                                     search and open orders
            ─▶ plot_orders, plot_stock, plot_cover, plot_ages,
               plot_demand                                       charts

The examples in docstrings work after `import cenports_nb as cn`, `import pandas as pd` and `client = cn.connect("sandbox")`.
Everything loads at first use: importing the package costs less than importing pandas.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import lazy_loader

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def load_ipython_extension(shell: Any) -> None:
    """Show frames with provenance masked, with a line about their origin, in an IPython shell.

    Importing the package in a notebook does this; use `%load_ext cenports_nb` if the shell started later.
    """
    formatter = shell.display_formatter
    for name in ("DataFrame", "Series"):
        formatter.mimebundle_formatter.for_type_by_name(
            "pandas", name, _view
        )  # by name, so that pandas need not be imported
        formatter.formatters["text/plain"].for_type_by_name("pandas", name, _view_element)
    formatter.formatters["text/html"].for_type_by_name("pandas.io.formats.style", "Styler", _view_styled)


def _view(shown: Any) -> Any:
    return importlib.import_module(f"{__name__}.notebook.frame_view.frame_view").render_frame(shown)


def _view_element(shown: Any, printer: Any, _: bool) -> None:
    printer.text(importlib.import_module(f"{__name__}.notebook.frame_view.frame_view").render_text(shown))


def _view_styled(styler: Any) -> Any:
    found = importlib.import_module(f"{__name__}.notebook.frame_view.frame_view").render_styled(styler)
    return styler._repr_html_() if found is None else found


def _register_in_ipython() -> None:
    """Register in the running IPython shell, if there is one; elsewhere this is one dict lookup."""
    find = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = find() if find is not None else None
    if getattr(shell, "display_formatter", None) is not None:
        load_ipython_extension(shell)


_register_in_ipython()


def __getattr__(name: str) -> Any:
    _register_in_ipython()  # a shell may have started since the import
    value = _load(name)
    globals()[name] = value
    return value
