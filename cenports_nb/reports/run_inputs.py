"""The frames of a month to compare with: those of an earlier run, stored beside it, or what an archive had on a day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cenports_nb.errors import ConfigurationError, InvalidRequestError
from cenports_nb.frames.account_column import ACCOUNT
from cenports_nb.frames.privacy.masking import mask_pii
from cenports_nb.frames.privacy.personal_columns import personal_kind
from cenports_nb.notebook.report_page.accounts import ReportAccounts
from cenports_nb.notebook.report_page.attachments import PARTIAL_PREFIX, ReportFiles
from cenports_nb.reports.run_folder import RUN_NAME_PATTERN, STOPPED_SUFFIX

if TYPE_CHECKING:
    from cenports_nb.analysis.month import Month
    from cenports_nb.api.client import Client

FACTS_FILE = "frozen.json"
LOADERS = {"orders": "load_orders", "line-items": "load_line_items"}
"""Frames of an archive, by the names of an earlier run's files."""


@dataclass(frozen=True)
class FrozenInputs:
    """The inputs of an earlier run.

    Attributes:
        run: When it began; the name of its folder.
        facts: What the run covered.
        folder: The folder of the frames.
    """

    run: str
    facts: dict[str, Any]
    folder: Path

    @property
    def description(self) -> str:
        """Which run it was."""
        return f"the run of {self.run}"

    def read(self, name: str) -> pd.DataFrame:
        """Read one of its frames.

        Raises:
            InvalidRequestError: The file can't be read.
        """
        path = self.folder / f"{name}.parquet"
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise InvalidRequestError(
                f"{path} of the earlier run can't be read ({type(error).__name__}): move its folder away."
            ) from None


def freeze_inputs(files: ReportFiles, facts: Mapping[str, Any], frames: Mapping[str, pd.DataFrame]) -> None:
    """Write frames as Parquet files beside a run, without personal columns, and the facts about the run.

    Args:
        files: The files of the run.
        facts: Plain values that say what the run covers; runs with equal facts can be compared.
        frames: File names, without suffix, to frames. Personal columns are left out.

    Raises:
        InvalidRequestError: A file can't be written.
    """
    if files.folder is None:
        return
    for name, frame in frames.items():
        impersonal = [column for column in frame.columns if not personal_kind(str(column))]
        files.write(f"{name}.parquet", mask_pii(frame)[impersonal])  # rejected records hold people too
    # The facts are written last, so that a folder with them has all of its frames.
    text = json.dumps(dict(facts), indent=2, default=str, sort_keys=True)
    partial = files.folder / f"{PARTIAL_PREFIX}{FACTS_FILE}"
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(files.folder / FACTS_FILE)


def find_earlier_run(files: ReportFiles, facts: Mapping[str, Any]) -> FrozenInputs | None:
    """Find the latest earlier run with the same facts; None if there is none.

    Args:
        files: The files of the current run.
        facts: The facts to match; other facts of the earlier run may differ.
    """
    if files.folder is None or not files.folder.parent.is_dir():
        return None
    wanted = json.loads(json.dumps(dict(facts), default=str))
    for folder in sorted(files.folder.parent.iterdir(), key=_run_order, reverse=True):
        if (
            not RUN_NAME_PATTERN.fullmatch(folder.name)
            or folder.name.endswith(STOPPED_SUFFIX)
            or folder == files.folder
        ):
            continue
        try:
            found = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and {name: found.get(name) for name in wanted} == wanted:
            return FrozenInputs(folder.name, found, folder)
    return None


def _run_order(folder: Path) -> tuple[str, int]:
    """Sort key of runs: their time, then the number within a second."""
    stamp, _, number = folder.name.partition("Z-")
    return stamp.removesuffix("Z"), int(number) if number.isdecimal() else 1


@dataclass(frozen=True)
class ArchivedInputs:
    """A month as it was archived; read like the inputs of an earlier run, by the names of its files."""

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
        exclude: The statuses that don't count, which are excluded on both sides.

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
