"""The file that makes a folder an archive: its format, how personal data is stored, and its accounts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cenports_nb.archive.storage.location import find_location
from cenports_nb.errors import ArchiveError, ConfigurationError, InvalidRequestError
from cenports_nb.frames.choices import check_choice
from cenports_nb.frames.dates import parse_time_zone

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

FILE_NAME = "cenports-archive.json"
FORMAT = 1
PERSONAL_MODES = ("mask", "drop", "keep")


class ArchivedAccount(msgspec.Struct, frozen=True):
    """The account that a name stands for.

    Attributes:
        identity: The normalized address and the partner id.
    """

    identity: str
    environment: str
    partner_id: str


class ArchiveFormat(msgspec.Struct, frozen=True):
    """The content of the file."""

    format: int
    personal: str
    time_zone: str
    accounts: dict[str, ArchivedAccount] = {}


def open_folder(folder: Path | str, personal: str | None, time_zone: str | None) -> ArchiveFormat:
    """Read the format of an archive; a missing or empty folder, or prefix, becomes one.

    Raises:
        ArchiveError: The folder is something else, damaged, or has a newer version; or it can't be created.
        InvalidRequestError: It stores personal data in another way.
    """
    if personal is not None:
        check_choice("personal", personal, PERSONAL_MODES)
    if time_zone is not None:
        parse_time_zone(time_zone)
    found = read_format(folder)
    if found is not None:
        if personal not in (None, found.personal):
            raise InvalidRequestError(
                f"{folder} was made with personal={found.personal!r}, which can't be changed: open it without "
                f"personal=, or start another archive in an empty folder for {personal!r}."
            )
        return found
    zone = time_zone or os.environ.get("CENPORTS_TIME_ZONE") or "UTC"
    parse_time_zone(zone)
    made = ArchiveFormat(FORMAT, personal or "mask", zone)
    find_location(folder).create()
    write_format(folder, made)
    return made


def read_format(folder: Path | str) -> ArchiveFormat | None:
    """Read the file; None if the folder is missing or empty.

    Raises:
        ArchiveError: The folder is something else, damaged, or has a newer version.
    """
    location = find_location(folder)
    content = location.read_file(FILE_NAME)
    if content is None:
        if not location.is_empty(ignore=f".{FILE_NAME}"):
            raise ArchiveError(
                f"{folder} is not an archive and not empty: choose an empty folder, or the archive's own."
            )
        return None
    try:
        version = msgspec.json.decode(content, type=dict[str, msgspec.Raw])["format"]
        if msgspec.json.decode(version, type=int) > FORMAT:
            raise ArchiveError(
                f"{folder} was written by a newer version of cenports-nb (format {bytes(version).decode()}, this one "
                f"reads {FORMAT}): upgrade cenports-nb."
            )
        return msgspec.json.decode(content, type=ArchiveFormat)
    except (msgspec.MsgspecError, KeyError, UnicodeDecodeError):
        raise ArchiveError(
            f"{location.join(FILE_NAME)} is damaged: restore it from a backup of the archive; nothing was changed."
        ) from None


def write_format(folder: Path | str, written: ArchiveFormat) -> None:
    """Write the file atomically.

    Raises:
        ArchiveError: It can't be written.
    """
    find_location(folder).write_file(FILE_NAME, msgspec.json.format(msgspec.json.encode(written)))


def register_account(folder: Path | str, client: Client) -> str:
    """Return the name of a client's account, and record the account that it stands for.

    Raises:
        ConfigurationError: The name stands for another account.
    """
    settings, name = client.settings, client.settings.account_name
    own = ArchivedAccount(settings.account, settings.environment, settings.partner_id)
    found = read_format(folder)
    if found is None:
        raise ArchiveError(f"{folder} is no longer an archive: open it again.")
    known = found.accounts.get(name)
    if known is None:
        write_format(folder, msgspec.structs.replace(found, accounts={**found.accounts, name: own}))
    elif known.identity != own.identity:
        raise ConfigurationError(
            f"In {folder} the name {name!r} stands for {known.identity.replace('|', ', partner ')}, not for "
            f"{own.identity.replace('|', ', partner ')}: use another profile name or another archive. Nothing was changed."
        )
    return name
