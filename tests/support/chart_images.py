"""The pictures that charts are compared with. Draw them again with `PYTHONPATH=tests python -m support.chart_images`, and look.

The comparison looks from afar (`blurred`), so that another version of matplotlib or FreeType passes, whose letters are
a little wider: measured, different hinting moves these pictures by up to 6 (root mean square, of 255), and a chart that
lost its bars by 17 and more.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from PIL import Image

import cenports_nb as cn
from support import chart_frames as made

IMAGES = Path(__file__).parent / "images"
DPI = 50

COUNTS = [3, 5, 4, 6, 2, 0, 1, 4, 5, 5, 7, 3, 0, 2, 5, 6, 4, 8, 3, 1, 0, 6, 7, 5, 9, 4, 0, 1]
STOCK = [("0012", 40, 22, 18), ("0013", 10, -12, 22), ("0014", 30, 30, 0), ("0015", 8, 8, 3)]
COVER = [("0012", 0, 56), ("0013", 5, 28), ("0014", 30, 28), ("0015", 22, 14), ("0016", 9, 0), ("0017", None, 7)]
AGES = [(0, False, True), (1, False, True), (1, True, True), (3, True, True), (3, None, True), (9, False, False)]
OUTCOMES = [
    ("W1", {"applied": 40, "pending": 10, "unconfirmed": 5, "in_doubt": 8}),
    ("W2", {"applied": 20, "held": 9, "rejected": 6, "not_applied": 7, "not_sent": 8}),
]

PICTURES: dict[str, Callable[[], plt.Axes]] = {
    "ages": lambda: cn.plot_ages(made.ages(*AGES)),
    "cover": lambda: cn.plot_cover(made.cover(*COVER)),
    "demand": lambda: cn.plot_demand(made.stock(*STOCK)),
    "nothing": lambda: cn.plot_stock(made.stock(*STOCK).iloc[:0]),
    "orders": lambda: cn.plot_orders(made.orders("2026-01-05", *COUNTS)),
    "outcomes": lambda: cn.plot_outcomes(made.snapshot(*OUTCOMES)),
    "stock": lambda: cn.plot_stock(made.stock(*STOCK)),
    "units": lambda: cn.plot_orders(made.lines("2026-01-05", *COUNTS, 5, 5, 5), by="week"),
}


def draw(name: str, folder: Path) -> Path:
    """Draw one of them as matplotlib does out of the box, whatever its user has set."""
    path = folder / f"{name}.png"
    with mpl.rc_context(fname=mpl.matplotlib_fname()), mpl.style.context("default"):
        figure = PICTURES[name]().figure
        figure.savefig(path, dpi=DPI)
        plt.close(figure)
    return path


def save_chart(ax: plt.Axes) -> bytes:
    """Draw a chart to a file: warnings of missing glyphs and clipped layouts are errors here."""
    target = io.BytesIO()
    ax.get_figure(root=True).savefig(target, dpi=60)
    return target.getvalue()


def blurred(picture: Path, folder: Path) -> str:
    """Make a picture eight times smaller, in which words are grey lines and bars are bars."""
    path = folder / f"{picture.stem}-{picture.parent.name}.png"
    with Image.open(picture) as found:
        found.convert("RGB").reduce(8).save(path)
    return str(path)


if __name__ == "__main__":
    mpl.use("agg")
    IMAGES.mkdir(exist_ok=True)
    for one in sys.argv[1:] or PICTURES:
        draw(one, IMAGES)
