"""The lease of an archive in a bucket: one process at a time changes it, and a stopped one is superseded.

The lease is a Delta table without rows. Each commit takes, renews or releases it, and succeeds only on the version that
its process has seen, because a store accepts each version once. No clock is compared: a lease that is not renewed while
another process watches it for `LEASE_SECONDS` has expired. Its number goes to each table after a takeover, as a fence.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow as arrow

from cenports_nb.api.http.rate_limit import Clock
from cenports_nb.archive.storage.errors import clear_errors, import_deltalake
from cenports_nb.errors import ArchiveError

if TYPE_CHECKING:
    from deltalake import DeltaTable

LEASE_TABLE = "_lease"
LEASE_SECONDS, RENEWAL_SECONDS, POLL_SECONDS = 60.0, 15.0, 5.0
LOCK_SECONDS = 600.0
"""Maximum wait for another update of the same archive."""
FENCE = "cenports-nb"
"""The application whose transaction number each table has: that of the latest lease that was taken over."""
HOLDER = "holder"
CONFIGURATION = {"delta.logRetentionDuration": "interval 1 days", "delta.checkpointInterval": "20"}


class TableLocation(Protocol):
    """The archive that a lease belongs to: where its tables are."""

    @property
    def options(self) -> dict[str, str]:
        """Options of the table."""

    def join(self, name: str) -> str:
        """Return the address of a table."""


@dataclass
class Lease:
    """The right to change an archive.

    Attributes:
        number: The version of the lease's table when this process took it, and the last fence; later holders have
            higher ones, even if somebody deletes the lease's table.
        is_takeover: Whether the previous holder did not release it, so that it may still be writing.
    """

    location: TableLocation
    holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    number: int = 0
    is_takeover: bool = False
    _is_ended: threading.Event = field(default_factory=threading.Event)

    def check(self, table: DeltaTable) -> None:
        """Refuse to write on a version of a table that is fenced against this lease.

        Raises:
            ArchiveError: Another process took over.
        """
        fence = table.transaction_version(FENCE)
        if fence is not None and fence > self.number:
            self._refuse()

    def count_from(self, table: DeltaTable | None) -> None:
        """Raise the number above the fence of a table, the first one that each takeover writes."""
        self.number += (table.transaction_version(FENCE) or 0) if table is not None else 0

    def confirm(self) -> None:
        """Ask the store whether this process still holds the lease.

        Raises:
            ArchiveError: Another process took over.
        """
        if _read_holder(_open(self.location)) != self.holder:
            self._refuse()

    def try_take(self, table: DeltaTable) -> bool:
        """Take the lease on the version that was seen; False if another process was faster."""
        self.number = int(table.version()) + 1
        return self._commit(table, self.holder)

    def renew_until_ended(self) -> None:
        """Renew the lease from time to time; what fails is tried again, and a lease that was lost is left alone."""
        deltalake = import_deltalake()
        while not self._is_ended.wait(RENEWAL_SECONDS):
            with contextlib.suppress(deltalake.exceptions.DeltaError, OSError):
                table = _open(self.location)
                if _read_holder(table) != self.holder:
                    return
                self._commit(table, self.holder)

    def release(self) -> None:
        """Release the lease; if the store can't be reached, it expires."""
        self._is_ended.set()
        with contextlib.suppress(import_deltalake().exceptions.DeltaError, OSError):
            while _read_holder(table := _open(self.location)) == self.holder:
                self._commit(table, "")

    def _commit(self, table: DeltaTable, holder: str) -> bool:
        deltalake = import_deltalake()
        properties = deltalake.CommitProperties(custom_metadata={HOLDER: holder}, max_commit_retries=0)
        try:
            table.create_write_transaction([], "append", table.schema(), commit_properties=properties)
        except deltalake.exceptions.CommitFailedError:
            # The answer to a commit that succeeded may be lost; its repetition by the client is then refused.
            return bool(holder) and _read_holder(_open(self.location)) == holder
        return True

    def _refuse(self) -> None:
        raise ArchiveError(
            f"Another process has taken over {self.location}, because this one did not respond for {LEASE_SECONDS:.0f} "
            "seconds: what it had not finished is not visible. Run the update again."
        )


@contextlib.contextmanager
def hold_lease(location: TableLocation, clock: Clock) -> Iterator[Lease]:
    """Wait for the lease, hold it, and release it.

    Raises:
        ArchiveError: Another process holds it for more than ten minutes.
    """
    with clear_errors(location, writing=True):
        lease = _acquire(location, clock)
    thread = threading.Thread(target=lease.renew_until_ended, name="archive-lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.release()
        thread.join()


def _acquire(location: TableLocation, clock: Clock) -> Lease:
    lease, start = Lease(location), clock.monotonic()
    seen, since = -1, start
    while True:
        table = _open(location)
        if table.version() != seen:
            seen, since = table.version(), clock.monotonic()
        lease.is_takeover = bool(_read_holder(table))
        if (not lease.is_takeover or clock.monotonic() - since >= LEASE_SECONDS) and lease.try_take(table):
            return lease
        if clock.monotonic() - start >= LOCK_SECONDS:
            raise ArchiveError(
                f"Another process has been changing {location} for more than {LOCK_SECONDS / 60:.0f} minutes: "
                "wait until it ends. Nothing was changed."
            )
        clock.sleep(POLL_SECONDS)


def _open(location: TableLocation) -> DeltaTable:
    """Open the latest version of the lease's table, which is created if it is missing."""
    deltalake = import_deltalake()
    path, options = location.join(LEASE_TABLE), location.options
    try:
        return deltalake.DeltaTable(path, storage_options=options)
    except deltalake.exceptions.TableNotFoundError:
        schema = arrow.schema([("unused", arrow.int64())])
        deltalake.DeltaTable.create(path, schema, mode="ignore", configuration=CONFIGURATION, storage_options=options)
        return deltalake.DeltaTable(path, storage_options=options)


def _read_holder(table: DeltaTable) -> str:
    """Read who held the lease in a version of its table; empty if it was free."""
    found: Any = table.history(1)[-1]  # newer commits, if there are any by now, come first
    return str(found.get(HOLDER, ""))
