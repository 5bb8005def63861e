"""The input frames of a run, stored beside it so that a later run can compare."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.report_page.attachments import PARTIAL_PREFIX, ReportFiles

if TYPE_CHECKING:
    import pandas as pd

FACTS_FILE = "frozen.json"


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
        import pandas as pd  # noqa: PLC0415

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
    from cenports_nb.frames.privacy.masking import mask_pii  # noqa: PLC0415 - rejected records hold people too
    from cenports_nb.frames.privacy.personal_columns import personal_kind  # noqa: PLC0415

    if files.folder is None:
        return
    for name, frame in frames.items():
        impersonal = [column for column in frame.columns if not personal_kind(str(column))]
        files.write(f"{name}.parquet", mask_pii(frame)[impersonal])
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
    from cenports_nb.reports.run_folder import RUN_NAME_PATTERN, STOPPED_SUFFIX  # noqa: PLC0415

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
