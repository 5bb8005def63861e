"""Test that a recording gives a sandbox its dialect and times, and an invalid file raises one sentence."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cenports_nb.sandbox import Dialect, Sandbox

GOOD: dict[str, Any] = {
    "format": "cenports-nb recording",
    "version": 1,
    "readings": {"quantities": "number", "application_order": "reverse"},
    "timings": {"transaction_seconds": 41.5},
    "exchanges": {},
}


def _write(folder: Path, content: object) -> Path:
    path = folder / "recording.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_recording_sets_the_dialect_and_the_time(tmp_path: Path) -> None:
    """What stayed open has the default, and an argument goes before the recording."""
    path = _write(tmp_path, GOOD)
    sandbox = Sandbox(recording=path)
    assert sandbox.dialect == Dialect(quantities="number", application_order="reverse")
    assert sandbox.state.transactions._life == timedelta(seconds=41.5)
    assert Sandbox(recording=str(path), transaction_seconds=0).state.transactions._life == timedelta()
    assert Sandbox(recording=_write(tmp_path, {**GOOD, "timings": {}})).state.transactions._life == timedelta(seconds=3)
    assert Sandbox().state.transactions._life == timedelta(seconds=3)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "can't be read: it isn't JSON"),
        ([1], "isn't a recording"),
        ({"format": "another"}, "isn't a recording"),
        ({**GOOD, "version": 2}, "is a recording of version 2, and this sandbox reads 1: update cenports-nb"),
        ({**GOOD, "readings": []}, "lacks readings or timings"),
        ({**GOOD, "readings": {"colour": "red"}}, "has a reading 'colour' that this sandbox doesn't know: update"),
        ({**GOOD, "readings": {"quantities": "words"}}, "Dialect.quantities='words'.: use one of 'text'"),
        ({**GOOD, "readings": {"quantities": []}}, "use one of"),
        ({**GOOD, "timings": {"transaction_seconds": "soon"}}, "transaction_seconds is 'soon'"),
        ({**GOOD, "timings": {"transaction_seconds": -1}}, "transaction_seconds is -1"),
        ({**GOOD, "timings": {"transaction_seconds": float("nan")}}, "transaction_seconds is nan"),
    ],
)
def test_what_is_no_recording_is_refused(tmp_path: Path, content: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Sandbox(recording=_write(tmp_path, content))


def test_a_recording_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"The recording .*nope\.json can't be read: No such file"):
        Sandbox(recording=tmp_path / "nope.json")


def test_a_dialect_beside_a_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pass one of them"):
        Sandbox(recording=_write(tmp_path, GOOD), dialect=Dialect())
