"""Test that the write probe finds the dialect, restores the stock, and records what a sandbox can replay."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
from support.fake_clock import FakeClock
from support.staging import connect_staging
from support.write_probes import RESERVED_STOCK, Probe, probe, read_units

from cenports_nb.api import dialect as client_dialect
from cenports_nb.api.client import Client
from cenports_nb.api.http.adapter import Exchange
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Dialect, Sandbox
from cenports_nb.sandbox.account.transactions import TransactionStore
from cenports_nb.submissions.probe.exchanges import ExchangeLog
from cenports_nb.submissions.probe.findings import list_findings, read_pages
from cenports_nb.submissions.probe.plan import FAILING_ROW, MISSING_SKU, ONE_MORE, OVERLAP, OWN_VALUE, ProbePlan
from cenports_nb.submissions.probe.recording import build_recording, write_recording
from cenports_nb.submissions.probe.run import ProbeResult, StepResult

pytestmark = pytest.mark.slow

DIALECTS = [
    Dialect(transaction_ids="number", handles="upper"),
    Dialect(
        quantities="decimal_text", transaction_ids="number", handles="differing", transaction_errors="map",
        true_up_sets="available", application_order="reverse",
    ),
]  # fmt: skip
"""Every reading of each question is in these or those below; "mixed" is "number" and "upper" where only stock is written."""
MORE_DIALECTS = [
    ((OWN_VALUE, ONE_MORE, FAILING_ROW), Dialect(
        quantities="number", misspelt=False, transaction_ids="text", handles="lower", transaction_errors="pairs",
        first_index=1, failed_applies="nothing", available_scope="channel",
    )),
    ((ONE_MORE, FAILING_ROW), Dialect(quantities="decimal", transaction_ids="text", handles="upper", transaction_errors="texts")),
    ((ONE_MORE, FAILING_ROW), Dialect(transaction_ids="number", handles="lower", transaction_errors="text")),
    ((ONE_MORE, FAILING_ROW), Dialect(
        transaction_ids="text", handles="differing", transaction_errors="none", failed_applies="nothing"
    )),
    ((ONE_MORE, FAILING_ROW), Dialect(transaction_ids="number", handles="upper", unknown_skus="request")),
]  # fmt: skip
"""The rest, with the steps that find them out."""
SEEN = (
    "quantities", "misspelt", "transaction_ids", "handles", "handle_reuse", "transaction_errors", "first_index",
    "failed_applies", "unknown_skus", "application_order", "true_up_sets", "available_scope",
)  # fmt: skip
"""The questions of writes and stock that a probe answers."""


def _hidden(dialect: Dialect) -> set[str]:
    """Return the questions that can't be answered in this dialect."""
    if dialect.unknown_skus == "request":
        return {"transaction_errors", "first_index", "failed_applies"}
    return {"first_index"} if dialect.transaction_errors in ("texts", "text", "none") else set()


def _record(found: Probe, client: Client, path: Path) -> Path:
    write_recording(path, build_recording(found.plan, found.result, client.dialect))
    return path


@pytest.fixture
def northwind(northwind: Sandbox) -> Sandbox:
    """Start a sandbox whose writes take effect at the second reading."""
    northwind.state.transactions = TransactionStore(0.5)
    return northwind


@pytest.mark.parametrize(("steps", "dialect"), MORE_DIALECTS, ids=repr)
def test_each_step_finds_out_its_readings(
    account: Client, northwind: Sandbox, steps: tuple[str, ...], dialect: Dialect
) -> None:
    """The stock is restored."""
    northwind.dialect = dialect
    found = probe(account, steps=steps)
    assert (found.result.stopped, read_units(northwind)) == (None, RESERVED_STOCK)
    hidden = {"application_order", *(() if OWN_VALUE in steps else ("true_up_sets",)), *_hidden(dialect)}
    readings = {name: value for name, value in found.read(account).items() if name in SEEN}
    assert readings == {name: value for name, value in asdict(dialect).items() if name in SEEN and name not in hidden}


@pytest.mark.parametrize("dialect", DIALECTS, ids=repr)
def test_it_finds_out_the_dialect(account: Client, northwind: Sandbox, dialect: Dialect, tmp_path: Path) -> None:
    """Readings are right, the stock is restored, and the recording makes such a sandbox without any value."""
    northwind.dialect = dialect
    found = probe(account)
    assert (found.result.stopped, found.result.exit_code) == (None, 0)
    assert read_units(northwind) == RESERVED_STOCK
    expected = {name: value for name, value in asdict(dialect).items() if name in SEEN}
    readings = {name: value for name, value in found.read(account).items() if name in SEEN}
    assert readings == {name: value for name, value in expected.items() if name not in _hidden(dialect)}
    path = _record(found, account, tmp_path / "recording.json")
    replayed = Sandbox(recording=path)
    assert {name: getattr(replayed.dialect, name) for name in readings} == readings
    assert _find_values(found, northwind, path.read_text()) == []
    learned = list_learned(found, account.dialect)
    assert client_dialect.Dialect.from_profile(learned).true_up_sets == dialect.true_up_sets
    assert learned["available_scope"] == dialect.available_scope


@pytest.mark.parametrize("pages", get_args(get_type_hints(Dialect)["pages"]))
def test_every_way_to_speak_of_pages_is_recorded(account: Client, northwind: Sandbox, pages: Any) -> None:
    """Paging fields are in bodies and headers."""
    northwind.dialect = Dialect(pages=pages)
    log = ExchangeLog.start(account)
    with account.session.observe(log.add):
        account.get("/orders", {"limit": 1, "isPaginated": True})
    assert read_pages(log) == pages


def _find_values(found: Probe, sandbox: Sandbox, text: str) -> list[str]:
    """Find SKUs, names, warehouses, hosts, handles, credentials and numbers of the account in a recording."""
    stock, log = sandbox.state.stock, found.result.log
    values = {PARTNER_ID, CLIENT_ID, CLIENT_SECRET, MISSING_SKU, "127.0.0.1", sandbox.url, *stock.warehouses}
    values |= {sku for _, sku in stock.quantities} | set(log.given_handles) | log.read_handles
    values |= {str(row["productName"]) for rows in stock._rows.values() for row in rows.values()}
    recording = json.loads(text)
    assert json.loads(text)["version"] == 1
    numbers = [value for part in ("readings", "exchanges", "transactions") for value in _list_numbers(recording[part])]
    return [value for value in values if value in text] + [str(value) for value in numbers if value not in (0, 1)]


def _list_numbers(value: object) -> list[float]:
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return [number for item in items for number in _list_numbers(item)]
    return [value] if isinstance(value, int | float) else []


def list_learned(found: Probe, dialect: client_dialect.Dialect) -> dict[str, object]:
    findings = list_findings(found.plan, found.result, dialect)
    return {name: value for finding in findings for name, value in finding.learned.items()}


def test_a_probe_of_a_recording_finds_the_same(tmp_path: Path) -> None:
    """A probe of the replay finds the recorded readings and times."""
    readings = {name: value for name, value in asdict(DIALECTS[1]).items() if name in SEEN}
    path = tmp_path / "recording.json"
    timings = {"transaction_seconds": 7.0}
    recording = {"format": "cenports-nb recording", "version": 1, "readings": readings, "timings": timings}
    path.write_text(json.dumps(recording))
    with (
        Sandbox(shift=False, rate_limit=None, recording=path) as replay,
        connect_staging(replay, FakeClock(replay)) as client,
    ):
        found = probe(client, steps=(OWN_VALUE, OVERLAP))
        recorded = build_recording(found.plan, found.result, client.dialect)
    for name in ("transaction_errors", "first_index", "failed_applies", "unknown_skus"):
        del readings[name]  # of a step that was left out
    assert readings.items() <= recorded["readings"].items()
    assert recorded["timings"]["transaction_seconds"] == 7.0


def test_unanswerable_questions_stay_open(account: Client, northwind: Sandbox) -> None:
    """Separate writes don't show their order, and a SKU without open orders doesn't show TRUE_UP's basis."""
    northwind.state.transactions = TransactionStore(0.0)
    found = probe(account, "0022", steps=(OWN_VALUE, OVERLAP))
    assert found.result.stopped is None
    assert not {"application_order", "true_up_sets", "available_scope"} & set(found.read(account))
    asked = [each for each in list_findings(found.plan, found.result, account.dialect) if not each.answer]
    assert len(asked) == 6  # three of them about the row that must fail
    assert all(each.ask for each in asked)


@pytest.mark.parametrize(
    ("seconds", "known", "learned"), [(3.0, 20, {}), (901.0, 20, {"settle_minutes": 21}), (901.0, 60, {})]
)
def test_the_settling_time_is_raised_and_never_lowered(seconds: float, known: int, learned: dict[str, int]) -> None:
    """It is the longest time measured, plus a margin."""
    steps = [StepResult("one more", "", each, each / 2, None, True, 1) for each in (seconds, 1.0)]
    result = ProbeResult(tuple(steps), ExchangeLog("/v2"), "one more")
    plan = ProbePlan("a", "staging", "NW-EAST", "0033", 112, (), None, (), None, 20)
    assert list_learned(Probe(plan, result), client_dialect.Dialect(settle_minutes=known)) == learned


def test_names_that_are_values_are_hidden_in_a_recording() -> None:
    """In objects of errors by SKU, or stock by warehouse, names are values."""
    plan = ProbePlan("a", "staging", "MAIN", "ACME", 112, (), None, (), None, 20)
    log = ExchangeLog("/v2")
    answer = {"errors": {"BOLT": ["a"], "index": 1}, "MAIN": {"ACME": {"quantity": 5}}}
    log.add(Exchange("PATCH", "/v2/inventories", b'{"inventories": []}', 422, msgspec.json.encode(answer)))
    recorded = build_recording(plan, ProbeResult((), log, "own value"), client_dialect.Dialect())["exchanges"]
    assert recorded["PATCH /inventories"]["answers"] == {
        "422": {
            "errors": {"(some key)": ["text"], "index": "integer"},
            "(some key)": {"(some key)": {"quantity": "integer"}},
        }
    }
