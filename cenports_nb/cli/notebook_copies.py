"""Copies of the shipped notebooks in the user's folder: decided file by file, then written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import format_count

COPIED_SUFFIXES = (".ipynb", ".csv")
DIGESTS_FILE = ".cenports-nb.json"
"""Digests of the files as they were copied, to find out which ones the user has changed."""

CopyAction = Literal["new", "renewed", "beside", "kept", "same"]
WRITING_ACTIONS = ("new", "renewed", "beside")


@dataclass(frozen=True)
class NotebookCopy:
    """What happens to one shipped file.

    Attributes:
        name: Its path below the folder, with slashes.
        action: `new`: it was missing; `renewed`: unchanged by the user and outdated; `beside`: changed by the user and
            outdated, so the new version gets another name; `kept`: changed by the user and up to date; `same`.
        target: Where it is written; None if it isn't.
        content: The shipped bytes.
    """

    name: str
    action: CopyAction
    target: Path
    content: bytes


def copy_notebooks(shipped: Path, folder: Path) -> list[NotebookCopy]:
    """Copy the shipped notebooks to a folder; files that the user changed there are never overwritten.

    Args:
        shipped: The folder in the package.
        folder: The user's folder; created if missing.

    Raises:
        InvalidRequestError: The folder can't be created, read or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        copies = plan_copies(_read_shipped(shipped), folder)
        for copy in copies:
            if copy.action in WRITING_ACTIONS:
                copy.target.parent.mkdir(parents=True, exist_ok=True)
                _write(copy.target, copy.content)
        _write_digests(folder, copies)
    except OSError as error:
        raise InvalidRequestError(
            f"The notebooks can't be copied to {folder} ({error.strerror or error}): choose another --folder."
        ) from None
    return copies


def plan_copies(shipped: Mapping[str, bytes], folder: Path) -> list[NotebookCopy]:
    """Decide what happens to each file; reads the folder and writes nothing."""
    known = _read_digests(folder)
    return [_plan_copy(name, content, folder, known.get(name)) for name, content in shipped.items()]


def summarize_copies(copies: Sequence[NotebookCopy], folder: Path) -> str:
    """Summarize in one line what was done."""
    copied_digest = sum(copy.action in ("new", "renewed") for copy in copies)
    parts = [
        f"{copied_digest} of {format_count(len(copies), 'file')} copied to {folder}"
        if copied_digest
        else f"All {len(copies)} files are in {folder}"
    ]
    files_kept = [copy.name for copy in copies if copy.action in ("kept", "beside")]
    if files_kept:
        parts.append(f"kept as you left {'it' if len(files_kept) == 1 else 'them'}: {', '.join(files_kept)}")
    parts += [f"the newer {copy.name} is {copy.target.name}, beside it" for copy in copies if copy.action == "beside"]
    return "; ".join(parts) + "."


def _plan_copy(name: str, content: bytes, folder: Path, copied_digest: str | None) -> NotebookCopy:
    target = folder / name
    if not target.exists():
        return NotebookCopy(name, "new", target, content)
    there, wanted = _digest(target.read_bytes()), _digest(content)
    if there == wanted:
        return NotebookCopy(name, "same", target, content)
    if there == copied_digest:
        return NotebookCopy(name, "renewed", target, content)
    if copied_digest == wanted:
        return NotebookCopy(name, "kept", target, content)
    for path in _list_alternative_paths(target):
        if not path.exists():
            return NotebookCopy(name, "beside", path, content)
        if path.read_bytes() == content:
            break
    return NotebookCopy(name, "kept", target, content)


def _list_alternative_paths(target: Path) -> Iterator[Path]:
    """List alternative names for a file: `1-load.new.ipynb`, then `1-load.new2.ipynb` and so on."""
    number = 1
    while True:
        yield target.with_suffix(f".new{number if number > 1 else ''}{target.suffix}")
        number += 1


def _read_shipped(shipped: Path) -> dict[str, bytes]:
    found = sorted(path for path in shipped.rglob("*") if path.suffix in COPIED_SUFFIXES and path.is_file())
    names = {PurePosixPath(path.relative_to(shipped).as_posix()): path for path in found}
    return {str(name): path.read_bytes() for name, path in names.items() if ".ipynb_checkpoints" not in name.parts}


def _write(target: Path, content: bytes) -> None:
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _read_digests(folder: Path) -> dict[str, str]:
    """Read the digests of copied files; if they are unknown, every file that differs counts as changed by the user."""
    try:
        known = json.loads((folder / DIGESTS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_digests(folder: Path, copies: Sequence[NotebookCopy]) -> None:
    copied_digest = {copy.name: _digest(copy.content) for copy in copies}
    text = json.dumps({**_read_digests(folder), **copied_digest}, indent=1) + "\n"
    if not (folder / DIGESTS_FILE).is_file() or (folder / DIGESTS_FILE).read_text(encoding="utf-8") != text:
        _write(folder / DIGESTS_FILE, text.encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
