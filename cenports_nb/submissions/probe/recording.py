"""The recording: what a probe saw, without values or secrets, as `Sandbox(recording=FILE)` reads it.

format, version   the format of the file
readings          answers as fields of `sandbox.Dialect`, without open questions
timings           seconds
transactions      statuses of transactions
exchanges         by method and path: field names and types of requests and, by status, of answers
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from cenports_nb.api.dialect import Dialect
from cenports_nb.errors import InvalidRequestError
from cenports_nb.private_files import write_private_file
from cenports_nb.submissions.probe.findings import list_readings, measure
from cenports_nb.submissions.probe.plan import ProbePlan
from cenports_nb.submissions.probe.run import ProbeResult

FORMAT, VERSION = "cenports-nb recording", 1
HIDDEN_NAME = "(some key)"


def build_recording(plan: ProbePlan, result: ProbeResult, dialect: Dialect) -> dict[str, Any]:
    """Build the recording of a probe."""
    private = {plan.product_sku, plan.warehouse_code}
    return {
        "format": FORMAT,
        "version": VERSION,
        "readings": list_readings(plan, result, dialect),
        "timings": {name: round(seconds, 1) for name, seconds in measure(result).items()},
        "transactions": sorted(result.log.words),
        "exchanges": {
            call: {
                "request": _hide_names(record.request, private),
                "answers": {status: _hide_names(shape, private) for status, shape in record.answers.items()},
            }
            for call, record in sorted(result.log.calls.items())
        },
    }


def write_recording(path: Path, recording: Mapping[str, Any]) -> None:
    """Write a recording.

    Raises:
        InvalidRequestError: The file can't be written.
    """
    try:
        write_private_file(path, msgspec.json.format(msgspec.json.encode(recording), indent=2) + b"\n")
    except OSError as error:
        raise InvalidRequestError(f"--recording {path} can't be written: {error.strerror}.") from None


def _hide_names(shape: Any, private: set[str]) -> Any:
    """Hide field names that are values of the account, and all names below `errors`, which may be."""
    if isinstance(shape, dict):
        return {
            HIDDEN_NAME if name in private else name: _hide_errors(item)
            if name == "errors"
            else _hide_names(item, private)
            for name, item in shape.items()
        }
    return [_hide_names(item, private) for item in shape] if isinstance(shape, list) else shape


def _hide_errors(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {
            name if re.fullmatch("index|message", name) else HIDDEN_NAME: _hide_errors(item)
            for name, item in shape.items()
        }
    return [_hide_errors(item) for item in shape] if isinstance(shape, list) else shape
