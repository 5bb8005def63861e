"""Colors of charts, on a light and on a dark background."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from matplotlib import colors, rcParams

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_DARK_LUMINANCE = 0.4
"""Relative luminance up to which a background is dark, from 0 for black to 1 for white."""


@dataclass(frozen=True)
class Palette:
    """The colors of one chart.

    The colors of bars are distinct for color-blind people and in grayscale; hatches and texts repeat the meaning.
    """

    background: str
    text: str
    gray: str
    grid: str
    blue: str
    sky: str
    yellow: str
    red: str
    pale_gray: str


LIGHT = Palette(
    background="#ffffff", text="#222222", gray="#6b6b6b", grid="#e3e3e3",
    blue="#004488", sky="#8fb4d9", yellow="#ddaa33", red="#bb5566", pale_gray="#c3ccd6",
)  # fmt: skip
DARK = Palette(
    background="#000000", text="#eeeeee", gray="#b4b4b4", grid="#3d3d3d",
    blue="#4f9be8", sky="#3f6f9f", yellow="#ddaa33", red="#f0808c", pale_gray="#69737d",
)  # fmt: skip


def choose_background() -> str:
    """Return the background of a new figure: that of the style in use, or white where it is transparent."""
    red, green, blue, alpha = colors.to_rgba(rcParams["figure.facecolor"])
    return colors.to_hex((red, green, blue)) if alpha == 1 else LIGHT.background


def choose_palette(ax: Axes) -> Palette:
    """Choose the colors that can be read on the background of some Axes."""
    figure: Any = ax.get_figure(root=True)
    for color in (ax.get_facecolor(), figure.get_facecolor()):
        red, green, blue, alpha = colors.to_rgba(color)
        if alpha == 1:
            is_dark = 0.2126 * red + 0.7152 * green + 0.0722 * blue <= MAX_DARK_LUMINANCE
            return replace(DARK if is_dark else LIGHT, background=colors.to_hex((red, green, blue)))
    return LIGHT
