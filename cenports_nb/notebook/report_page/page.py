"""A report page: its accounts, its time zone, and its tables with their files."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd
from IPython.display import HTML

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT, add_account
from cenports_nb.frames.provenance import provenance
from cenports_nb.notebook.report_page.accounts import ReportAccounts
from cenports_nb.notebook.report_page.attachments import ReportFiles, choose_files
from cenports_nb.notebook.report_page.elements import STYLE, Headline, headline, note, render_link, table
from cenports_nb.rendering.note import NO_MATHJAX
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

ALL_ACCOUNTS = "all accounts"
"""The name of the row that sums over accounts."""


@dataclass(frozen=True)
class ReportPage:
    """One report: where its files go, its time zone, and how many rows its tables show.

    Attributes:
        files: The folder of the files.
        time_zone: The account's time zone.
        rows: Maximum rows of each table.
        now: When the report began.
        accounts: Whose data it shows.
    """

    files: ReportFiles
    time_zone: str
    rows: int
    now: pd.Timestamp
    accounts: ReportAccounts = field(default_factory=lambda: ReportAccounts([]))

    @property
    def account(self) -> str:
        """Environment and partner of the loaded accounts, by which a later run finds an earlier one."""
        parts = []
        for client in self.accounts.loaded:
            settings = client.settings
            name = f"{settings.account_name}: " if self.accounts.several else ""
            parts.append(f"{name}{settings.environment}, partner {settings.partner_id}")
        return "; ".join(parts)

    @property
    def account_key(self) -> list[str]:
        """`["account"]` if there are several accounts, else nothing: the begin of every key."""
        return [ACCOUNT] if self.accounts.several else []

    @property
    def today(self) -> date:
        """Today's date in the account's time zone."""
        return self.day(0)

    def day(self, later: int) -> date:
        """Return the date so many days after today; before it, if negative."""
        return (self.now.tz_convert(self.time_zone) + pd.DateOffset(days=later)).date()

    def add_channel_names(self, frame: pd.DataFrame, channels: pd.DataFrame) -> pd.DataFrame:
        """Add `channel_name` to a frame with `channel_id`; the id where GET /channels lacks the channel."""
        keys = [*self.account_key, "channel_id"]
        known = channels[[*keys, "channel_name"]].drop_duplicates(keys)
        names = frame[keys].merge(known, on=keys, how="left")["channel_name"].set_axis(frame.index)
        return frame.assign(channel_name=names.fillna(frame["channel_id"]).astype("str"))

    def by_account(
        self, compute: Callable[..., Any], *frames: pd.DataFrame, part: str = "", **given: Any
    ) -> pd.DataFrame:
        """Compute a table of each account and of all of them; with one account, of that one.

        Args:
            compute: Sums over the rows of frames, such as `cn.summarize_sales`.
            frames: Its frames; of each account, they have the rows of that account.
            part: The attribute of the result that is the table; by default the result itself.
            given: Its further arguments; frames are divided by account too.

        Returns:
            `account`, then the columns of the table. The rows of all accounts come last.
        """

        def compute_rows(account: str | None) -> pd.DataFrame:
            chosen = [_choose_rows(frame, account) for frame in frames]
            result = compute(*chosen, **{name: _choose_rows(value, account) for name, value in given.items()})
            table: pd.DataFrame = getattr(result, part) if part else result
            return table

        whole = compute_rows(None)
        if not self.accounts.several:
            return whole
        parts = [add_account(compute_rows(name), name) for name in self.accounts.names]
        return pd.concat([*parts, add_account(whole, ALL_ACCOUNTS)], ignore_index=True)

    def count(self, what: Mapping[str, pd.DataFrame | tuple[pd.DataFrame, str]]) -> pd.DataFrame:
        """Count the rows of frames, or sum columns, of each account and of all of them.

        Args:
            what: Names to frames, whose rows are counted, or to a frame and its column of numbers, which are summed.
        """
        rows = []
        for name in [*self.accounts.names, None]:
            numbers = {key: _count(value, name) for key, value in what.items()}
            rows.append({**({ACCOUNT: name or ALL_ACCOUNTS} if self.accounts.several else {}), **numbers})
        return pd.DataFrame(rows)

    def headline(self, numbers: pd.DataFrame, bad: Sequence[str] = ()) -> Headline:
        """Show headline numbers: those of all accounts as cards, and those of each account as a table.

        Args:
            numbers: From `count`: the last row is shown as cards.
            bad: The columns that need action if they are not 0.
        """
        last = {str(name): value for name, value in numbers.iloc[-1].items() if name != ACCOUNT}
        shown = headline(last, bad)
        if self.accounts.several:
            columns = {str(name): str(name) for name in numbers.columns}
            shown.data += self.table(numbers, columns, "accounts.csv").data
        return shown

    def table(
        self,
        frame: pd.DataFrame,
        columns: Mapping[str, str],
        file: str,
        *,
        empty: str = "No rows.",
        signed: Sequence[str] = (),
        money: Sequence[str] = (),
        minor: Sequence[str] = (),
    ) -> HTML:
        """Show the first rows of a frame, and write all of them into a file beside the page.

        Args:
            frame: Any frame; the file has all its columns.
            columns: Column to header, in order.
            file: A file name ending in .csv, .xlsx or .parquet.
            empty: The text instead of an empty table, which has no file.
            signed: Columns that show a change.
            money: Columns with two decimals.
            minor: Columns that small screens leave out.
        """
        link = "" if frame.empty else self.files.write(file, frame)
        columns = {**{name: name for name in self.account_key if name in frame.columns}, **columns}
        return table(
            frame,
            columns,
            limit=self.rows,
            empty=empty,
            signed=signed,
            money=money,
            minor=minor,
            time_zone=self.time_zone,
            file=link,
        )

    def file(self, name: str, frames: pd.DataFrame | Mapping[str, pd.DataFrame], what: str) -> HTML:
        """Write a file beside the page and link to it; show nothing where no files are written."""
        link = self.files.write(name, frames)
        return HTML(f'{STYLE}<p class="{NO_MATHJAX}">{html.escape(what)}: {render_link(link)}</p>' if link else "")

    def origin(self, frame: pd.DataFrame, what: str) -> HTML:
        """Show whose data this is, and of when, in the account's time zone; name the accounts that are missing."""
        found = provenance(frame)
        if found is None:
            return note(f"{what} of unknown origin")
        zone = ZoneInfo(self.time_zone)
        when = f" as of {found.as_of.astimezone(zone):%Y-%m-%d %H:%M}" if found.as_of else ""
        nowhere = "" if self.files.folder else " · no files: set out to a folder, or run it with `cenports-nb report`"
        names = self.accounts.names
        account = f"{found.environment}, partner {found.partner_id}"
        account = f"{format_count(len(names), 'account')}: {', '.join(names)}" if self.accounts.several else account
        shown = note(f"{account} · {what}{when} · times and days in {self.time_zone}{nowhere}")
        for name, reason in sorted(self.accounts.failures.items()):
            shown.data += note(
                f"Account {name} is missing from this report, because it could not be loaded: {reason}", bad=True
            ).data
        return shown


def begin_report(name: str, accounts: Client | ReportAccounts, *, out: str | Path = "", rows: int = 15) -> ReportPage:
    """Begin a report.

    Args:
        name: The report's name; its files go into `OUT/NAME/TIME`.
        accounts: The client whose time zone is used, or the accounts from `connect_accounts`.
        out: The folder for reports; empty for no files.
        rows: Maximum rows of each table.

    Raises:
        InvalidRequestError: `rows` is not a positive whole number, or accounts have different time zones.
    """
    if rows < 1:
        raise InvalidRequestError(f"rows_shown={rows!r} must be a whole number above 0.")
    accounts = accounts if isinstance(accounts, ReportAccounts) else ReportAccounts([accounts])
    zones = {client.settings.time_zone: client.settings.account_name for client in accounts.clients}
    if len(zones) > 1:
        listed = ", ".join(f"{zone} of {account}" for zone, account in zones.items())
        raise InvalidRequestError(
            f"The accounts have different time zones ({listed}), so their days differ: set CENPORTS_TIME_ZONE to one of them."
        )
    (zone,) = zones
    now = pd.Timestamp(accounts.clients[0].clock.now())
    return ReportPage(choose_files(out, name, time_zone=zone), zone, rows, now, accounts)


def _choose_rows(value: Any, account: str | None) -> Any:
    """Choose the rows of an account; of all for None, and what isn't a frame as it is."""
    if account is None or not isinstance(value, pd.DataFrame):
        return value
    return value[(value[ACCOUNT] == account).to_numpy(dtype=bool)]


def _count(value: pd.DataFrame | tuple[pd.DataFrame, str], account: str | None) -> int:
    if isinstance(value, pd.DataFrame):
        return len(_choose_rows(value, account))
    frame, column = value
    return int(_choose_rows(frame, account)[column].sum())


def refuse_submit(submit: bool) -> None:
    """Refuse to submit in a report that has nothing to submit, instead of ignoring the parameter.

    Raises:
        InvalidRequestError: `submit` is true.
    """
    if submit:
        raise InvalidRequestError("This report only reads, there is nothing to submit: leave submit at False.")
