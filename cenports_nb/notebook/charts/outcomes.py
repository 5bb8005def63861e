"""Outcomes of submissions as bars: applied, pending, failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.charts.bars import draw_bar_chart, label_bars
from cenports_nb.notebook.charts.canvas import NAME_MAX_LENGTH, check_bar_limit, format_hidden, replace_undrawable
from cenports_nb.notebook.charts.palette import Palette, choose_palette
from cenports_nb.rendering.text import format_count, truncate
from cenports_nb.submissions.submission import Submission
from cenports_nb.submissions.tracking.snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUTCOME_STYLES: dict[str, tuple[Callable[[Palette], str], str | None]] = {
    "applied": (attrgetter("blue"), None),
    "pending": (attrgetter("pale_gray"), None),
    "unconfirmed": (attrgetter("yellow"), ".."),
    "in_doubt": (attrgetter("yellow"), "xxx"),
    "held": (attrgetter("background"), "||"),
    "dropped": (attrgetter("background"), "oo"),
    "rejected": (attrgetter("red"), "////"),
    "not_applied": (attrgetter("red"), "\\\\\\\\"),
    "not_sent": (attrgetter("background"), "////"),
}
"""Color and hatch of each outcome, distinct in grayscale."""

UNKNOWN_STYLE = OUTCOME_STYLES["dropped"]
"""The style of an outcome that this version does not know."""

SETTLED_OR_WAITING = {"applied", "pending"}
"""Outcomes that need no action."""

MAX_NAMED_OUTCOMES = 2
"""Maximum number of outcomes named beside a bar; of more, only the sum fits."""

SubmissionOrSnapshot = Submission | Snapshot


@dataclass(frozen=True)
class _Bar:
    label: str
    outcomes: Mapping[str, int]

    @property
    def rows(self) -> int:
        return sum(self.outcomes.values())


def plot_outcomes(
    submissions: SubmissionOrSnapshot | Sequence[SubmissionOrSnapshot],
    *,
    top: int = 15,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the outcomes of submissions: a bar per warehouse of one, or a bar per submission of several.

    Args:
        submissions: One or several, from `submit_updates`, `create_orders`, `acknowledge_shipments` or
            `open_submission`, or their `snapshot()`.
        top: The maximum number of bars; the number of further bars is written below.
        title: Replaces the default title.
        ax: The Axes to draw on; a new figure by default.

    Raises:
        InvalidRequestError: `submissions` is something else, or an argument is invalid.
        JournalError: The journal can't be read.

    Example:
        >>> changes = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [3]})
        >>> submission = cn.submit_updates(client, cn.build_differential(changes)).wait()
        >>> ax = cn.plot_outcomes(submission, title="Count of March 2")
        >>> ax.get_title(loc="left")
        'Count of March 2'
    """
    check_bar_limit(top)
    one = isinstance(submissions, SubmissionOrSnapshot)
    given: list[Any] = [submissions] if one else list(submissions) if isinstance(submissions, Sequence) else [None]
    if any(not isinstance(each, SubmissionOrSnapshot) or isinstance(each, str) for each in given):
        raise InvalidRequestError("submissions must be a Submission, its snapshot(), or a list of them.")
    snapshots = [each if isinstance(each, Snapshot) else each.snapshot() for each in given]
    found = (
        _sum_by_warehouse(snapshots[0])
        if one
        else [_Bar(snapshot.submission_id, snapshot.outcomes) for snapshot in snapshots]
    )
    bars = [bar for bar in found if bar.rows][:top]
    dry = "dry run, nothing was sent" if any(isinstance(each, Submission) and each.dry_run for each in given) else ""
    total = sum(bar.rows for bar in found)
    hidden = sum(bool(bar.rows) for bar in found) - len(bars)
    return draw_bar_chart(
        ax,
        len(bars),
        title or (f"What became of submission {snapshots[0].submission_id}" if one else "What became of the rows"),
        draw=partial(_draw, bars=bars),
        nothing="No outcomes to show: nothing was to be sent.",
        remark=[
            f"{format_count(total, 'row')} in all",
            format_hidden(hidden, "warehouse" if one else "submission"),
            dry,
        ],
        columns=4,
    )


def _sum_by_warehouse(snapshot: Snapshot) -> list[_Bar]:
    """Sum the batches of each warehouse or channel, in the order of sending."""
    sums_by_warehouse: dict[str, dict[str, int]] = {}
    for batch in snapshot.batches:
        sums = sums_by_warehouse.setdefault(batch.place, {})
        for outcome, number in batch.outcomes.items():
            sums[outcome] = sums.get(outcome, 0) + number
    return [_Bar(warehouse, outcomes) for warehouse, outcomes in sums_by_warehouse.items()]


def _draw(ax: Axes, bars: list[_Bar]) -> None:
    """Stack the outcomes of each bar, applied first."""
    palette = choose_palette(ax)
    sums = pd.Series(dtype="int64")
    for bar in bars:
        sums = sums.add(pd.Series(bar.outcomes, dtype="int64"), fill_value=0)
    kinds = [name for name in OUTCOME_STYLES if sums.get(name)] + sorted(
        name for name in sums.index if name not in OUTCOME_STYLES
    )
    left = np.zeros(len(bars))
    for kind in kinds:
        width = np.array([bar.outcomes.get(kind, 0) for bar in bars])
        read_color, hatch = OUTCOME_STYLES.get(kind, UNKNOWN_STYLE)
        color = read_color(palette)
        edge = palette.gray if color in (palette.background, palette.pale_gray) else palette.background
        ax.barh(
            range(len(bars)), width, left=left, label=f"{_format_outcome(kind)} ({int(sums[kind]):,})", height=0.7,
            color=color, hatch=hatch, edgecolor=edge, linewidth=0.8,
        )  # fmt: skip
        left += width
    texts = [_describe_bar(bar) for bar in bars]
    alerts = [bool(set(_sort_outcomes(bar)) - SETTLED_OR_WAITING) for bar in bars]
    label_bars(ax, [truncate(bar.label, NAME_MAX_LENGTH) for bar in bars], left.tolist(), texts, alerts, unit="rows")


def _describe_bar(bar: _Bar) -> str:
    """Describe a bar in words: a few rows among thousands are too thin to see."""
    found = _sort_outcomes(bar)
    if list(found) == ["applied"]:
        return f"all {bar.rows:,} applied" if bar.rows > 1 else "applied"
    odd = {kind: number for kind, number in found.items() if kind not in SETTLED_OR_WAITING}
    texts = [f"{found['pending']:,} pending"] if "pending" in found else []
    if len(odd) > MAX_NAMED_OUTCOMES:
        return ", ".join([*texts, f"{sum(odd.values()):,} need a look"])
    return ", ".join([*texts, *(f"{number:,} {_format_outcome(kind)}" for kind, number in odd.items())])


def _sort_outcomes(bar: _Bar) -> dict[str, int]:
    order = [*OUTCOME_STYLES, *sorted(set(bar.outcomes) - set(OUTCOME_STYLES))]
    return {kind: bar.outcomes[kind] for kind in order if bar.outcomes.get(kind)}


def _format_outcome(outcome: str) -> str:
    return replace_undrawable(truncate(outcome.replace("_", " "), 20))
