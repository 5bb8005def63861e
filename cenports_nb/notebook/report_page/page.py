"""A report page: its account, its time zone, and its tables with their files."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd
from IPython.display import HTML

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.provenance import provenance
from cenports_nb.notebook.report_page.attachments import ReportFiles, choose_files
from cenports_nb.notebook.report_page.elements import STYLE, note, render_link, table
from cenports_nb.rendering.note import NO_MATHJAX

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


@dataclass(frozen=True)
class ReportPage:
    """One report: where its files go, its time zone, and how many rows its tables show.

    Attributes:
        files: The folder of the files.
        time_zone: The account's time zone.
        rows: Maximum rows of each table.
        now: When the report began.
        account: Environment and partner.
    """

    files: ReportFiles
    time_zone: str
    rows: int
    now: pd.Timestamp
    account: str

    @property
    def today(self) -> date:
        """Today's date in the account's time zone."""
        return self.day(0)

    def day(self, later: int) -> date:
        """Return the date so many days after today; before it, if negative."""
        return (self.now.tz_convert(self.time_zone) + pd.DateOffset(days=later)).date()

    def add_channel_names(self, frame: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
        """Add `channel_name` to a frame with `channel_id`; the id where GET /channels lacks the channel."""
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
            file: A file name ending in .csv, .xlsx or .parquet.
            empty: The text instead of an empty table, which has no file.
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
        """Write a file beside the page and link to it; show nothing where no files are written."""
        link = self.files.write(name, frames)
        return HTML(f'{STYLE}<p class="{NO_MATHJAX}">{html.escape(what)}: {render_link(link)}</p>' if link else "")

    def origin(self, frame: pd.DataFrame, what: str) -> HTML:
        """Show whose data this is, and of when, in the account's time zone."""
        found = provenance(frame)
        if found is None:
            return note(f"{what} of unknown origin")
        zone = ZoneInfo(self.time_zone)
        when = f" as of {found.as_of.astimezone(zone):%Y-%m-%d %H:%M}" if found.as_of else ""
        nowhere = "" if self.files.folder else " · no files: set out to a folder, or run it with `cenports-nb report`"
        account = f"{found.environment}, partner {found.partner_id}"
        return note(f"{account} · {what}{when} · times and days in {self.time_zone}{nowhere}")


def begin_report(name: str, client: Client, *, out: str | Path = "", rows: int = 15) -> ReportPage:
    """Begin a report.

    Args:
        name: The report's name; its files go into `OUT/NAME/TIME`.
        client: The client whose time zone is used.
        out: The folder for reports; empty for no files.
        rows: Maximum rows of each table.

    Raises:
        InvalidRequestError: `rows` is not a positive whole number.
    """
    if rows < 1:
        raise InvalidRequestError(f"rows_shown={rows!r} must be a whole number above 0.")
    zone, settings = client.settings.time_zone, client.settings
    account = f"{settings.environment}, partner {settings.partner_id}"
    return ReportPage(choose_files(out, name, time_zone=zone), zone, rows, pd.Timestamp(client.clock.now()), account)


def refuse_submit(submit: bool) -> None:
    """Refuse to submit in a report that has nothing to submit, instead of ignoring the parameter.

    Raises:
        InvalidRequestError: `submit` is true.
    """
    if submit:
        raise InvalidRequestError("This report only reads, there is nothing to submit: leave submit at False.")
