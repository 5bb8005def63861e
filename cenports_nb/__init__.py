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
from typing import Any

import lazy_loader

__version__ = "0.1.0"

_load, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def load_ipython_extension(shell: Any) -> None:
    """Let frames that know their origin show it in an IPython shell, with personal data masked.

    Importing the package in a notebook does it; `%load_ext cenports_nb` does it where the shell came later.
    """
    formatter = shell.display_formatter
    for module, name in (("pandas", "DataFrame"), ("pandas", "Series")):
        formatter.mimebundle_formatter.for_type_by_name(module, name, _view)  # by name: pandas needn't be imported
        formatter.formatters["text/plain"].for_type_by_name(module, name, _view_element)
    formatter.formatters["text/html"].for_type_by_name("pandas.io.formats.style", "Styler", _view_styled)


def _view(shown: Any) -> Any:
    return importlib.import_module(f"{__name__}.notebook.frame_view").render_frame(shown)


def _view_element(shown: Any, printer: Any, _: bool) -> None:
    printer.text(importlib.import_module(f"{__name__}.notebook.frame_view").render_text(shown))


def _view_styled(styler: Any) -> Any:
    found = importlib.import_module(f"{__name__}.notebook.frame_view").render_styled(styler)
    return styler._repr_html_() if found is None else found


def _register_in_ipython() -> None:
    """Find the shell that runs, if one does; elsewhere this is one look into a dict."""
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
