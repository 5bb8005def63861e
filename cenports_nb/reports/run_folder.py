"""The folder of a report: a run is written to a hidden folder, and published whole or not at all.

OUT/NAME.ipynb, NAME.html      the latest run
OUT/NAME/2026-11-26T060000Z/   its files; for a report that keeps its runs, one folder per run
OUT/NAME/.part-2026-…/         an unfinished run; the next run removes those of dead processes

The lock of a run is released when its process dies, so an unlocked unfinished run is abandoned.
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
from cenports_nb.notebook.report_page.attachments import PARTIAL_PREFIX

RUN_NAME_PATTERN = re.compile(r"\d{4}-\d\d-\d\dT\d{6}Z(-\d+)?(-stopped)?")
STOPPED_SUFFIX = "-stopped"
LOCK_TIMEOUT_SECONDS = 60.0
"""Another run holds the lock only while it moves its files into place."""


@dataclass(frozen=True)
class RunFolder:
    """Where a run writes.

    Attributes:
        folder: The folder that the person named.
        name: The report's name.
        run: The time at which the run began, which names its folder.
    """

    folder: Path
    name: str
    run: str

    @property
    def report_folder(self) -> Path:
        """The folder with the runs of the report."""
        return self.folder / self.name

    @property
    def partial_folder(self) -> Path:
        """The folder with the files of this run until it is complete."""
        return self.report_folder / f"{PARTIAL_PREFIX}{self.run}"


@contextlib.contextmanager
def reserve_run_folder(folder: Path, name: str) -> Iterator[RunFolder]:
    """Reserve a folder for one run, and remove abandoned runs; at the end, remove what this run left unfinished.

    Raises:
        InvalidRequestError: The folder can't be created, written or locked.
    """
    report_folder = folder / name
    try:
        report_folder.mkdir(parents=True, exist_ok=True)
        with FileLock(report_folder / ".lock", timeout=LOCK_TIMEOUT_SECONDS):
            _remove_abandoned_runs(report_folder)
            run_folder, lock = _claim_run_folder(folder, name)
    except Timeout:
        raise InvalidRequestError(f"{report_folder} is locked by another process: try again when it is done.") from None
    except (OSError, NotImplementedError) as error:
        raise InvalidRequestError(
            f"The folder {str(report_folder)!r} can't be used ({getattr(error, 'strerror', None) or error}): choose another one."
        ) from None
    try:
        yield run_folder
    finally:
        shutil.rmtree(run_folder.partial_folder, ignore_errors=True)
        lock.release()
        _remove(Path(lock.lock_file))


def publish_run(
    run_folder: RunFolder, texts: Mapping[str, str], *, keep: bool, stopped: bool = False
) -> tuple[Path, ...]:
    """Publish a run: first its files, then the notebook and the page, each in one atomic step.

    Args:
        run_folder: The folder of the run.
        texts: Suffix of each file beside the folder, such as `.ipynb`, to its content.
        keep: Keep earlier runs, and store copies of the texts with this one.
        stopped: The run is incomplete, and no later run may build on it.

    Returns:
        The data files.

    Raises:
        InvalidRequestError: A file can't be written; the previous report is unchanged.
    """
    run = run_folder.run + (STOPPED_SUFFIX if stopped else "")
    link = quote(f"{run_folder.name}/{run_folder.run}/")
    final = run_folder.report_folder / run
    try:
        with FileLock(run_folder.report_folder / ".lock", timeout=LOCK_TIMEOUT_SECONDS):
            staged = {
                ending: run_folder.report_folder / f"{PARTIAL_PREFIX}{run_folder.run}{ending}" for ending in texts
            }
            for ending, text in texts.items():
                _write_durably(staged[ending], text.replace(link, quote(f"{run_folder.name}/{run}/")))
                if keep and not stopped:
                    _write_durably(
                        run_folder.partial_folder / f"{run_folder.name}{ending}", text.replace(f'"{link}', '"')
                    )
            if any(run_folder.partial_folder.iterdir()):
                run_folder.partial_folder.rename(final)
            for ending, path in staged.items():
                path.replace(run_folder.folder / f"{run_folder.name}{ending}")
            _remove_old_runs(run_folder, run, keep=keep)
    except (OSError, Timeout) as error:
        for path in run_folder.report_folder.glob(f"{PARTIAL_PREFIX}{run_folder.run}.*"):
            _remove(path)
        raise InvalidRequestError(
            f"The report can't be put into {str(run_folder.folder)!r} ({getattr(error, 'strerror', None) or error}): "
            "close what is open of it, or choose another folder."
        ) from None
    return tuple(sorted(final.iterdir())) if final.is_dir() else ()


def _claim_run_folder(folder: Path, name: str) -> tuple[RunFolder, FileLock]:
    """Claim the next free name for a run, and lock it for the lifetime of this process."""
    stamp = f"{datetime.now(UTC):%Y-%m-%dT%H%M%SZ}"
    for number in range(1, 1000):
        run_folder = RunFolder(folder, name, stamp if number == 1 else f"{stamp}-{number}")
        taken = [
            run_folder.report_folder / run_folder.run,
            run_folder.report_folder / f"{run_folder.run}{STOPPED_SUFFIX}",
            run_folder.partial_folder,
        ]
        if not any(os.path.lexists(path) for path in taken):
            lock = FileLock(_lock_path(run_folder.report_folder, run_folder.run), timeout=0)
            lock.acquire()
            run_folder.partial_folder.mkdir()
            return run_folder, lock
    raise OSError("a thousand runs began in this second")


def _lock_path(report_folder: Path, run: str) -> Path:
    return report_folder / f".lock-{run}"


def _remove_abandoned_runs(report_folder: Path) -> None:
    """Remove unfinished runs whose process is gone."""
    for path in report_folder.glob(".lock-*"):
        run = path.name.removeprefix(".lock-")
        with contextlib.suppress(Timeout), FileLock(path, timeout=0):
            for leftover in [report_folder / f"{PARTIAL_PREFIX}{run}", *report_folder.glob(f"{PARTIAL_PREFIX}{run}.*")]:
                _remove(leftover)
            _remove(path)
    for leftover in report_folder.glob(f"{PARTIAL_PREFIX}*"):
        run = leftover.name.removeprefix(PARTIAL_PREFIX).partition(".")[0]
        if RUN_NAME_PATTERN.fullmatch(run) and not _lock_path(report_folder, run).exists():
            _remove(leftover)


def _remove_old_runs(run_folder: RunFolder, run: str, *, keep: bool) -> None:
    """Remove the files of earlier runs that neither the notebook nor the page links to."""
    linked_text = "".join(
        path.read_text(encoding="utf-8", errors="replace")
        for ending in (".ipynb", ".html")
        if (path := run_folder.folder / f"{run_folder.name}{ending}").is_file()
    )
    for path in run_folder.report_folder.iterdir():
        old = (
            RUN_NAME_PATTERN.fullmatch(path.name)
            and path.is_dir()
            and path.name not in (run, *_find_linked_runs(linked_text, run_folder.name))
        )
        if old and (not keep or path.name.endswith(STOPPED_SUFFIX)):
            shutil.rmtree(path, ignore_errors=True)


def _find_linked_runs(text: str, name: str) -> set[str]:
    """Return the runs that a text links to."""
    return {found.group(1) for found in re.finditer(rf"{re.escape(quote(name))}/({RUN_NAME_PATTERN.pattern})/", text)}


def _write_durably(path: Path, text: str) -> None:
    """Write a text and sync it to disk."""
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _remove(path: Path) -> None:
    """Remove a file or a folder as far as possible."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
