"""Charts as images: one for the notebook, and a narrow one that the page shows on small screens."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from IPython.display import Image
from matplotlib import pyplot as plt
from matplotlib.text import Annotation, Text

from cenports_nb.notebook.charts.figure import describe_chart
from cenports_nb.notebook.report_page.attachments import NARROW_PNG_MIME_TYPE, PAGE_VARIABLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NARROW_WIDTH_INCHES, CHART_DPI = 4.9, 110
TITLE_MARGIN_PIXELS, MAX_FITS = 8, 3
MIN_BAR_SHARE = 0.2
"""How short the bars of a narrow chart may become, as a share of their length."""


class Chart(Image):  # type: ignore[misc]
    """A chart as a picture, with a narrow one for the report page on a phone."""

    def __init__(self, picture: bytes, alt: str, narrow: bytes | None = None) -> None:
        super().__init__(picture, format="png", alt=alt)
        self._narrow = narrow

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        data, metadata = super()._repr_mimebundle_(include, exclude)
        if self._narrow is not None:
            data[NARROW_PNG_MIME_TYPE] = base64.b64encode(self._narrow).decode()
        return data, metadata


def chart(plot: Axes | Callable[..., Axes], *args: Any, **kwargs: Any) -> Chart:
    """Show a chart as a picture, whatever matplotlib's backend; its alternative text describes it.

    Args:
        plot: A function that draws, such as `cn.plot_orders`, whose chart the page also has in a narrow form for small
            screens; or a drawn chart.
        args: What the function draws.
        kwargs: Its further arguments.

    Example:
        >>> picture = report_page.chart(cn.plot_orders, cn.load_orders(client, last="60D"), by="day")
    """
    if not callable(plot):
        return Chart(_save(plot), describe_chart(plot))
    ax = plot(*args, **kwargs)
    alt, height, title = describe_chart(ax), _figure(ax).get_figheight(), ax.get_title(loc="left")
    wide = _save(ax)
    if not os.environ.get(PAGE_VARIABLE):
        return Chart(wide, alt)
    size = (NARROW_WIDTH_INCHES, height)
    _, narrow_ax = plt.subplots(figsize=size, dpi=CHART_DPI, layout="constrained", facecolor="white")
    plot(*args, **kwargs, ax=narrow_ax)
    _fit_texts(narrow_ax, title)
    return Chart(wide, alt, _save(narrow_ax))


def _fit_texts(ax: Axes, title: str) -> None:
    """Give a narrow chart its whole title, and shorten horizontal bars until the texts beside them are whole."""
    figure = _figure(ax)
    lay_out = partial(figure.get_layout_engine().execute, figure)
    if (shown := ax.get_title(loc="left")) != title:  # cut, because it begins where the bars do
        lay_out()
        heading = next(text for text in ax.findobj(Text) if isinstance(text, Text) and text.get_text() == shown)
        heading.set(text=title, x=(TITLE_MARGIN_PIXELS - ax.bbox.x0) / ax.bbox.width)
    for _ in range(MAX_FITS if ax.yaxis_inverted() else 0):  # other numbers on the axis change its width
        lay_out()
        left, right = ax.bbox.x0, figure.bbox.x1
        shares = [1.0]
        for text in ax.texts:
            if isinstance(text, Annotation) and text.xycoords == "data":
                end = ax.transData.transform((float(text.xy[0]), 0))[0]
                room = right - left - (text.get_window_extent().x1 - end)
                shares.append(room / (end - left) if end > left else 1.0)
        if (share := min(shares)) >= 1:
            return
        start, stop = ax.get_xlim()
        ax.set_xlim(start, start + (stop - start) / max(share, MIN_BAR_SHARE))


def _save(ax: Axes) -> bytes:
    """Save the figure of a chart as PNG, and close it."""
    picture = io.BytesIO()
    _figure(ax).savefig(picture, format="png", dpi=CHART_DPI)
    plt.close(_figure(ax))
    return picture.getvalue()


def _figure(ax: Axes) -> Any:
    return ax.get_figure(root=True)  # drawn Axes have one
