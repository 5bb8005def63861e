"""Test how figures of charts are drawn: pictures, backgrounds, alternative texts, and no markup or people in them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.pylabtools import select_figure_formats
from matplotlib import colors
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.testing.compare import compare_images
from support import chart_frames as made
from support import chart_images as pictures

import cenports_nb as cn
from cenports_nb.notebook.charts.canvas import replace_undrawable

pytestmark = pytest.mark.slow

mpl.use("agg")

TOLERANCE = 10
"""Root mean square of the difference, of 255."""

MIN_CONTRAST = 4.5
"""What the Web Content Accessibility Guidelines ask of text."""


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def measure_contrast(left: str, right: str) -> float:
    """Return the contrast of two colors, from 1 for none to 21 for black on white."""
    lights = []
    for color in (left, right):
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colors.to_rgb(color)]
        lights.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def find_weak_texts(ax: plt.Axes, background: str) -> list[str]:
    """List the texts of a chart that are too close to its background."""
    texts = [text for text in ax.findobj(mpl.text.Text) if text.get_text().strip() and text.get_visible()]
    return [text.get_text() for text in texts if measure_contrast(text.get_color(), background) < MIN_CONTRAST]


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("name", sorted(pictures.PICTURES))
def test_text_can_be_read_on_the_background_of_the_style(name: str, style: str) -> None:
    """A dark style gives a dark chart with light text; bars differ from both backgrounds."""
    with plt.style.context(style):
        ax = pictures.PICTURES[name]()
        background = ax.get_facecolor()
        assert measure_contrast(background, "black" if style == "default" else "white") > 20
    assert find_weak_texts(ax, background) == []


@pytest.mark.parametrize("background", ["black", "#1e1e1e", "white"])
def test_axes_of_the_caller_keep_their_background(background: str) -> None:
    """Text is dark or light as the background needs it, also where the Axes are transparent."""
    figure = Figure(facecolor=background, layout="constrained")
    ax = figure.add_subplot(facecolor="none")
    cn.plot_cover(made.cover(("A", 1, 1)), ax=ax)
    assert figure.get_facecolor() == colors.to_rgba(background)
    assert find_weak_texts(ax, background) == []


def test_a_notebook_gets_an_alternative_text() -> None:
    """The image in HTML is the PNG image, with title, legend and bars in words, escaped."""
    shell = InteractiveShell.instance()
    try:
        select_figure_formats(shell, {"png"})
        ax = cn.plot_cover(made.cover(("<b>", 1, 1), ("B", 5, 28)))
        shown, _ = shell.display_formatter.format(ax.figure)
        found = re.search(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)" style=', shown["text/html"])
        assert found
        assert found[1] == shown["image/png"]
        assert found[2].startswith("Days until the stock runs out. less than 7 days. ")
        assert "&lt;b&gt; Name of &lt;b&gt;: " in found[2]
        select_figure_formats(shell, {"svg"})
        shown, _ = shell.display_formatter.format(ax.figure)
        assert set(shown) == {"image/svg+xml", "text/plain"}
    finally:
        InteractiveShell.clear_instance()


def test_given_axes_leave_pyplot_alone() -> None:
    """With `ax=`, no pyplot figure is created, shown, closed or selected."""
    charts = [
        lambda ax: cn.plot_stock(made.stock(("A", 1, 1, 1)), ax=ax),
        lambda ax: cn.plot_cover(made.cover(("A", 1, 1)), ax=ax),
        lambda ax: cn.plot_demand(made.stock(("A", 1, 1, 1)), ax=ax),
        lambda ax: cn.plot_ages(made.ages((0, False, True)), ax=ax),
        lambda ax: cn.plot_outcomes(made.snapshot(("W", {"applied": 1})), ax=ax),
        lambda ax: cn.plot_orders(made.orders("2026-01-05", 1, 2), ax=ax),
        lambda ax: cn.plot_ages(made.ages((0, False, True)).iloc[:0], ax=ax),
    ]
    figure = Figure(layout="constrained")
    for plot in charts:
        ax = figure.add_subplot()
        assert plot(ax) is ax
        figure.savefig(io.BytesIO(), dpi=40)
        ax.remove()
    assert plt.get_fignums() == []


@pytest.mark.parametrize("fonttype", ["path", "none"])
@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>", "--><script>alert(1)</script>", "]]>&'\""])
def test_a_name_is_no_markup_in_a_picture_of_text(name: str, fonttype: str) -> None:
    """Browsers run scripts in SVG, so names are escaped."""
    one = made.stock((name, 5, -2, 7)).assign(product_name=name, warehouse_code=name)
    with mpl.rc_context({"svg.fonttype": fonttype}):
        for ax in (cn.plot_stock(one, title=name), cn.plot_outcomes(made.snapshot((name, {"applied": 1}), name=name))):
            target = io.BytesIO()
            ax.figure.savefig(target, format="svg")
            tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(target.getvalue()).iter()}
            assert not tags & {"img", "script", "image", "foreignObject"}


@pytest.mark.parametrize("name", sorted(pictures.PICTURES))
def test_charts_need_no_tex(name: str) -> None:
    """Charts are drawn without TeX even if the user's style enables it."""
    with mpl.rc_context({"text.usetex": True}):
        assert pictures.save_chart(pictures.PICTURES[name]())


def test_no_chart_draws_personal_columns() -> None:
    """Charts only draw SKUs, products, warehouses and order numbers."""
    person = {"customer_name": "Jane Doe", "contact_email": "jane@example.com", "ship_to_name": "Jane Doe"}
    drawn = [
        cn.plot_cover(made.cover(("A", 1, 1)).assign(**person)),
        cn.plot_demand(made.stock(("A", 1, 1, 1)).assign(**person)),
        cn.plot_ages(made.ages((0, False, True)).assign(**person)),
        cn.plot_orders(made.orders("2026-01-05", 1, 2).assign(**person)),
    ]
    for ax in drawn:
        said = [text.get_text() for text in ax.findobj(mpl.text.Text)]
        assert "jane" not in str(said).lower()


@pytest.mark.parametrize("name", sorted(pictures.PICTURES))
def test_a_chart_looks_as_it_did(name: str, tmp_path: Path) -> None:
    """The chart equals the reviewed picture, within what matplotlib versions change."""
    known, drawn = pictures.IMAGES / f"{name}.png", pictures.draw(name, tmp_path)
    pair = [pictures.blurred(each, tmp_path) for each in (known, drawn)]
    assert compare_images(*pair, tol=TOLERANCE) is None


@pytest.mark.parametrize("name", sorted(set(pictures.PICTURES) - {"nothing"}))
def test_the_comparison_sees_a_chart_that_lost_its_bars(name: str, tmp_path: Path) -> None:
    """The tolerance is small enough to detect missing bars."""
    figure = pictures.PICTURES[name]().figure
    for container in list(figure.axes[0].containers):
        container.remove()
    figure.savefig(tmp_path / "lost.png", dpi=pictures.DPI)
    pair = [pictures.blurred(each, tmp_path) for each in (pictures.IMAGES / f"{name}.png", tmp_path / "lost.png")]
    assert compare_images(*pair, tol=TOLERANCE)


@given(st.text())
def test_all_text_can_be_drawn(text: str) -> None:
    """The text is printable, has glyphs, and keeps its length."""
    assert len(replace_undrawable(text)) == len(text)
    assert "\n" not in replace_undrawable(text)
