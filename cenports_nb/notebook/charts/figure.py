"""The figure of a new chart, with an alternative text for people who can't see it."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MIN_WIDTH_PIXELS = 640
"""On a narrower page the image scrolls, because its texts could not be read."""


class ChartFigure(Figure):
    """A figure that notebooks show as an image with an alternative text."""

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """Add an HTML image to the PNG image: JupyterLab gives a plain image no alternative text.

        Without PNG among the formats of the inline backend, its format is shown as it is.
        """
        from IPython.core.getipython import get_ipython  # noqa: PLC0415

        shell: Any = get_ipython()
        png = shell.display_formatter.formatters["image/png"](self) if shell else None
        if png is None:
            return {}
        data, metadata = png if isinstance(png, tuple) else (png, {})
        encoded = data if isinstance(data, str) else base64.b64encode(data).decode()
        size = "".join(f' {name}="{metadata[name]}"' for name in ("width", "height") if name in metadata)
        text = html.escape("\n".join(describe_chart(ax) for ax in self.axes))
        image = f'<img src="data:image/png;base64,{encoded}" alt="{text}"{size} style="min-width:{MIN_WIDTH_PIXELS}px">'
        return {"image/png": encoded, "text/html": f'<div style="overflow-x:auto">{image}</div>'}


def describe_chart(ax: Axes) -> str:
    """Describe a chart in words: its title, its legend, and the texts in it."""
    legend = ax.get_legend()
    labels = [text.get_text() for text in legend.get_texts()] if legend else []
    names = [label.get_text() for label in ax.get_yticklabels()] if ax.yaxis_inverted() else []
    notes = [text.get_text() for text in ax.texts if text.get_text()]
    bars = [f"{name}: {note}" for name, note in zip(names, notes, strict=False)]
    sentences = [ax.get_title(loc="left"), *labels, *bars, *notes[len(bars) :]]
    return " ".join(f"{' '.join(text.split()).removesuffix('.')}." for text in sentences if text)
