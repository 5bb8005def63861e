"""Parts of a report page: headline numbers, tables with a limit and their files, a callout, the result at the end."""

from __future__ import annotations

import html
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pandas as pd
from IPython.display import HTML, Image, display
from matplotlib import pyplot as plt

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.pii import SHOWN, mask_pii
from cenports_nb.frames.provenance import provenance, rejected, time_zone_of
from cenports_nb.notebook.cells import cell, rows_of
from cenports_nb.notebook.files import Files, files_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from cenports_nb.api.client import Client
    from cenports_nb.transactions.submission import Submission

RESULT = "application/vnd.cenports-nb.result+json"
"""Where a report leaves what its exit code depends on."""
IN_DOUBT = ("in_doubt", "pending", "unconfirmed")
FAILED = ("rejected", "not_applied", "not_sent", "held")

STYLE = """
<style>
.cn-cards{margin:10px 0}
.cn-card b,.cn-card span{display:block}
.cn-card b{font-variant-numeric:tabular-nums}
.cn-table{overflow-x:auto}
.cn-table table{border-collapse:collapse;font-size:13px;margin:8px 0}
.cn-table th,.cn-table td{padding:3px 14px 3px 0;vertical-align:top;
 border-bottom:1px solid rgba(128,128,128,.28)}
.cn-table th{font-weight:600;vertical-align:bottom;border-bottom:1.5px solid rgba(128,128,128,.6)}
.cn-table td{max-width:26em}
.cn-table .long{overflow-wrap:anywhere}
.cn-table .n{text-align:right;font-variant-numeric:tabular-nums}
.cn-table td.n,.cn-table td.whole{white-space:nowrap}
.cn-table caption{caption-side:bottom;text-align:left;font-size:12.5px;opacity:.85;padding-top:5px}
</style>
"""
CARD = (
    "display:inline-block;vertical-align:top;min-width:118px;margin:0 10px 10px 0;padding:9px 15px;"
    "border:1px solid rgba(128,128,128,.35);border-radius:6px"
)
"""Lab takes style sheets out of a notebook that it does not trust, such as a scheduler's; these words it leaves."""
BAR = {"": "#4477aa", "bad": "#bb5566", "ok": "#228866"}
TINT = {"": "rgba(68,119,170,.09)", "bad": "rgba(187,85,102,.1)"}


@dataclass(frozen=True)
class Page:
    """One report: where its files go, its time zone, and how many rows its tables show.

    Attributes:
        files: Its folder.
        time_zone: The account's.
        rows: Rows of each table.
        now: When the report began.
        account: Environment and partner.
    """

    files: Files
    time_zone: str
    rows: int
    now: pd.Timestamp
    account: str

    @property
    def today(self) -> date:
        """The day that it is in the account's time zone."""
        return self.day(0)

    def day(self, later: int) -> date:
        """Tell the day that is so many days after today; before it, if negative."""
        return (self.now.tz_convert(self.time_zone) + pd.DateOffset(days=later)).date()

    def named(self, frame: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
        """Add `channel_name` to a frame with `channel_id`; the id where GET /channels has none, as of old channels."""
        known = channels.drop_duplicates("channel_id").set_index("channel_id")["channel_name"]
        names = frame["channel_id"].map(known).fillna(frame["channel_id"]).astype("str")
        return frame.assign(channel_name=names)

    def table(
        self,
        frame: pd.DataFrame,
        columns: Mapping[str, str],
        file: str,
        *,
        empty: str = "No rows.",
        signed: Sequence[str] = (),
        money: Sequence[str] = (),
    ) -> HTML:
        """Show the first rows of a frame, and write all of them into a file beside the page.

        Args:
            frame: Any frame; the file has all its columns.
            columns: Column to header, in order.
            file: The file's name: .csv, .xlsx or .parquet.
            empty: What stands there instead of an empty table; there is no file then.
            signed: Columns that show a change.
            money: Columns with two decimals.
        """
        link = "" if frame.empty else self.files.write(file, frame)
        return table(
            frame,
            columns,
            limit=self.rows,
            empty=empty,
            signed=signed,
            money=money,
            time_zone=self.time_zone,
            file=link,
        )

    def file(self, name: str, frames: pd.DataFrame | Mapping[str, pd.DataFrame], what: str) -> HTML:
        """Write a file beside the page, and say what is in it; nothing is said where there are no files."""
        link = self.files.write(name, frames)
        return HTML(f"{STYLE}<p>{html.escape(what)}: {_link(link)}</p>" if link else "")

    def origin(self, frame: pd.DataFrame, what: str) -> HTML:
        """Say whose data this is, and of when, in the account's time zone."""
        found = provenance(frame)
        if found is None:
            return note(f"{what} of unknown origin")
        zone = ZoneInfo(self.time_zone)
        when = f" as of {found.as_of.astimezone(zone):%Y-%m-%d %H:%M}" if found.as_of else ""
        nowhere = "" if self.files.folder else " · no files: set out to a folder, or run it with `cenports-nb report`"
        account = f"{found.environment}, partner {found.partner_id}"
        return note(f"{account} · {what}{when} · times and days in {self.time_zone}{nowhere}")


def begin(name: str, client: Client, *, out: str | Path = "", rows: int = 15) -> Page:
    """Begin a report.

    Args:
        name: The report's; its files go into `OUT/NAME/TIME`.
        client: Whose time zone counts.
        out: The folder for reports; empty for no files.
        rows: Rows of each table.

    Raises:
        InvalidRequestError: `rows` is no number of rows.
    """
    if rows < 1:
        raise InvalidRequestError(f"rows_shown={rows!r} must be a whole number above 0.")
    zone, settings = client.settings.time_zone, client.settings
    account = f"{settings.environment}, partner {settings.partner_id}"
    return Page(files_of(out, name, time_zone=zone), zone, rows, pd.Timestamp(client.clock.now()), account)


def reads_only(submit: bool) -> None:
    """Refuse to submit where there is nothing to submit, instead of ignoring it.

    Raises:
        InvalidRequestError: `submit` is true.
    """
    if submit:
        raise InvalidRequestError("This report only reads, there is nothing to submit: leave submit at False.")


def headline(numbers: Mapping[str, int | float | str], bad: Sequence[str] = ()) -> HTML:
    """Show the few numbers that matter, named with their unit; those in `bad` are marked if not 0."""
    cards = []
    for name, value in numbers.items():
        kind = "" if name not in bad else "bad" if value else "ok"
        sign = {"": "", "bad": "⚠ ", "ok": "✓ "}[kind]
        style = f"{CARD};border-left:5px solid {BAR[kind]}" if kind else CARD
        number = f'<b style="font-size:23px;line-height:1.25">{sign}{cell(value)}</b>'
        unit = f'<span style="font-size:12.5px;opacity:.85">{html.escape(name)}</span>'
        cards.append(f'<div class="cn-card" style="{style}">{number} {unit}</div>')
    return HTML(f'{STYLE}<div class="cn-cards">{"".join(cards)}</div>')


def note(text: str, *, bad: bool = False) -> HTML:
    """Say one thing that must not be missed."""
    kind = "bad" if bad else ""
    style = f"border-left:4px solid {BAR[kind]};padding:5px 12px;margin:10px 0;background:{TINT[kind]}"
    return HTML(f'<div class="cn-note" style="{style}">{html.escape(text)}</div>')


def table(
    frame: pd.DataFrame,
    columns: Mapping[str, str],
    *,
    limit: int = 20,
    empty: str = "No rows.",
    signed: Sequence[str] = (),
    money: Sequence[str] = (),
    time_zone: str | None = None,
    file: str = "",
) -> HTML:
    """Show some columns of a frame under readable headers, the first rows only, everything escaped.

    Personal data is masked, unless the frame comes from `show_pii`.

    Args:
        frame: Any frame.
        columns: Column to header, in order.
        limit: Rows shown; how many there are is said below.
        empty: What stands there instead of an empty table.
        signed: Columns that show a change, with + or − in front.
        money: Columns with two decimals.
        time_zone: The zone of instants; by default the one that the frame was loaded in, else UTC.
        file: A link to the file with all rows.
    """
    if frame.empty:
        return note(empty)
    shown = frame[list(columns)].head(limit)
    shown = shown if SHOWN in frame.attrs else mask_pii(shown)
    rows = rows_of(shown, columns, signed=signed, money=money, time_zone=time_zone_of(time_zone, frame))
    return HTML(f'{STYLE}<div class="cn-table"><table>{_caption(len(frame), limit, file)}{rows}</table></div>')


def chart(ax: Axes) -> Image:
    """Show a chart as a picture, whatever backend matplotlib has; its title is the text for those who can't see it."""
    figure: Any = ax.get_figure(root=True)  # an Axes that was drawn on has one
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    plt.close(figure)
    return Image(picture.getvalue(), format="png", alt=ax.get_title(loc="left"))


def origin(frames: Mapping[str, pd.DataFrame], submission: Submission | None = None) -> None:
    """Show where the frames of a report come from, and leave the result for the one who ran it."""
    found = {name: provenance(frame) for name, frame in frames.items()}
    known = {name: item for name, item in found.items() if item is not None}
    headers = {
        "frame": "frame", "source": "from", "as_of": "as of (UTC)", "rows": "rows", "rejected": "rejected",
        "complete": "complete", "partner": "account",
    }  # fmt: skip
    shown = pd.DataFrame(
        [
            {
                "frame": name,
                "source": item.source,
                "as_of": item.as_of,
                "rows": item.rows,
                "rejected": item.rejected,
                "complete": "yes" if item.complete else "NO",
                "partner": f"{item.partner_id} ({item.environment})",
            }
            for name, item in known.items()
        ],
        columns=list(headers),
    )
    shown["as_of"] = pd.to_datetime(shown["as_of"], utc=True)
    unread = _unread((item.source, frames[name]) for name, item in known.items())
    account = next((f"{item.environment}, partner {item.partner_id}" for item in known.values()), "")
    result = {
        "rejected": len(unread),
        "incomplete": sum(not item.complete for item in known.values()),
        **_became(submission),
        "account": account,
    }
    bundle = {"text/html": table(shown, headers, time_zone="UTC").data, "text/plain": str(result), RESULT: result}
    display(bundle, raw=True)
    if len(unread):
        what = {"source": "from", "key": "record", "column": "column", "reason": "why it can't be read"}
        display(
            note(f"{len(unread):,} records can't be read, and are in no number above.", bad=True), table(unread, what)
        )


def _unread(frames: Iterable[tuple[str, pd.DataFrame]]) -> pd.DataFrame:
    """List the records that became no rows, each once: a rejected order is missing from orders and line items."""
    found = [rejects.assign(source=source) for source, frame in frames if (rejects := rejected(frame)) is not None]
    if not found:
        return pd.DataFrame()
    masked = [mask_pii(each) for each in found]
    return pd.concat(masked, ignore_index=True).drop_duplicates(["source", "record"])


def sent(submission: Submission) -> None:
    """Leave word of what was sent for the one who runs the report, should a later cell fail."""
    result = {"rejected": 0, "incomplete": 0, **_became(submission)}
    display({"text/html": "", "text/plain": "", RESULT: result}, raw=True)


def _became(submission: Submission | None) -> dict[str, int]:
    """Count the rows of which it is not known what became of them, and those that failed."""
    outcomes = submission.outcomes["outcome"] if submission is not None else pd.Series([], dtype="str")
    return {"in_doubt": int(outcomes.isin(IN_DOUBT).sum()), "failed": int(outcomes.isin(FAILED).sum())}


def _caption(rows: int, limit: int, file: str) -> str:
    """Say how many rows there are beyond those that are shown, and where all of them are."""
    more = f"{limit:,} of {rows:,} rows" if rows > limit else ""
    where = f"all in {_link(file)}" if file else ""
    told = "; ".join(filter(None, (more, where)))
    return f"<caption>{told[0].upper()}{told[1:]}.</caption>" if told else ""


def _link(link: str) -> str:
    return f'<a href="{html.escape(link)}">{html.escape(unquote(link.rpartition("/")[2]))}</a>'
