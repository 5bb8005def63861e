"""Charts: what is drawn, and that there is never an empty picture."""

from __future__ import annotations

import io
from collections.abc import Iterator

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import cenports_nb as cn
from cenports_nb.sandbox import Sandbox

mpl.use("agg")


@pytest.fixture(scope="module")
def diff() -> pd.DataFrame:
    with Sandbox(shift=False, rate_limit=None) as sandbox, cn.connect("sandbox", base_url=sandbox.url) as client:
        lines = cn.load_line_items(client, "1998-04-01", "1998-05-06")
        return cn.diff_stock(cn.load_actual_stock(client), cn.load_available_stock(client), open_items=lines)


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def texts(ax: plt.Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def saved(ax: plt.Axes) -> bytes:
    """Draw for real: warnings of missing glyphs and clipped layouts are errors here."""
    target = io.BytesIO()
    ax.figure.savefig(target, dpi=60)
    return target.getvalue()


def test_most_reserved_sku_is_the_first_bar(diff: pd.DataFrame) -> None:
    """Bars are ordered by reserved units, and the numbers stand beside them."""
    ax = cn.plot_stock(diff, top=3)
    assert ax.get_yticklabels()[0].get_text() == "0064  Wimmers gute Semmelknödel"
    assert texts(ax)[0] == "132 reserved, 110 short"


def test_channels_do_not_count_a_shelf_twice(diff: pd.DataFrame) -> None:
    """A SKU on sale in three channels is one bar, and a warehouse has its units once."""
    ax = cn.plot_stock(diff, by="warehouse")
    widths = [sum(bar.get_width() for bar in bars) for bars in ax.containers]
    reserved_covered, free, _short = widths
    assert reserved_covered + free == 3119


def test_axis_has_its_unit(diff: pd.DataFrame) -> None:
    """No number without a unit."""
    assert cn.plot_stock(diff).get_xlabel() == "units"


def test_nobody_is_drawn(diff: pd.DataFrame) -> None:
    """A chart shows SKUs, products and warehouses, whatever else a merge put into the frame."""
    merged = diff.assign(customer_name="Jane Doe", contact_email="jane@example.com")
    for by in ("sku", "warehouse"):
        ax = cn.plot_stock(merged, by=by)
        drawn = [*texts(ax), ax.get_title(loc="left"), *(label.get_text() for label in ax.get_yticklabels())]
        assert "jane" not in str(drawn).lower()


def test_empty_frame_is_a_sentence(diff: pd.DataFrame) -> None:
    """Nothing to draw is said, not shown as empty axes."""
    ax = cn.plot_stock(diff.iloc[:0])
    assert texts(ax) == ["No stock to show: no SKU has units on hand or reserved."]
    assert not ax.axison


@pytest.mark.parametrize("name", ["$x_1$ costs $5", "日本の 🍣", "a\nb\x00c", "<img src=x>", "م" * 200])
def test_naughty_names_are_drawn_as_text(name: str) -> None:
    """Math signs, missing glyphs, control characters, very long names: drawn without a warning."""
    frame = pd.DataFrame(
        {"warehouse_code": ["W"], "product_sku": ["0012"], "product_name": [name], "actual": [5], "available": [-2]}
    )
    assert saved(cn.plot_stock(frame)).startswith(b"\x89PNG")


def test_given_axes_are_used(diff: pd.DataFrame) -> None:
    """`ax=` draws where the caller wants it."""
    _, ax = plt.subplots()
    assert cn.plot_stock(diff, ax=ax) is ax


def test_frame_of_another_kind_is_refused() -> None:
    """One line says which column is missing."""
    with pytest.raises(cn.errors.InvalidRequestError, match="diff lacks the columns warehouse_code"):
        cn.plot_stock(pd.DataFrame({"a": [1]}))
