"""Atomically written files, and files that only their owner can ever read, whatever the umask."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

OWNER_ONLY = 0o600


def create_private_file(path: Path) -> None:
    """Create a file that only its owner can read, if it is missing; restrict one that others can read."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, OWNER_ONLY))
    except FileExistsError:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            with contextlib.suppress(OSError):  # another user's file
                path.chmod(OWNER_ONLY)


@contextlib.contextmanager
def replace_file(path: Path, *, private: bool = True) -> Iterator[Path]:
    """Replace a file atomically: yields an empty file beside it for the caller to write.

    Raises:
        OSError: It can't be written; the old file is unchanged.
    """
    if private:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=f".part{path.suffix}", dir=path.parent)
        os.close(handle)  # created with mode 0600, under a name that cannot have been a link
        partial = Path(name)
    else:
        partial = path.with_name(f".{path.name}.{os.getpid()}.part{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_private_file(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        OSError: It can't be written; the old file is unchanged.
    """
    with replace_file(path) as partial:
        partial.write_bytes(content)
