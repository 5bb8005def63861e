"""Where an archive is: a folder, or a prefix of a bucket that speaks S3."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyarrow import fs

from cenports_nb.api.http.rate_limit import Clock
from cenports_nb.archive.storage.errors import clear_errors, import_deltalake
from cenports_nb.archive.storage.lease import LOCK_SECONDS, Lease, hold_lease
from cenports_nb.errors import ArchiveError, InvalidRequestError
from cenports_nb.frames.choices import parse_path
from cenports_nb.private_files import write_private_file

LOCK_NAME = ".update.lock"
PRIVATE_FOLDER = 0o700
BUCKET_URL = re.compile(r"s3://[a-z0-9][a-z0-9.-]+[a-z0-9](/(?!\.)[\w.=-]+)*", re.ASCII)
SCHEME = re.compile(r"[A-Za-z][\w+.-]+:/")
STORE_OPTIONS = {"connect_timeout": "5s", "timeout": "60s", "max_retries": "4", "retry_timeout": "60s"}
"""How long a request to the store may take. Keys are never options: options would be sent to workers."""
DELETIONS_AT_ONCE = 8

IsWanted = Callable[[str], bool]


@dataclass(frozen=True)
class Folder:
    """An archive in a folder, which only its owner can access."""

    path: Path
    options: None = None

    def __str__(self) -> str:
        return str(self.path)

    @property
    def public(self) -> Path:
        """What users see as the archive's folder."""
        return self.path

    def join(self, name: str) -> str:
        """Return the path of a table."""
        return str(self.path / name)

    def create(self) -> None:
        """Create the folder.

        Raises:
            ArchiveError: It can't be created.
        """
        try:
            self.path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
            self.path.chmod(PRIVATE_FOLDER)
        except OSError as error:
            raise ArchiveError(f"{self.path} can't be made ({error.strerror}): choose another folder.") from None

    def is_empty(self, ignore: str) -> bool:
        """Return whether there is nothing but files whose name begins with a text."""
        return not self.path.is_dir() or all(path.name.startswith(ignore) for path in self.path.iterdir())

    def read_file(self, name: str) -> bytes | None:
        """Read a file; None if it is missing.

        Raises:
            ArchiveError: It can't be read.
        """
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ArchiveError(f"{self.path / name} can't be read ({error.strerror}).") from None

    def write_file(self, name: str, content: bytes) -> None:
        """Write a file atomically.

        Raises:
            ArchiveError: It can't be written.
        """
        try:
            write_private_file(self.path / name, content)
        except OSError as error:
            raise ArchiveError(f"{self} can't be written ({error.strerror}): make room, or check its owner.") from None

    def delete_partitions(self, tables: Sequence[str], is_wanted: IsWanted, _: Lease | None) -> None:
        """Delete the files of partitions, by the name of their folder, such as `month=2026-11`."""
        with clear_errors(self):
            for path in [path for table in tables for path in (self.path / table).glob("account=*/month=*")]:
                if is_wanted(path.name):
                    shutil.rmtree(path)

    @contextlib.contextmanager
    def lock(self, _: Clock) -> Iterator[None]:
        """Let one process at a time change the archive; the lock is released when its process dies.

        Raises:
            ArchiveError: Another process holds it for too long.
        """
        import filelock  # noqa: PLC0415 - reading needs none

        with private_umask():
            lock = filelock.FileLock(self.path / LOCK_NAME, timeout=LOCK_SECONDS, mode=0o600)
        try:
            lock.acquire(poll_interval=0.1)
        except filelock.Timeout:
            raise ArchiveError(
                f"Another process has been changing {self} for more than {LOCK_SECONDS / 60:.0f} minutes: "
                "wait until it ends. Nothing was changed."
            ) from None
        except OSError as error:
            raise ArchiveError(f"{self} can't be locked ({error.strerror}): check its owner and mode.") from None
        try:
            yield
        finally:
            lock.release()


@dataclass(frozen=True)
class Bucket:
    """An archive under a prefix of a bucket; keys, region and end point come from the environment."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def public(self) -> str:
        """What users see as the archive's folder."""
        return self.url

    @property
    def options(self) -> dict[str, str]:
        """Options of each table."""
        return dict(STORE_OPTIONS)

    def join(self, name: str) -> str:
        """Return the address of a table."""
        return f"{self.url}/{name}"

    def create(self) -> None:
        """Do nothing: a prefix exists with its first object."""

    def is_empty(self, ignore: str) -> bool:
        """Return whether there is nothing but objects whose name begins with a text.

        Raises:
            ArchiveError, ConfigurationError: The bucket can't be read.
        """
        return all(name.startswith(ignore) for name in self._list_names())

    def read_file(self, name: str) -> bytes | None:
        """Read an object; None if it is missing.

        Raises:
            ArchiveError, ConfigurationError: It can't be read.
        """
        if name not in self._list_names():  # unlike a refused reading, a refused list says why
            return None
        with clear_errors(self):
            content: bytes = self._open_files().open_input_file(name).read()
        return content

    def write_file(self, name: str, content: bytes) -> None:
        """Write an object, which replaces an older one as a whole.

        Raises:
            ArchiveError, ConfigurationError: It can't be written.
        """
        with clear_errors(self, writing=True):
            # The handler's public stream hands pyarrow's buffers on, which it doesn't take itself (deltalake 1.6).
            stream = self._open_handler()._handler.open_output_stream(name, None)
            stream.write(content)
            stream.close()

    def delete_partitions(self, tables: Sequence[str], is_wanted: IsWanted, lease: Lease | None) -> None:
        """Delete the objects of partitions, by the name of their folder, such as `month=2026-11`.

        The lease is confirmed after they are listed, so objects of a process that took over are never among them.
        """
        files = self._open_files()
        with clear_errors(self, writing=True):
            selectors = [fs.FileSelector(table, recursive=True, allow_not_found=True) for table in tables]
            found = [each.path for selector in selectors for each in files.get_file_info(selector) if each.is_file]
            gone = [path for path in found if any(is_wanted(folder) for folder in path.split("/")[:-1])]
            if gone and lease is not None:
                lease.confirm()
            with ThreadPoolExecutor(DELETIONS_AT_ONCE) as pool:
                list(pool.map(files.delete_file, gone))

    def lock(self, clock: Clock) -> contextlib.AbstractContextManager[Lease]:
        """Let one process at a time change the archive.

        Raises:
            ArchiveError: Another process holds the lease for too long, or the bucket can't be written.
        """
        return hold_lease(self, clock)

    def _list_names(self) -> list[str]:
        with clear_errors(self):
            found = self._open_files().get_file_info(fs.FileSelector("", allow_not_found=True))
        return [str(each.base_name) for each in found]

    def _open_handler(self) -> Any:
        return import_deltalake().fs.DeltaStorageHandler(self.url, self.options)

    def _open_files(self) -> fs.FileSystem:
        return fs.PyFileSystem(self._open_handler())


Location = Folder | Bucket


def find_location(path: str | Path) -> Location:
    """Return where an archive is.

    Raises:
        InvalidRequestError: The address isn't that of a folder or a bucket.
    """
    text = str(path if isinstance(path, str) else parse_path("path", path))
    if not SCHEME.match(text):
        return Folder(Path(path).expanduser().absolute())
    address = text.rstrip("/")
    if not text.startswith("s3://") or not BUCKET_URL.fullmatch(address):
        scheme = text.partition(":")[0]
        raise InvalidRequestError(
            f"This {scheme}: address isn't that of an archive: write a folder, or s3://bucket/prefix as text, with "
            "letters, digits and - _ . = in its names. Keys come from the environment, never from the address."
        )
    return Bucket(address)


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """Make every file that is created here readable by its owner only; deltalake has no option for that."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
