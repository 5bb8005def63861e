"""Outcomes of submissions as bars: what was applied, what waits, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.charts.bars import bars_height, finish_bars
from cenports_nb.notebook.charts.canvas import (
    BLUE,
    PALE,
    RED,
    YELLOW,
    canvas,
    check_top,
    headline,
    many,
    more,
    plain,
    remark,
    sentence,
    shortened,
)
from cenports_nb.submissions.submission import Submission
from cenports_nb.submissions.tracking.snapshot import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OUTCOMES: dict[str, dict[str, Any]] = {
    "applied": {"color": BLUE},
    "pending": {"color": PALE},
    "unconfirmed": {"color": YELLOW, "hatch": ".."},
    "in_doubt": {"color": YELLOW, "hatch": "xxx"},
    "held": {"color": "white", "hatch": "||"},
    "rejected": {"color": RED, "hatch": "////"},
    "not_applied": {"color": RED, "hatch": "\\\\\\\\"},
    "not_sent": {"color": "white", "hatch": "////"},
}
"""How each outcome looks: colour and hatch, so that no two are alike in grey."""

OTHER: dict[str, Any] = {"color": "white", "hatch": "oo"}
"""An outcome that this version does not know."""

CALM = {"applied", "pending"}
"""Outcomes that ask nothing of anybody."""

MOST_NAMED = 2
"""Outcomes that need a look and are named beside a bar; of more, only their sum fits."""

Submitted = Submission | Snapshot


@dataclass(frozen=True)
class _Bar:
    label: str
    outcomes: Mapping[str, int]

    @property
    def rows(self) -> int:
        return sum(self.outcomes.values())


def plot_outcomes(
    submissions: Submitted | Sequence[Submitted],
    *,
    top: int = 15,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what became of the rows of submissions: a bar a warehouse of one, or a bar a submission of several.

    Args:
        submissions: From `submit_updates`, `create_orders`, `acknowledge_shipments` or `open_submission`; or what
            `Submission.snapshot()` gave of them. One, or several.
        top: The most bars; how many more there are is said below.
        title: Instead of the default one.
        ax: Where to draw; a new figure by default.

    Raises:
        InvalidRequestError: Something else was passed, or an argument means nothing.
        JournalError: The journal can't be read.
    """
    check_top(top)
    one = isinstance(submissions, Submitted)
    given: list[Any] = [submissions] if one else list(submissions) if isinstance(submissions, Sequence) else [None]
    if any(not isinstance(each, Submitted) or isinstance(each, str) for each in given):
        raise InvalidRequestError("submissions must be a Submission, its snapshot(), or a list of them.")
    snapshots = [each if isinstance(each, Snapshot) else each.snapshot() for each in given]
    found = _by_place(snapshots[0]) if one else [_Bar(seen.submission_id, seen.outcomes) for seen in snapshots]
    bars = [bar for bar in found if bar.rows][:top]
    ax = canvas(ax, bars_height(len(bars)))
    dry = "dry run, nothing was sent" if any(isinstance(each, Submission) and each.dry_run for each in given) else ""
    heading = title or (f"What became of submission {snapshots[0].submission_id}" if one else "What became of the rows")
    if not bars:
        return sentence(ax, heading, "No outcomes to show: nothing was to be sent.")
    _draw(ax, bars)
    headline(ax, heading, columns=4)
    total = sum(bar.rows for bar in found)
    shown = sum(bool(bar.rows) for bar in found) - len(bars)
    remark(ax, [f"{many(total, 'row')} in all", more(shown, "warehouse" if one else "submission"), dry])
    return ax


def _by_place(seen: Snapshot) -> list[_Bar]:
    """Add up the batches of each warehouse or channel, in the order in which they were sent."""
    places: dict[str, dict[str, int]] = {}
    for batch in seen.batches:
        sums = places.setdefault(batch.place, {})
        for outcome, number in batch.outcomes.items():
            sums[outcome] = sums.get(outcome, 0) + number
    return [_Bar(place, outcomes) for place, outcomes in places.items()]


def _draw(ax: Axes, bars: list[_Bar]) -> None:
    """Stack the outcomes of each bar, the good ones first."""
    sums = pd.Series(dtype="int64")
    for bar in bars:
        sums = sums.add(pd.Series(bar.outcomes, dtype="int64"), fill_value=0)
    kinds = [name for name in OUTCOMES if sums.get(name)] + sorted(name for name in sums.index if name not in OUTCOMES)
    left = np.zeros(len(bars))
    for kind in kinds:
        width = np.array([bar.outcomes.get(kind, 0) for bar in bars])
        look = OUTCOMES.get(kind, OTHER)
        edge = "white" if look["color"] != "white" and kind != "pending" else "#444444"
        ax.barh(
            range(len(bars)), width, left=left, label=f"{_words(kind)} ({int(sums[kind]):,})", height=0.7,
            edgecolor=edge, linewidth=0.8, **look,
        )  # fmt: skip
        left += width
    told = [_told(bar) for bar in bars]
    alarming = [bool(set(_of(bar)) - CALM) for bar in bars]
    finish_bars(ax, [shortened(bar.label) for bar in bars], left.tolist(), told, alarming, unit="rows")


def _told(bar: _Bar) -> str:
    """Say a bar in words: a few rows among thousands are too thin to be seen."""
    found = _of(bar)
    if list(found) == ["applied"]:
        return f"all {bar.rows:,} applied" if bar.rows > 1 else "applied"
    odd = {kind: number for kind, number in found.items() if kind not in CALM}
    told = [f"{found['pending']:,} pending"] if "pending" in found else []
    if len(odd) > MOST_NAMED:
        return ", ".join([*told, f"{sum(odd.values()):,} need a look"])
    return ", ".join([*told, *(f"{number:,} {_words(kind)}" for kind, number in odd.items())])


def _of(bar: _Bar) -> dict[str, int]:
    order = [*OUTCOMES, *sorted(set(bar.outcomes) - set(OUTCOMES))]
    return {kind: bar.outcomes[kind] for kind in order if bar.outcomes.get(kind)}


def _words(outcome: str) -> str:
    return plain(shortened(outcome.replace("_", " "), 20))
