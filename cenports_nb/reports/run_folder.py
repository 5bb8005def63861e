"""The place of a report: a run is made in a hidden folder and put there whole, or not at all.

OUT/NAME.ipynb, NAME.html      the newest run
OUT/NAME/2026-11-26T060000Z/   its files; of a report that keeps its runs, those of every run
OUT/NAME/.part-2026-…/         a run at work, or one that died: the next run removes it

The lock of a run dies with its process, so what nobody holds was left by a dead one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.report_page.attachments import PART

RUN = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?(-stopped)?")
STOPPED = "-stopped"
PATIENCE = 60.0
"""Seconds; another run holds the lock for the moment in which it puts its files in place."""


@dataclass(frozen=True)
class Place:
    """Where a run puts what it makes.

    Attributes:
        folder: What the person named.
        name: The report's.
        run: The time at which it began, which names its folder.
    """

    folder: Path
    name: str
    run: str

    @property
    def ensure_own_process(self) -> Path:
        """The folder with the runs of this report."""
        return self.folder / self.name

    @property
    def part(self) -> Path:
        """Where the files of this run are until it is whole."""
        return self.ensure_own_process / f"{PART}{self.run}"


@contextlib.contextmanager
def reserved(folder: Path, name: str) -> Iterator[Place]:
    """Hold a place for one run; what dead runs left there is removed, and so is what this one leaves unfinished.

    Raises:
        InvalidRequestError: The folder can't be made, written or locked.
    """
    own = folder / name
    try:
        own.mkdir(parents=True, exist_ok=True)
        with FileLock(own / ".lock", timeout=PATIENCE):
            _sweep(own)
            place, lock = _next(folder, name)
    except Timeout:
        raise InvalidRequestError(f"{own} is locked by another process: try again when it is done.") from None
    except (OSError, NotImplementedError) as error:
        raise InvalidRequestError(
            f"The folder {str(own)!r} can't be used ({getattr(error, 'strerror', None) or error}): choose another one."
        ) from None
    try:
        yield place
    finally:
        shutil.rmtree(place.part, ignore_errors=True)
        lock.release()
        _drop(Path(lock.lock_file))


def publish(place: Place, texts: Mapping[str, str], *, keep: bool, stopped: bool = False) -> tuple[Path, ...]:
    """Put a run in its place: its files in one step, then the notebook and the page, each in one step.

    Args:
        place: Where the run was made.
        texts: The ending of each file beside the folder, such as `.ipynb`, to what is in it.
        keep: Earlier runs stay, and this one gets its own copies of the texts.
        stopped: The run is not whole, and no later run may build on it.

    Returns:
        The data files.

    Raises:
        InvalidRequestError: Something can't be written; the earlier report is as it was.
    """
    run = place.run + (STOPPED if stopped else "")
    link = quote(f"{place.name}/{place.run}/")
    final = place.ensure_own_process / run
    try:
        with FileLock(place.ensure_own_process / ".lock", timeout=PATIENCE):
            beside = {ending: place.ensure_own_process / f"{PART}{place.run}{ending}" for ending in texts}
            for ending, text in texts.items():
                _write(beside[ending], text.replace(link, quote(f"{place.name}/{run}/")))
                if keep and not stopped:
                    _write(place.part / f"{place.name}{ending}", text.replace(f'"{link}', '"'))
            if any(place.part.iterdir()):
                place.part.rename(final)
            for ending, path in beside.items():
                path.replace(place.folder / f"{place.name}{ending}")
            _clear(place, run, keep=keep)
    except (OSError, Timeout) as error:
        for path in place.ensure_own_process.glob(f"{PART}{place.run}.*"):
            _drop(path)
        raise InvalidRequestError(
            f"The report can't be put into {str(place.folder)!r} ({getattr(error, 'strerror', None) or error}): "
            "close what is open of it, or choose another folder."
        ) from None
    return tuple(sorted(final.iterdir())) if final.is_dir() else ()


def _next(folder: Path, name: str) -> tuple[Place, FileLock]:
    """Take the next free name for a run, and its lock, which dies with this process."""
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    for number in range(1, 1000):
        place = Place(folder, name, stamp if number == 1 else f"{stamp}-{number}")
        taken = [place.ensure_own_process / place.run, place.ensure_own_process / f"{place.run}{STOPPED}", place.part]
        if not any(os.path.lexists(path) for path in taken):
            lock = FileLock(_lock_of(place.ensure_own_process, place.run), timeout=0)
            lock.acquire()
            place.part.mkdir()
            return place, lock
    raise OSError("a thousand runs began in this second")


def _lock_of(own: Path, run: str) -> Path:
    return own / f".lock-{run}"


def _sweep(own: Path) -> None:
    """Remove what runs left whose process is gone."""
    for path in own.glob(".lock-*"):
        run = path.name.removeprefix(".lock-")
        with contextlib.suppress(Timeout), FileLock(path, timeout=0):
            for left in [own / f"{PART}{run}", *own.glob(f"{PART}{run}.*")]:
                shutil.rmtree(left, ignore_errors=True) if left.is_dir() else _drop(left)
            _drop(path)
    for left in own.glob(f"{PART}*"):
        run = left.name.removeprefix(PART).partition(".")[0]
        if RUN.fullmatch(run) and not _lock_of(own, run).exists():
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else _drop(left)


def _clear(place: Place, run: str, *, keep: bool) -> None:
    """Remove the files of earlier runs that neither notebook nor page names any more."""
    named = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for ending in (".ipynb", ".html")
        if (path := place.folder / f"{place.name}{ending}").is_file()
    )
    for path in place.ensure_own_process.iterdir():
        old = RUN.fullmatch(path.name) and path.is_dir() and path.name not in (run, *_names(named, place.name))
        if old and (not keep or path.name.endswith(STOPPED)):
            shutil.rmtree(path, ignore_errors=True)


def _names(text: str, name: str) -> set[str]:
    """Find the runs that a text links to."""
    return {found.group(1) for found in re.finditer(rf"{re.escape(quote(name))}/({RUN.pattern})/", text)}


def _write(path: Path, text: str) -> None:
    """Write a text that is on the disk when this returns."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _drop(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
