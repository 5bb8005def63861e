"""Recordings: how an account behaves, as `cenports-nb doctor --write-probe` found out, for a sandbox that does the same.

    {"format": "cenports-nb recording", "version": 1,
     "readings": {"quantities": "text", "application_order": "reverse", …},
     "timings": {"transaction_seconds": 41.2, …},
     "exchanges": {"PATCH /inventories": {…}}}

`readings` has fields of `Dialect`; open questions are missing and have their defaults here. The rest of the file is
for people.
"""

import json
import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from cenports_nb.sandbox.dialect import Dialect

FORMAT: Final = "cenports-nb recording"
VERSION: Final = 1
MAX_BYTES: Final = 2**20


@dataclass(frozen=True)
class Recording:
    """What a sandbox takes from a recording.

    Attributes:
        dialect: The readings, with defaults for open questions.
        transaction_seconds: The time that an asynchronous write takes.
    """

    dialect: Dialect = field(default_factory=Dialect)
    transaction_seconds: float = 3.0


def read_recording(path: Path) -> Recording:
    """Read a recording.

    Raises:
        ValueError: It can't be read, isn't a recording, or has a newer version.
    """
    found = _read_json(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ValueError(f"{path} isn't a recording: use a file that `cenports-nb doctor --write-probe` wrote.")
    if found.get("version") != VERSION:
        raise ValueError(
            f"{path} is a recording of version {found.get('version')!r}, and this sandbox reads {VERSION}: update cenports-nb."
        )
    readings, timings = found.get("readings"), found.get("timings")
    if not isinstance(readings, dict) or not isinstance(timings, dict):
        raise ValueError(f"{path} lacks readings or timings: record the account again.")
    unknown = [name for name in readings if name not in {item.name for item in fields(Dialect)}]
    if unknown:
        raise ValueError(f"{path} has a reading {unknown[0]!r} that this sandbox doesn't know: update cenports-nb.")
    try:
        dialect = Dialect(**readings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None
    seconds = timings.get("transaction_seconds", Recording.transaction_seconds)
    if type(seconds) not in (int, float) or not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"{path}: transaction_seconds is {seconds!r}: use a number of seconds.")
    return Recording(dialect, float(seconds))


def _read_json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            return None
        return json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it isn't JSON"
        raise ValueError(f"The recording {path} can't be read: {reason}.") from None
