"""Test a run's frozen inputs, and the choice of the earlier run to compare with."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from pyarrow import parquet

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError, RejectedRowsWarning
from cenports_nb.notebook.report_page.attachments import ReportFiles
from cenports_nb.reports import find_earlier_run, freeze_inputs
from cenports_nb.sandbox import Sandbox

ABOUT = {"month": "2026-10", "account": "sandbox, partner SANDBOX", "channel_id": None}


def make_run(folder: Path, name: str, frame: pd.DataFrame | None = None, **facts: object) -> ReportFiles:
    """Freeze a run."""
    files = ReportFiles(folder / name)
    freeze_inputs(files, {**ABOUT, **facts}, {"lines": pd.DataFrame({"a": [name]}) if frame is None else frame})
    return files


def now(folder: Path) -> ReportFiles:
    return ReportFiles(folder / ".part-2026-12-01T060000Z")


def test_the_last_run_about_the_same_is_found(tmp_path: Path) -> None:
    """Runs of other months, accounts or channels, stopped and active ones are skipped; `-10` follows `-9`."""
    for number in ("", "-9", "-10"):
        make_run(tmp_path, f"2026-11-01T060000Z{number}")
    make_run(tmp_path, "2026-11-02T060000Z", month="2026-09")
    make_run(tmp_path, "2026-11-03T060000Z", account="another")
    make_run(tmp_path, "2026-11-04T060000Z", channel_id="EU")
    make_run(tmp_path, "2026-11-05T060000Z-stopped")
    make_run(tmp_path, ".part-2026-11-06T060000Z")
    found = find_earlier_run(now(tmp_path), ABOUT)
    assert found is not None
    assert found.run == "2026-11-01T060000Z-10"
    assert found.read("lines")["a"].tolist() == ["2026-11-01T060000Z-10"]


def test_without_a_folder_nothing_is_frozen_and_nothing_found(tmp_path: Path) -> None:
    """A report run by hand writes nothing."""
    freeze_inputs(ReportFiles(None), ABOUT, {"lines": pd.DataFrame()})
    assert find_earlier_run(ReportFiles(None), ABOUT) is None
    assert find_earlier_run(ReportFiles(tmp_path / "none" / "run"), ABOUT) is None


@pytest.mark.parametrize("content", ["", "[]", "{"])
def test_a_folder_that_was_not_finished_is_no_run(tmp_path: Path, content: str) -> None:
    """A run's facts are written last."""
    files = make_run(tmp_path, "2026-11-01T060000Z")
    (files.folder / "frozen.json").write_text(content)
    assert find_earlier_run(now(tmp_path), ABOUT) is None


def test_a_damaged_frozen_file_is_refused(tmp_path: Path) -> None:
    """The error says what to do; nothing is compared."""
    files = make_run(tmp_path, "2026-11-01T060000Z")
    (files.folder / "lines.parquet").write_bytes(b"PAR1")
    found = find_earlier_run(now(tmp_path), ABOUT)
    assert found is not None
    with pytest.raises(InvalidRequestError, match=r"can't be read .*: move its folder away"):
        found.read("lines")


def test_no_person_is_frozen_with_a_rejected_record(tmp_path: Path) -> None:
    """A frame keeps rejects with all their data."""
    with Sandbox(rate_limit=None) as sandbox, cn.connect("sandbox", base_url=sandbox.url) as client:
        with sandbox.state.lock:
            last = list(sandbox.state.orders)[-1]
            last.record["orderDate"] = "never"
        with pytest.warns(RejectedRowsWarning):
            orders = cn.load_orders(client, last="5D")
    assert last.record["customerName"] in str(orders.attrs)
    files = make_run(tmp_path, "2026-11-01T060000Z", orders)
    written = parquet.read_schema(files.folder / "lines.parquet").metadata
    assert len(cn.rejected(pd.read_parquet(files.folder / "lines.parquet"))) == 1
    people = {value for order in sandbox.state.orders for value in (order.record["customerName"],)}
    assert [
        name for name in people if name in json.dumps({str(key): str(value) for key, value in written.items()})
    ] == []
