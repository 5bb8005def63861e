"""`open_archive` and the archive: what is public of it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from cenports_nb.api.client import Client
from cenports_nb.archive.coverage import MissingMonth, build_missing_frame, find_gaps, find_missing_months, list_span_months
from cenports_nb.archive.delta_tables import DeltaTables, import_deltalake, private_umask
from cenports_nb.archive.forget import finish_forgetting, forget_months
from cenports_nb.archive.format import ArchiveFormat, name_account, open_folder, read_format, register_account
from cenports_nb.archive.month_writer import MonthWriter
from cenports_nb.archive.scans import AccountSlice, Scan
from cenports_nb.archive.schedule import to_month
from cenports_nb.archive.sources import TABLE_SOURCES
from cenports_nb.archive.sql import run_sql
from cenports_nb.archive.tables import REJECTS, TABLES
from cenports_nb.archive.update import UpdateOptions, new_update_id, update_account
from cenports_nb.archive.updates import AccountState, UpdateLog, fold
from cenports_nb.errors import (
    ArchiveError,
    CenportsError,
    IncompleteError,
    IncompleteWarning,
    InvalidRequestError,
)
from cenports_nb.frames.choices import suggest_choice
from cenports_nb.frames.dates import Day, parse_day, parse_range, parse_time_zone
from cenports_nb.frames.loaders.query import parse_names
from cenports_nb.rendering.note import render_note

LOCK_NAME = ".update.lock"
LOCK_SECONDS = 600.0
"""How long an update waits for another one of the same archive."""
Instant = str | datetime | pd.Timestamp


def open_archive(
    path: str | Path = "archive", *, personal: str | None = None, time_zone: str | None = None
) -> Archive:
    """Open an archive of orders, shipments and stock; an empty or missing folder becomes one.

    Args:
        path: Its folder. The folder is its owner's alone.
        personal: How personal data is stored, fixed when the archive is made: `"mask"` (the default) for pseudonyms,
            `"drop"` for nulls, `"keep"` for what the API sends.
        time_zone: The zone in which days are meant; by default the one that the archive was made with, which is
            `CENPORTS_TIME_ZONE`, else UTC.

    Raises:
        ConfigurationError: The extra is not installed.
        ArchiveError: The folder is something else, damaged, or of a newer version.
        InvalidRequestError: The archive stores personal data in another way.

    Examples:
        >>> archive = cn.open_archive("archive")                          # doctest: +SKIP
        >>> archive.update(cn.connect("production"))                      # doctest: +SKIP
        >>> archive.load_line_items("2026-01-01", "2026-06-30")           # doctest: +SKIP
    """
    import_deltalake()
    if str(path).startswith("s3:"):
        raise InvalidRequestError(f"{str(path)!r} is not a folder of this machine: this version archives to folders alone.")
    folder = Path(path).expanduser().absolute()
    found = open_folder(folder, personal, time_zone)
    return Archive(folder, time_zone or found.time_zone)


class Archive:
    """The history of one or more accounts, in Delta tables; see `open_archive`."""

    def __init__(self, folder: Path, time_zone: str) -> None:
        parse_time_zone(time_zone)
        self.folder = folder
        self.time_zone = time_zone
        self._tables = DeltaTables(folder)
        self._log = UpdateLog(self._tables)

    def update(
        self, clients: Client | Sequence[Client], *, start: Day | None = None, progress: bool | None = None
    ) -> pd.DataFrame:
        """Read what may have changed, past the cache, and archive what did.

        Read are months with open lines and the two youngest; those of the last half year once a week, older ones once
        in four weeks. The first time it is everything since `start`. Stock is read once. Run it every night.

        Args:
            clients: One account or several.
            start: The oldest day to archive; its whole month is. By default as far back as the account goes, and
                later what is archived already. Months that were forgotten are only read again if this asks for them.
            progress: Show a bar; by default only when it takes more than two seconds.

        Returns:
            What changed, a row a table and month: `account table month rows added changed removed complete as_of`.
            `rows` is what the month has now; of stock what was added. A month that could not be read whole has
            `complete` False, and what was archived before stays.

        Raises:
            AuthenticationError, TransportError: Cenports can't be asked; an update that ends early goes on next time.
            ConfigurationError: The account's name stood for another account before.
            ArchiveError: The disk is full, the archive is damaged, or another update takes more than ten minutes.
            IncompleteError: Of several accounts some failed; `.partial` has what changed in the others.

        Warns:
            IncompleteWarning: Months that could not be read whole.
            RejectedRowsWarning: Records that can't be read; they are archived as rejects.
        """
        accounts = [clients] if isinstance(clients, Client) else list(clients)
        if not accounts or not all(isinstance(client, Client) for client in accounts):
            raise InvalidRequestError("update takes a client, or several of them, from connect.")
        zone = ZoneInfo(self.time_zone)
        month = None
        if start is not None:
            day = parse_day(start, "start", zone)
            month = list_span_months(day, day, zone)[0]
        options = UpdateOptions(self._read_format().personal, month, progress)
        done: list[pd.DataFrame] = []
        failed: list[tuple[str, CenportsError]] = []
        with self._lock():
            finish_forgetting(self._tables, self._log, accounts[0].clock.now())
            for client in accounts:
                try:
                    done.append(self._update_one(client, options))
                except CenportsError as error:
                    if len(accounts) == 1:
                        raise
                    failed.append((name_account(client), error))
        changed = pd.concat(done, ignore_index=True) if done else None
        if failed:
            raise IncompleteError(
                f"{len(failed)} of {len(accounts)} accounts could not be archived, the first: {failed[0][0]}: {failed[0][1]}",
                partial=changed,
                missing=_build_failed_frame(failed),
            )
        assert changed is not None  # noqa: S101 - no account failed
        return changed

    def contents(self) -> pd.DataFrame:
        """List what is archived: `account table month rows complete as_of bytes`, a row a table and month.

        `as_of` is when the month was read last, UTC; `complete` is False for months between others that could not be
        read yet. `bytes` is what the newest version takes on disk.
        """
        rows: list[tuple[Any, ...]] = []
        for state in self._states(None):
            for name, source in [(name, TABLE_SOURCES.get(name, "")) for name in TABLES]:
                measured = self._tables.measure(name, state.versions.get(name, -1))
                own = {month: sizes for (account, month), sizes in measured.items() if account == state.account}
                months = state.list_months(source) if source else sorted(own)
                for month in months:
                    count, size = own.get(month, (0, 0))
                    reading = state.readings.get((source, month))
                    rows.append((state.account, name, month, count, True, reading.at if reading else state.at, size))
        columns = ("account", "table", "month", "rows", "complete", "as_of", "bytes")
        dtypes = ("str", "str", "str", "int64", "bool", "datetime64[us, UTC]", "int64")
        values = list(zip(*rows, strict=True)) or [()] * len(columns)
        return pd.DataFrame(
            {
                name: pd.Series(list(column), dtype=dtype)
                for name, dtype, column in zip(columns, dtypes, values, strict=True)
            }
        )

    def load_orders(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Load orders from the archive, one row each.

        Args:
            start: First day, in the archive's time zone; everything that is archived without days.
            end: Last day, included.
            last: A span that ends on the day of the last update, such as `"30D"`.
            accounts: Names of accounts; all by default.
            channel_id: One sales channel or several.
            columns: Only these, in this order.
            as_of: An instant, or a day, which means its beginning: the archive as it was after the last update
                before it.
            allow_partial: Return what is archived, with a warning, instead of raising IncompleteError.

        Returns:
            `account`, then the columns of `schemas.Orders`, ordered as `cn.load_orders` does.

        Raises:
            IncompleteError: Days are not archived, or were forgotten.
            InvalidRequestError: A bad day, account or column; or nothing was archived by `as_of`.
        """
        return self._scan("orders", start, end, last, accounts, channel_id, columns, as_of, allow_partial).load()

    def load_line_items(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Load order lines from the archive, one row each; arguments and errors are those of `load_orders`."""
        return self._scan("line_items", start, end, last, accounts, channel_id, columns, as_of, allow_partial).load()

    def load_shipments(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Load shipments from the archive: those of all months that the days touch.

        Which date the API filters by is not documented, so shipments are archived by the month that was asked for,
        and nothing is cut. Arguments and errors are those of `load_orders`.
        """
        return self._scan("shipments", start, end, last, accounts, channel_id, columns, as_of, allow_partial).load()

    def load_shipment_items(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> pd.DataFrame:  # fmt: skip
        """Load what was in the shipments, as `load_shipments` loads them."""
        return self._scan(
            "shipment_items", start, end, last, accounts, channel_id, columns, as_of, allow_partial
        ).load()

    def load_actual_stock(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, columns: Sequence[str] | None = None,
        as_of: Instant | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Load every reading of actual stock of some days; without days the last one.

        Returns:
            `account read_at`, then the columns of `schemas.ActualStock`.

        Raises:
            IncompleteError: The days begin before the first reading, or end after the last one.
        """
        return self._load_stock("actual_stock", start, end, last, accounts, None, columns, as_of)

    def load_available_stock(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """Load every reading of available stock of some days; without days the last one."""
        return self._load_stock("available_stock", start, end, last, accounts, channel_id, columns, as_of)

    def load_outcomes(self, *, accounts: str | Sequence[str] | None = None, as_of: Instant | None = None) -> pd.DataFrame:
        """Load what became of the accounts' own updates of stock: `account`, then the columns of `schemas.Outcomes`."""
        states = self._choose_states(accounts, as_of)
        return Scan(
            self.folder, "outcomes", tuple(self._slice_all(state, "outcomes") for state in states), None, self.time_zone
        ).load()

    def scan_orders(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> Scan:  # fmt: skip
        """Open orders to be read month by month; arguments and errors are those of `load_orders`."""
        return self._scan("orders", start, end, last, accounts, channel_id, columns, as_of, allow_partial)

    def scan_line_items(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> Scan:  # fmt: skip
        """Open order lines to be read month by month; arguments and errors are those of `load_orders`."""
        return self._scan("line_items", start, end, last, accounts, channel_id, columns, as_of, allow_partial)

    def scan_shipments(
        self, start: Day | None = None, end: Day | None = None, *, last: str | None = None,
        accounts: str | Sequence[str] | None = None, channel_id: str | Sequence[str] | None = None,
        columns: Sequence[str] | None = None, as_of: Instant | None = None, allow_partial: bool = False,
    ) -> Scan:  # fmt: skip
        """Open shipments to be read month by month; arguments and errors are those of `load_shipments`."""
        return self._scan("shipments", start, end, last, accounts, channel_id, columns, as_of, allow_partial)

    def sql(self, query: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Run SQL of DuckDB over the archive as it is after the last update.

        Tables are `orders line_items shipments shipment_items actual_stock available_stock outcomes`, each with
        `account` and `month` (UTC) in front. The query can't touch files or the network.

        Args:
            query: One SELECT, such as `SELECT month, sum(grand_total) FROM orders GROUP BY month`.
            parameters: Values for `?` or `$name` in it.

        Raises:
            InvalidRequestError: DuckDB refuses it; the message quotes why.
        """
        return run_sql(self._tables, self._states(None), query, parameters)

    def forget(self, *, before: Day) -> pd.DataFrame:
        """Remove the months before that of a day, from the archive and from all its earlier versions.

        Their files are deleted. `as_of` still works for later months; no later update reads the forgotten ones
        again, unless its `start` asks for them.

        Args:
            before: A day; its month is the first that stays.

        Returns:
            What was removed: `account table month rows`.
        """
        month = to_month(parse_day(before, "before", ZoneInfo(self.time_zone)))
        with self._lock():
            accounts = sorted(self._read_format().accounts)
            return forget_months(self._tables, self._log, accounts, month, datetime.now(UTC))

    def __repr__(self) -> str:
        facts = self._describe()
        return f"<Archive {', '.join(f'{name}: {value}' for name, value in facts.items())}>"

    def _repr_html_(self) -> str:
        return render_note("Archive", self._describe())

    def _describe(self) -> dict[str, str]:
        states = self._states(None)
        newest = max((state.at for state in states if state.at), default=None)
        return {
            "folder": str(self.folder),
            "accounts": ", ".join(state.account for state in states) or "none",
            "personal data": self._read_format().personal,
            "last update": f"{newest:%Y-%m-%d %H:%M} UTC" if newest else "none yet",
        }

    def _update_one(self, client: Client, options: UpdateOptions) -> pd.DataFrame:
        account = register_account(self.folder, client)
        state = fold(self._log.read(), account, with_checkpoints=True)
        writer = MonthWriter(self._tables, self._log, account, new_update_id(), state)
        return update_account(client, writer, options)

    def _read_format(self) -> ArchiveFormat:
        found = read_format(self.folder)
        if found is None:
            raise ArchiveError(f"{self.folder} is no archive any more: open it again.")
        return found

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let one process at a time change the archive; the lock dies with its process."""
        import filelock  # noqa: PLC0415 - reading needs none

        with private_umask():
            lock = filelock.FileLock(self.folder / LOCK_NAME, timeout=LOCK_SECONDS, mode=0o600)
        try:
            lock.acquire(poll_interval=0.1)
        except filelock.Timeout:
            raise ArchiveError(
                f"Another process has been changing {self.folder} for more than {LOCK_SECONDS / 60:.0f} minutes: "
                "wait until it ends. Nothing was changed."
            ) from None
        except OSError as error:
            raise ArchiveError(f"{self.folder} can't be locked ({error.strerror}): check its owner and mode.") from None
        try:
            yield
        finally:
            lock.release()

    def _states(self, as_of: datetime | None) -> list[AccountState]:
        records = self._log.read()
        names = sorted({record.account for record in records})
        return [fold(records, name, as_of=as_of) for name in names]

    def _choose_states(self, accounts: str | Sequence[str] | None, as_of: Instant | None) -> list[AccountState]:
        moment = None if as_of is None else _parse_instant(as_of, ZoneInfo(self.time_zone))
        states = [state for state in self._states(moment) if state.at is not None]
        wanted = parse_names(accounts, "accounts")
        if wanted is not None:
            known = {state.account: state for state in states}
            unknown = [name for name in wanted if name not in known]
            if unknown:
                listed = ", ".join(known) or "none"
                raise InvalidRequestError(f"{self.folder} has no account {unknown[0]!r}: it has {listed}.")
            states = [known[name] for name in wanted]
        if not states:
            first = min((record.at for record in self._log.read()), default=None)
            if moment is not None and first is not None:
                raise InvalidRequestError(
                    f"Nothing was archived by {moment:%Y-%m-%d %H:%M} UTC: the first update was {first:%Y-%m-%d %H:%M} UTC."
                )
            raise InvalidRequestError(f"{self.folder} is empty: run archive.update(client) first.")
        return states

    def _scan(
        self, table: str, start: Day | None, end: Day | None, last: str | None, accounts: str | Sequence[str] | None,
        channel_id: str | Sequence[str] | None, columns: Sequence[str] | None, as_of: Instant | None,
        allow_partial: bool,
    ) -> Scan:  # fmt: skip
        source, zone = TABLE_SOURCES[table], ZoneInfo(self.time_zone)
        states = self._choose_states(accounts, as_of)
        days = parse_range(start, end, last, zone, _read_today(states, zone))
        missing: list[MissingMonth] = []
        for state in states:
            missing += find_missing_months(state, source, *days, zone) if days else find_gaps(state, source)
        months = list_span_months(*days, zone) if days else None
        slices = []
        for state in states:
            own = [month for month in state.list_months(source) if months is None or month in months]
            as_of_month = min((state.readings[source, month].at for month in own), default=None)
            slices.append(self._slice(state, table, own, as_of_month))
        scan = Scan(
            self.folder, table, tuple(slices), days, self.time_zone, parse_names(channel_id, "channel_id"),
            _check_columns(table, columns), complete=not missing,
        )  # fmt: skip
        if missing:
            text = f"{missing[0].month} of {missing[0].account} {missing[0].reason}"
            more = f", and {len(missing) - 1} more months" if len(missing) > 1 else ""
            if not allow_partial:
                raise IncompleteError(
                    f"{text}{more}: run archive.update, ask for other days, or pass allow_partial=True.",
                    partial=scan.load(),
                    missing=build_missing_frame(table, missing),
                )
            warnings.warn(f"{text}{more}: the frame lacks them.", IncompleteWarning, stacklevel=3)
        return scan

    def _load_stock(
        self, table: str, start: Day | None, end: Day | None, last: str | None, accounts: str | Sequence[str] | None,
        channel_id: str | Sequence[str] | None, columns: Sequence[str] | None, as_of: Instant | None,
    ) -> pd.DataFrame:  # fmt: skip
        zone = ZoneInfo(self.time_zone)
        states = self._choose_states(accounts, as_of)
        days = parse_range(start, end, last, zone, _read_today(states, zone))
        slices = [self._slice_all(state, table) for state in states]
        if days is None:
            slices = [_keep_months(each, each.months[-1:]) for each in slices]
        else:
            wanted = list_span_months(*days, zone)
            slices = [_keep_months(each, [month for month in each.months if month in wanted]) for each in slices]
        chosen = _check_columns(table, columns)
        scan = Scan(
            self.folder, table, tuple(slices), days, self.time_zone, parse_names(channel_id, "channel_id"),
            None if chosen is None else tuple(dict.fromkeys(("read_at", *chosen))),
        )  # fmt: skip
        frame = scan.load()
        if days is None:
            newest = frame.groupby("account")["read_at"].transform("max")
            return scan.describe(frame[frame["read_at"] == newest].reset_index(drop=True), scan.months)
        for state, each in zip(states, slices, strict=True):
            self._check_readings(table, state, each, days, frame)
        return frame

    def _check_readings(
        self, table: str, state: AccountState, each: AccountSlice, days: tuple[date, date], frame: pd.DataFrame
    ) -> None:
        """Refuse days before the first reading of stock, and after the last one."""
        zone = ZoneInfo(self.time_zone)
        whole = Scan(self.folder, table, (self._slice_all(state, table),), None, self.time_zone, columns=("read_at",))
        months = whole.months
        edges = [whole.read(month)["read_at"] for month in dict.fromkeys([*months[:1], *months[-1:]])]
        if edges:
            first, final = edges[0].min().astimezone(zone).date(), edges[-1].max().astimezone(zone).date()
            if first <= days[0] and days[1] <= final:
                return
            text = f"stock of {each.account} was read from {first} to {final}"
        else:
            text = f"stock of {each.account} was never read"
        raise IncompleteError(
            f"{text}, not all of {days[0]} to {days[1]}: ask for other days.",
            partial=frame,
            missing=build_missing_frame(table, [MissingMonth(each.account, to_month(days[0]), "was not read")]),
        )

    def _slice_all(self, state: AccountState, table: str) -> AccountSlice:
        """Choose every month of a table that has no readings of its own."""
        forgotten = max((before for _, before in state.forgotten), default="")
        version = state.versions.get(table, -1)
        found = sorted(month for name, month in self._tables.measure(table, version) if name == state.account)
        return self._slice(state, table, [month for month in found if month >= forgotten], state.at)

    def _slice(self, state: AccountState, table: str, months: Sequence[str], as_of: datetime | None) -> AccountSlice:
        known = self._read_format().accounts.get(state.account)
        return AccountSlice(
            state.account,
            known.environment if known else "",
            known.partner_id if known else "",
            state.versions.get(table, -1),
            state.versions.get(REJECTS.name, -1),
            tuple(months),
            as_of,
        )


def _keep_months(each: AccountSlice, months: Sequence[str]) -> AccountSlice:
    return replace(each, months=tuple(months))


def _read_today(states: Sequence[AccountState], zone: ZoneInfo) -> date:
    """Tell the day of the last update, on which a span such as 30D ends."""
    return max(state.at for state in states if state.at).astimezone(zone).date()


def _build_failed_frame(failed: Sequence[tuple[str, CenportsError]]) -> pd.DataFrame:
    """Build the frame of accounts that could not be archived: `source channel_id start end reason`."""
    return pd.DataFrame(
        {
            "source": pd.Series([name for name, _ in failed], dtype="str"),
            "channel_id": pd.Series([None] * len(failed), dtype="str"),
            "start": pd.Series([None] * len(failed), dtype="datetime64[us]"),
            "end": pd.Series([None] * len(failed), dtype="datetime64[us]"),
            "reason": pd.Series([str(error) for _, error in failed], dtype="str"),
        }
    )


def _check_columns(table: str, columns: Sequence[str] | None) -> tuple[str, ...] | None:
    if columns is None:
        return None
    names = [columns] if isinstance(columns, str) else list(columns)
    definition = TABLES[table]
    unknown = [name for name in names if name != "account" and name not in definition.dtypes]
    if unknown and not definition.is_open:
        near = suggest_choice(unknown, list(definition.dtypes))
        raise InvalidRequestError(f"columns has {unknown[0]!r}, which {table} does not have{near or '.'}")
    return tuple(names)


def _parse_instant(value: Instant, zone: ZoneInfo) -> datetime:
    """Read an instant; a day means its beginning in the zone."""
    try:
        moment = pd.Timestamp(value)
    except (ValueError, TypeError):
        moment = pd.NaT
    if pd.isna(moment):
        raise InvalidRequestError(f"as_of={value!r} is no instant: write it as '2026-10-01' or '2026-10-01T08:00Z'.")
    if moment.tzinfo is None:
        moment = moment.tz_localize(zone)
    found: datetime = moment.to_pydatetime(warn=False).astimezone(UTC)
    return found

