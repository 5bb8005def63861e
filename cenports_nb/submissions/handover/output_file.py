"""The file of a hand-over: rendered in memory, published atomically, and never over another file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.choices import parse_path
from cenports_nb.frames.dates import parse_time_zone
from cenports_nb.frames.export.files import check_path, export, write_csv

SUFFIXES = (".csv", ".xlsx")
SHEET = "hand-over"


def check_target(path: str | Path) -> Path:
    """Check the path of a hand-over before any request; the folder is made absolute.

    Raises:
        InvalidRequestError: The suffix isn't .csv or .xlsx, or the folder is missing.
    """
    target = parse_path("path", path)
    if target.suffix.lower() not in SUFFIXES:
        raise InvalidRequestError(
            f"{target.name!r} has no ending that a hand-over can have: use {' or '.join(SUFFIXES)}."
        )
    return check_path(Path(os.path.abspath(target)))  # noqa: PTH100 - links stay what they are


def refuse_taken(target: Path) -> None:
    """Refuse an existing file, which may be another hand-over.

    Raises:
        InvalidRequestError: There is a file.
    """
    if os.path.lexists(target):
        raise InvalidRequestError(
            f"{target.name} is there already and may be another hand-over: choose another name, or move it away. "
            "Nothing was done."
        )


def render_file(table: pd.DataFrame, suffix: str, time_zone: str, exact: Collection[str] = ()) -> bytes:
    """Render a table as the bytes of a .csv or .xlsx file; no text of a customer can start a formula.

    `exact` names the headers of identifiers, which a scanner compares byte by byte.
    """
    with tempfile.TemporaryDirectory(prefix="cenports-nb-") as folder:  # readable by this user only
        path = Path(folder) / f"{SHEET}{suffix.lower()}"
        if path.suffix == ".csv":
            write_csv(table, path, parse_time_zone(time_zone), exact)
        else:
            export(table, path, time_zone=time_zone)
        return path.read_bytes()


def hash_content(content: bytes) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(content).hexdigest()


def is_intact(target: Path, digest: str) -> bool | None:
    """Return whether a file is unchanged; None if there is none.

    Raises:
        InvalidRequestError: It can't be read.
    """
    try:
        return hash_content(target.read_bytes()) == digest
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidRequestError(
            f"{target} can't be read ({error.strerror}): make it readable, and try again."
        ) from None


class Draft:
    """A complete file on disk, under a hidden name beside its target."""

    def __init__(self, target: Path, name: str) -> None:
        self.target = target
        self._path = target.with_name(f".{target.name}.{name}.part")

    @classmethod
    def write(cls, target: Path, content: bytes, name: str) -> Draft:
        """Write a draft; an existing one of that name is replaced.

        Raises:
            InvalidRequestError: The folder can't be written to; nothing was written.
        """
        draft = cls(target, name)
        try:
            draft._path.unlink(missing_ok=True)
            # A warehouse reads it, so the folder and the user's umask decide who can.
            with draft._path.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            draft.discard()
            raise InvalidRequestError(
                f"{target} can't be written ({error.strerror or error}): choose another place. Nothing was done."
            ) from None
        return draft

    def was_never_published(self, digest: str) -> bool:
        """Return whether it is complete on disk and never had another name, so that nobody can have seen it."""
        try:
            return self._path.stat().st_nlink == 1 and hash_content(self._path.read_bytes()) == digest
        except OSError:
            return False

    def publish(self) -> None:
        """Give it its name atomically, unless there is a file.

        Raises:
            InvalidRequestError: There is a file by now, or the folder can't be written to.
        """
        try:
            try:
                os.link(self._path, self.target)  # fails if a file exists, even one that was just created
            except FileExistsError:
                raise
            except OSError:  # a file system without links
                refuse_taken(self.target)
                self._path.rename(self.target)
        except FileExistsError:
            refuse_taken(self.target)
        except OSError as error:
            raise InvalidRequestError(
                f"{self.target} can't be written ({error.strerror or error}): make room for it, and try again."
            ) from None
        finally:
            self.discard()
        _sync_folder(self.target.parent)

    def discard(self) -> None:
        """Delete the draft."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def delete_drafts(folder: Path, name: str) -> None:
    """Delete the drafts of killed processes, which never had their final names."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f".*.{name}.part"):
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a new file's name survive a power failure, where a folder can be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
