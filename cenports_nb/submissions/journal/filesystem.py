"""Detect network file systems: SQLite's write-ahead log is only safe on a local disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

NETWORK_FILESYSTEMS = frozenset({
    "nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "smbfs2", "afpfs", "webdav", "davfs", "davfs2",
    "fuse.davfs2", "fuse.sshfs", "sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.glusterfs", "glusterfs",
    "ceph", "fuse.ceph", "lustre", "gpfs", "beegfs", "afs", "ncpfs", "9p",
})  # fmt: skip
"""Names of file systems whose files another machine may open too."""


class Partition(Protocol):
    """A mounted file system, as psutil describes it."""

    mountpoint: str
    fstype: str
    opts: str


def _list_partitions() -> Iterable[Any]:
    import psutil  # noqa: PLC0415 - only a journal that is opened needs it

    try:
        return list(psutil.disk_partitions(all=True))
    except OSError:
        return ()


def find_network_filesystem(folder: Path, partitions: Iterable[Partition] | None = None) -> str | None:
    """Name the network file system of a folder; None for a local disk, or if it is unknown."""
    mounted = _list_partitions() if partitions is None else partitions
    place = folder.resolve()
    if str(place).startswith(("\\\\", "//")):
        return "a network share"
    holding = [one for one in mounted if place.is_relative_to(one.mountpoint)]
    if not holding:
        return None
    # Of two file systems mounted at one path, the later one is visible.
    nearest = max(enumerate(holding), key=lambda pair: (len(Path(pair[1].mountpoint).parts), pair[0]))[1]
    if "remote" in nearest.opts.split(","):
        return nearest.fstype or "a network drive"
    return nearest.fstype if nearest.fstype.lower() in NETWORK_FILESYSTEMS else None
