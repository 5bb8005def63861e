"""The frames of a month as an archive had them on an earlier day, for a report to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cenports_nb.errors import ConfigurationError, InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.notebook.report_page.accounts import ReportAccounts

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.analysis.month import Month
    from cenports_nb.api.client import Client

LOADERS = {"orders": "load_orders", "line-items": "load_line_items"}


@dataclass(frozen=True)
class ArchivedInputs:
    """A month as it was archived; read like the inputs of an earlier run.

    Attributes:
        description: Where it is from and of when.
        frames: By the names of an earlier run's files.
        facts: What it is about.
    """

    description: str
    frames: Mapping[str, pd.DataFrame]
    facts: dict[str, Any] = field(default_factory=dict)

    def read(self, name: str) -> pd.DataFrame:
        """Return one of its frames."""
        return self.frames[name]


def read_archived_inputs(
    archive: str | Path,
    accounts: Client | ReportAccounts,
    month: Month,
    *,
    since: str,
    channel_id: str | Sequence[str] | None = None,
    exclude: Sequence[str] = (),
) -> ArchivedInputs:
    """Read a month as an archive had it at the beginning of a day.

    Args:
        archive: Its folder, or its address in a bucket.
        accounts: The account, or the accounts from `connect_accounts`, with `account` in front.
        month: The month.
        since: The day, in the client's time zone.
        channel_id: Only these sales channels.
        exclude: The statuses that don't count, which are counted alike on both sides.

    Raises:
        ConfigurationError: There is no archive in it.
        InvalidRequestError: `since` is missing, or nothing was archived by then.
        IncompleteError: The month was not archived to its end by then.
    """
    from cenports_nb.archive.archive import open_archive  # noqa: PLC0415 - an extra
    from cenports_nb.archive.storage.format import read_format  # noqa: PLC0415

    if not since:
        raise InvalidRequestError('archive= needs since=, the day to compare with, such as since="2026-11-05".')
    if read_format(archive) is None:
        raise ConfigurationError(f"There is no archive in {archive}: `cenports-nb archive update` makes one.")
    several = isinstance(accounts, ReportAccounts) and accounts.several
    clients = accounts.loaded if isinstance(accounts, ReportAccounts) else [accounts]
    names = [client.settings.account_name for client in clients]
    opened = open_archive(archive, time_zone=clients[0].settings.time_zone)
    frames = {
        name: getattr(opened, loader)(month.start, month.end, as_of=since, accounts=names, channel_id=channel_id)
        for name, loader in LOADERS.items()
    }
    if not several:
        frames = {name: frame.drop(columns=ACCOUNT) for name, frame in frames.items()}
    return ArchivedInputs(f"the archive as of {since}", frames, {"exclude": list(exclude)})
