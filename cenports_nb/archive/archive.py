"""`open_archive` and `Archive`, the public interface."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.api.client import Client
from cenports_nb.api.http.rate_limit import Clock, SystemClock
from cenports_nb.archive.reading.coverage import MISSING_DTYPES, list_span_months
from cenports_nb.archive.reading.query import ArchiveQuery, parse_archive_query, with_query
from cenports_nb.archive.reading.reader import ArchiveReader
from cenports_nb.archive.reading.scans import Scan
from cenports_nb.archive.reading.sql import run_sql
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.errors import import_deltalake
from cenports_nb.archive.storage.format import open_folder, register_account
from cenports_nb.archive.storage.location import find_location
from cenports_nb.archive.storage.update_log import SUMMARY, UPDATES, UpdateLog, fold
from cenports_nb.archive.tables import TABLES
from cenports_nb.archive.writing.forget import finish_forgetting, forget_months
from cenports_nb.archive.writing.month_writer import MonthWriter
from cenports_nb.archive.writing.schedule import to_month
from cenports_nb.archive.writing.update import RESULT_DTYPES, new_update_id, update_account
from cenports_nb.errors import CenportsError, IncompleteError, InvalidRequestError
from cenports_nb.frames.dates import Day, parse_day, parse_time_zone
from cenports_nb.rendering.note import render_note
from cenports_nb.rendering.text import list_names
from cenports_nb.submissions.journal.frames import build_frame


def open_archive(path: str | Path = "archive", *, personal: str | None = None, time_zone: str | None = None) -> Archive:
    """Open an archive of orders, shipments and stock; a missing or empty folder, or prefix of a bucket, becomes one.

    Args:
        path: The folder, which only its owner can access; or `s3://bucket/prefix`. Keys come from the environment.
        personal: How personal data is stored, fixed when the archive is created: `"mask"` (the default) for pseudonyms,
            `"drop"` for nulls, `"keep"` for the API's values.
        time_zone: IANA zone of days; by default the zone with which the archive was created, which is
            `CENPORTS_TIME_ZONE`, else UTC.

    Raises:
        ConfigurationError: The extra is not installed; or the keys of the bucket are missing or wrong.
        ArchiveError: The folder is something else, damaged, or has a newer version; or the bucket can't be reached.
        InvalidRequestError: The address is neither a folder nor a bucket; or the archive stores personal data in another way.

    Example:
        >>> archive = cn.open_archive("archive")
        >>> first = cn.load_orders(client, last="30D")["order_date"].min()
        >>> changed = archive.update(client, start=first.date())
        >>> len(archive.load_orders(last="30D"))
        71
    """
    import_deltalake()
    folder = find_location(path).public
    found = open_folder(folder, personal, time_zone)
    return Archive(folder, time_zone or found.time_zone)


class Archive:
    """The history of one or more accounts, in Delta tables; see `open_archive`.

    Attributes:
        folder: Where it is: a path, or the address of a bucket.
        time_zone: In which days are meant.
        clock: The time when something is forgotten; updates use the clock of their client.
    """

    def __init__(self, folder: Path | str, time_zone: str) -> None:
        parse_time_zone(time_zone)
        self.clock: Clock = SystemClock()
        self.folder = folder
        self.time_zone = time_zone
        self._reader = ArchiveReader(folder, time_zone)
        self._tables = self._reader.tables

    def update(
        self, clients: Client | Sequence[Client], *, start: Day | None = None, progress: bool | None = None
    ) -> pd.DataFrame:
        """Read what may have changed, past the cache, and archive the changes.

        An update reads months with open lines and the two latest months; other months of the last half year once a week;
        older ones every four weeks. The first update reads everything since `start`. Stock is read once. Run it every night.

        Args:
            clients: One account or several.
            start: The first day to archive, rounded to its month; by default as early as the account's orders and, later,
                as the archive. Forgotten months are only read again if this includes them.
            progress: Show a progress bar; by default only if it takes more than two seconds.

        Returns:
            What changed, one row per table and month: `account table month rows added changed removed complete as_of`.
            `rows` is the number of rows that the month has now or, for stock, that were added. A month that could not be
            read completely has `complete` False, and its archived rows stay.

        Raises:
            AuthenticationError, TransportError: Cenports can't be reached; the next update continues.
            ConfigurationError: The account's name was used for another account before.
            ArchiveError: The disk is full, the archive is damaged, or another update takes more than ten minutes.
            IncompleteError: Some of several accounts failed; `.partial` has what changed in the others.

        Warns:
            IncompleteWarning: Some months could not be read completely.
            RejectedRowsWarning: Some records can't be read; they are archived as rejects.
        """
        accounts = [clients] if isinstance(clients, Client) else list(clients)
        if not accounts or not all(isinstance(client, Client) for client in accounts):
            raise InvalidRequestError("update takes a client, or several of them, from connect.")
        zone = ZoneInfo(self.time_zone)
        month = None
        if start is not None:
            day = parse_day(start, "start", zone)
            month = list_span_months(day, day, zone)[0]
        personal = self._reader.read_format().personal
        done: list[pd.DataFrame] = []
        failed: list[tuple[str, CenportsError]] = []
        with self._open_for_writing() as (tables, log):
            finish_forgetting(tables, log, accounts[0].clock.now())
            for client in accounts:
                try:
                    account = register_account(self.folder, client)
                    state = fold(log.read(account), account, with_checkpoints=True)
                    writer = MonthWriter(tables, log, account, new_update_id(), state, client.clock.now)
                    done.append(update_account(client, writer, personal, month, progress))
                except CenportsError as error:
                    if len(accounts) == 1:
                        raise
                    failed.append((client.settings.account_name, error))
        changed = pd.concat([build_frame((), RESULT_DTYPES), *done], ignore_index=True)
        if failed:
            raise IncompleteError(
                f"{len(failed)} of {len(accounts)} accounts could not be archived, the first, {failed[0][0]}: {failed[0][1]}",
                partial=changed,
                missing=build_frame(
                    [(name, "", None, None, None, str(error)) for name, error in failed], MISSING_DTYPES
                ),
            )
        return changed

    def contents(self) -> pd.DataFrame:
        """List the archived months: `account table month rows complete as_of bytes`, one row per table and month.

        `as_of` is when the month was last read, UTC; `complete` is False for a month between archived ones that could not
        be read yet. `bytes` is the size of the latest version on disk.
        """
        return self._reader.describe_contents()

    @with_query(parse_archive_query)
    def load_orders(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load orders from the archive, one row each.

        Args:
            start: First day, in the archive's time zone; without days all archived orders.
            end: Last day, included.
            last: A period that ends on the day of the last update, such as `"30D"`.
            accounts: Names of accounts; all by default.
            channel_id: One sales channel or several.
            columns: Only these columns, in this order.
            as_of: An instant, or a day, which means its beginning: the archive after the last update before it.
            allow_partial: Return what is archived with a warning, instead of raising IncompleteError.

        Returns:
            `account`, then the columns of `schemas.Orders`, ordered as by `cn.load_orders`.

        Raises:
            IncompleteError: Days are not archived, or were forgotten.
            InvalidRequestError: An invalid day, account or column; or nothing was archived by `as_of`.
        """
        return self._reader.open_scan("orders", query).load()

    @with_query(parse_archive_query)
    def load_line_items(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load order lines from the archive, one row each; arguments and errors are those of `load_orders`."""
        return self._reader.open_scan("line_items", query).load()

    @with_query(parse_archive_query)
    def load_shipments(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load shipments from the archive: those of all months that the days touch.

        The API doesn't document which date it filters by, so shipments are archived by the requested month, and no rows
        are cut. Arguments and errors are those of `load_orders`.
        """
        return self._reader.open_scan("shipments", query).load()

    @with_query(parse_archive_query)
    def load_shipment_items(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load the lines of shipments, as `load_shipments` loads these."""
        return self._reader.open_scan("shipment_items", query).load()

    @with_query(parse_archive_query)
    def load_actual_stock(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load all readings of actual stock within some days; without days the last one.

        Arguments are those of `load_orders`.

        Returns:
            `account read_at`, then the columns of `schemas.ActualStock`.

        Raises:
            IncompleteError: The days begin before the first reading, or end after the last one.
        """
        return self._reader.load_readings("actual_stock", query)

    @with_query(parse_archive_query)
    def load_available_stock(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load all readings of available stock within some days; without days the last one.

        Returns:
            `account read_at`, then the columns of `schemas.AvailableStock`.
        """
        return self._reader.load_readings("available_stock", query)

    @with_query(parse_archive_query)
    def load_outcomes(self, query: ArchiveQuery) -> pd.DataFrame:
        """Load the outcomes of the accounts' own stock updates: `account`, then the columns of `schemas.Outcomes`."""
        return self._reader.open_all("outcomes", query).load()

    @with_query(parse_archive_query)
    def scan_orders(self, query: ArchiveQuery) -> Scan:
        """Open orders for reading month by month; arguments and errors are those of `load_orders`."""
        return self._reader.open_scan("orders", query)

    @with_query(parse_archive_query)
    def scan_line_items(self, query: ArchiveQuery) -> Scan:
        """Open order lines for reading month by month; arguments and errors are those of `load_orders`."""
        return self._reader.open_scan("line_items", query)

    @with_query(parse_archive_query)
    def scan_shipments(self, query: ArchiveQuery) -> Scan:
        """Open shipments for reading month by month; arguments and errors are those of `load_shipments`."""
        return self._reader.open_scan("shipments", query)

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run a DuckDB query on the archive as of the last update.

        Tables are `orders line_items shipments shipment_items actual_stock available_stock outcomes`, each with
        `account` and `month` (UTC) as first columns. The query can't access files or the network.

        Args:
            query: One SELECT, such as `SELECT month, sum(grand_total) FROM orders GROUP BY month`.
            parameters: Values for `?` or `$name` in the query.

        Raises:
            InvalidRequestError: DuckDB refuses the query; the message quotes the reason.
        """
        return run_sql(self._tables, self._reader.read_states(), query, parameters)

    def forget(self, *, before: Day) -> pd.DataFrame:
        """Remove all months before that of a day, from the archive and from all its earlier versions.

        Their files are deleted. `as_of` still works for later months; no later update reads forgotten months again, unless
        its `start` includes them.

        Args:
            before: A day in the first month to keep.

        Returns:
            What was removed: `account table month rows`.
        """
        month = to_month(parse_day(before, "before", ZoneInfo(self.time_zone)))
        with self._open_for_writing() as (tables, log):
            accounts = sorted(self._reader.read_format().accounts)
            for state in self._reader.read_states():  # what an unfinished update wrote must not become visible
                MonthWriter(tables, log, state.account, new_update_id(), state, self.clock.now).restore()
            return forget_months(tables, log, accounts, month, self.clock.now())

    def __repr__(self) -> str:
        facts = self._describe()
        return f"<Archive {', '.join(f'{name}: {value}' for name, value in facts.items())}>"

    def _repr_html_(self) -> str:
        return render_note("Archive", self._describe())

    def _describe(self) -> dict[str, str]:
        states = self._reader.read_states()
        newest = max((state.at for state in states if state.at), default=None)
        return {
            "folder": str(self.folder),
            "accounts": list_names([state.account for state in states]),
            "personal data": self._reader.read_format().personal,
            "last update": f"{newest:%Y-%m-%d %H:%M} UTC" if newest else "none yet",
        }

    @contextmanager
    def _open_for_writing(self) -> Iterator[tuple[DeltaTables, UpdateLog]]:
        """Let one process at a time change the archive; one that was taken over can't write any more."""
        with self._tables.location.lock(self.clock) as lease:
            tables = DeltaTables(self.folder, lease, is_writer=True)
            log = UpdateLog(tables)
            if lease is not None:
                lease.count_from(tables.open(UPDATES))
            if lease is not None and lease.is_takeover:
                for table in TABLES.values():
                    tables.create_table(table)
                log.create()
                for name in (UPDATES, SUMMARY, *TABLES):
                    tables.fence(name)
            yield tables, log
