"""The file of a hand-over: made in memory, put in its place whole, and never over another file."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.dates import parse_time_zone
from cenports_nb.frames.export import check_path, export, write_csv

SUFFIXES = (".csv", ".xlsx")
SHEET = "hand-over"


def check_target(path: str | Path) -> Path:
    """Check where a hand-over is to be written, before anything is asked for it; the folder is made absolute.

    Raises:
        InvalidRequestError: Another ending than .csv or .xlsx, or no such folder.
    """
    target = Path(path)
    if target.suffix.lower() not in SUFFIXES:
        raise InvalidRequestError(
            f"{target.name!r} has no ending that a hand-over can have: use {' or '.join(SUFFIXES)}."
        )
    return check_path(Path(os.path.abspath(target)))  # noqa: PTH100 - links stay what they are


def refuse_taken(target: Path) -> None:
    """Refuse a path with a file in it: it may be another hand-over.

    Raises:
        InvalidRequestError: There is a file.
    """
    if os.path.lexists(target):
        raise InvalidRequestError(
            f"{target.name} is there already and may be another hand-over: choose another name, or move it away. "
            "Nothing was done."
        )


def render_file(table: pd.DataFrame, suffix: str, time_zone: str, exact: Collection[str] = ()) -> bytes:
    """Write a table as the bytes of a .csv or .xlsx file; no text of a customer can start a formula.

    Args:
        table: The table.
        suffix: Of the file.
        time_zone: The zone of instants.
        exact: Headers of identifiers, which a scanner compares byte by byte.
    """
    with tempfile.TemporaryDirectory(prefix="cenports-nb-") as folder:  # which only this user can look into
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
    """Tell whether a file is as it was written; None where there is none.

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
    """A file that is whole on the disk beside its place, and not yet in it."""

    def __init__(self, target: Path, name: str) -> None:
        self.target = target
        self._path = target.with_name(f".{target.name}.{name}.part")

    @classmethod
    def write(cls, target: Path, content: bytes, name: str) -> Draft:
        """Write one.

        Args:
            target: Its place.
            content: Its bytes.
            name: What it belongs to; a draft of that name is written over.

        Raises:
            InvalidRequestError: The folder can't be written to; nothing is there.
        """
        draft = cls(target, name)
        try:
            draft._path.unlink(missing_ok=True)
            # A warehouse reads it, so who may is left to the folder and the user's umask.
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
        """Tell whether it is whole on the disk and never had another name: nobody can have seen it."""
        try:
            return self._path.stat().st_nlink == 1 and hash_content(self._path.read_bytes()) == digest
        except OSError:
            return False

    def publish(self) -> None:
        """Put it in its place at once, unless there is a file.

        Raises:
            InvalidRequestError: There is one by now, or the folder can't be written to.
        """
        try:
            try:
                os.link(self._path, self.target)  # which fails where a file is, whoever was quicker
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
        """Delete it."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)


def delete_drafts(folder: Path, name: str) -> None:
    """Delete the drafts that a killed process left; they never were in their place."""
    with contextlib.suppress(OSError):
        for path in folder.glob(f".*.{name}.part"):
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make the name of a new file survive a power cut, where a folder can be synced."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
