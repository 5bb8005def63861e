"""Test whether each reading is known from the account, assumed, or contradicted by later evidence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.command_line import run_command

from cenports_nb.api.client import Client
from cenports_nb.api.retrieval.observed_limits import get_observed_limits
from cenports_nb.frames.loaders.stock import STOCK_SOURCE
from cenports_nb.profiles import save_profile
from cenports_nb.settings import resolve_settings
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.probe.reading_states import format_reading_states, list_reading_states
from cenports_nb.submissions.rules.models import Batch, Head, Row


@pytest.fixture
def connect(tmp_path: Path) -> Callable[..., Client]:
    """Connect to an account with that profile; nothing is sent."""

    def connect(**dialect: Any) -> Client:
        save_profile(
            tmp_path, "default", {"environment": "staging", "partner_id": "P", "client_id": "C", "dialect": dialect}
        )
        environ = {"CENPORTS_HOME": str(tmp_path), "CENPORTS_CLIENT_SECRET": "secret"}
        return Client(resolve_settings(profile="default", offline=True, environ=environ))

    return connect


def find(client: Client, name: str) -> tuple[str, str]:
    (found,) = (reading for reading in list_reading_states(client) if reading.name == name)
    return found.state, found.evidence


def submit(client: Client, *rows: tuple[int, int | None], minutes: int = 5) -> None:
    """Record a submission of TRUE_UPs: what each set, and what was read back."""
    head = Head("S", "stock", "staging", client.settings.account, "P", "2026-03-01T10:00:00+00:00")
    batch = Batch(
        "S", 0, "W", len(rows), "completed", submitted_at="2026-03-01T10:00:00+00:00",
        completed_at=f"2026-03-01T10:{minutes:02}:00+00:00",
    )  # fmt: skip
    made = [
        Row("S", i, 0, i, "W", str(i), "TRUE_UP", quantity, outcome="applied", read_back=read_back)
        for i, (quantity, read_back) in enumerate(rows)
    ]
    get_context(client).journal.add(head, [batch], made)


def test_what_the_profile_says_is_known_and_the_rest_assumed(connect: Callable[..., Client]) -> None:
    """Evidence may contradict it."""
    with connect(order_limit=500) as client:
        assert find(client, "order_limit")[0] == "known"
        assert {reading.state for reading in list_reading_states(client) if reading.name != "order_limit"} == {
            "assumed"
        }
        assert [
            reading.state for reading in list_reading_states(client, {"end_included"}) if reading.name == "end_included"
        ] == ["known"]
        assert format_reading_states(list_reading_states(client)).startswith("  known        order_limit         500")


@pytest.mark.parametrize(
    ("name", "endpoint", "rows"),
    [("order_limit", "/orders", 301), ("shipment_limit", "/shipments", 100), ("inventory_limit", STOCK_SOURCE, 301)],
)
def test_a_longer_answer_contradicts_a_limit(
    connect: Callable[..., Client], name: str, endpoint: str, rows: int
) -> None:
    """An answer exactly as long doesn't."""
    with connect() as client:
        get_observed_limits(client).note_answer(endpoint, rows - 1)
        assert find(client, name)[0] == "assumed"
        get_observed_limits(client).note_answer(endpoint, rows)
        assert find(client, name) == ("contradicted", f"an answer with {rows} rows came")


def test_an_end_that_was_seen_contradicts_a_profile_without_it(connect: Callable[..., Client]) -> None:
    """Another client of the account saw it."""
    with connect() as client:
        limits = get_observed_limits(client)
        limits._is_saved = True
        limits.note_end_included()
    with connect(end_included=False) as client:
        assert find(client, "end_included") == ("contradicted", "the last day of a range was part of an answer")


def test_a_length_that_a_longer_answer_settles_is_not_needed(connect: Callable[..., Client]) -> None:
    """The profile may omit it."""
    with connect(whole_lengths=[50]) as client:
        assert find(client, "whole_lengths")[0] == "known"
        get_observed_limits(client).note_answer(STOCK_SOURCE, 61)
        assert "50 is not needed" in find(client, "whole_lengths")[1]


def test_a_slow_transaction_contradicts_the_time_that_a_write_may_take(connect: Callable[..., Client]) -> None:
    """The journal has its duration."""
    with connect() as client:
        submit(client, (5, 5), minutes=42)
        assert find(client, "settle_minutes") == ("contradicted", "a transaction took 42 minutes")


@pytest.mark.parametrize(
    ("rows", "state"),
    [
        ([(5, 7), (6, 9), (1, 0)], "contradicted"), ([(5, 7), (6, 6), (1, 0)], "assumed"), ([(5, 7), (6, None)], "assumed"),
    ],
)  # fmt: skip
def test_true_ups_that_never_set_what_was_sent(
    connect: Callable[..., Client], rows: list[tuple[int, int | None]], state: str
) -> None:
    """One may be explained by a sale, three of three may not."""
    with connect() as client:
        submit(client, *rows)
        assert find(client, "true_up_sets")[0] == state


def test_the_command_sends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its output is one screen; with --write-probe it is an error."""
    monkeypatch.setenv("CENPORTS_HOME", str(tmp_path))
    for name in ("PARTNER_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"CENPORTS_{name}", "x")
    ran = run_command(capsys, "doctor", "--env", "staging", "--offline")
    assert ran.returncode == 0
    assert len(ran.stdout.splitlines()) < 24
    assert "  assumed      settle_minutes" in ran.stdout
    ran = run_command(capsys, "doctor", "--env", "staging", "--offline", "--write-probe", "0001")
    assert ran.returncode == 2
    assert "leave one of them out" in ran.stderr
