"""Test that the doctor finds the dialect that the sandbox was given."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.doctor import Examination, examine
from cenports_nb.errors import AuthenticationError
from cenports_nb.profiles import save_profile
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Clock, Dialect, Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(
        orders=2_000, seed=5, rate_limit=None, clock=Clock(frozen_at=datetime(2026, 5, 20, tzinfo=UTC))
    ) as sandbox:
        yield sandbox


def _examined(sandbox: Sandbox, dialect: Dialect) -> Examination:
    sandbox.dialect = dialect
    sandbox.requests.clear()
    with Client(resolve_settings("sandbox", base_url=sandbox.url, rate_limit=1000), clock=FakeClock(sandbox)) as client:
        return examine(client)


@pytest.mark.parametrize(
    ("dialect", "learned"),
    [
        (Dialect(), {"get_parameters": "body", "channel_parameters": "query", "order_limit": 300, "shipment_limit": 99, "end_included": True}),
        (Dialect(get_parameters="query"), {"get_parameters": "query"}),
        (Dialect(get_parameters="either"), {"get_parameters": "body"}),
        (Dialect(channel_parameters="body"), {"channel_parameters": "body"}),
        (Dialect(channel_parameters="body", get_parameters="query"), {"channel_parameters": "body", "get_parameters": "query"}),
        (Dialect(order_limit=500, shipment_limit=200), {"order_limit": 500, "shipment_limit": 200}),
        (Dialect(order_limit=100, shipment_limit=50), {"order_limit": 100, "shipment_limit": 50}),
        (Dialect(end_included=False), {"end_included": False}),
        (Dialect(envelope="object"), {"get_parameters": "body"}),
        (Dialect(envelope="list"), {"get_parameters": "body", "end_included": True}),
        (Dialect(sorting="newest", pages="none"), {"end_included": True}),
        (Dialect(errors_as_200=True), {"get_parameters": "body", "order_limit": 300}),
    ],
    ids=repr,
)  # fmt: skip
def test_what_it_learns_is_what_was_switched_on(sandbox: Sandbox, dialect: Dialect, learned: dict[str, Any]) -> None:
    """The client's dialect has it too."""
    found = _examined(sandbox, dialect)
    assert {name: found.learned.get(name) for name in learned} == learned
    assert {name: getattr(found.dialect, name) for name in learned} == learned


@pytest.mark.parametrize(
    ("dialect", "question", "answer"),
    [
        (Dialect(), "isPaginated", "last_page, total, next_page_url"),
        (Dialect(pages="links"), "isPaginated", "links.next, meta.last_page, meta.total"),
        (Dialect(pages="numbers"), "isPaginated", "last_page, total"),
        (Dialect(pages="next"), "isPaginated", "next_page_url"),
        (Dialect(pages="total"), "isPaginated", "total"),
        (Dialect(pages="none"), "isPaginated", "not at all"),
        (Dialect(order_cap=100), "orders silently cut", "yes, at 100"),
        (Dialect(order_cap=100, pages="none"), "orders silently cut", "perhaps, at 100"),
        (Dialect(shipment_cap=50), "shipments silently cut", "perhaps, at 50"),
        (Dialect(), "orders silently cut", "not seen"),
        (Dialect(stock_cap=100), "GET /inventories capped", ""),
        (Dialect(), "GET /inventories capped", "not seen"),
        (Dialect(order_dates="day"), "endDate included", ""),
    ],
)  # fmt: skip
def test_what_it_says(sandbox: Sandbox, dialect: Dialect, question: str, answer: str) -> None:
    """A finding has an answer with evidence, or an open question and how to ask it."""
    (finding,) = [finding for finding in _examined(sandbox, dialect).findings if question in finding.question]
    assert finding.answer == answer
    assert finding.evidence
    assert bool(finding.ask) == (answer == "")


@pytest.mark.parametrize(
    ("zone", "hours"), [("UTC", 0), ("America/New_York", -4), ("Asia/Tokyo", 9), ("Pacific/Auckland", 12)]
)
def test_the_servers_day_is_narrowed_down(sandbox: Sandbox, zone: str, hours: int) -> None:
    """The orders that the server counts to one of its days show its zone."""
    (finding,) = [
        finding for finding in _examined(sandbox, Dialect(time_zone=zone)).findings if "zone" in finding.question
    ]
    low, high = (
        finding.answer.removeprefix("between UTC").split(" and UTC") if "between" in finding.answer else ("0", "0")
    )
    assert int(low) <= hours <= int(high)
    assert int(high) - int(low) <= 12


def test_it_writes_nothing_and_asks_a_handful(sandbox: Sandbox) -> None:
    """The doctor only reads, with about ten requests."""
    found = _examined(sandbox, Dialect())
    assert {request.method for request in sandbox.requests if request.path != "/authorize"} == {"GET"}
    assert found.requests == len(sandbox.requests) <= 12
    assert len(_examined(sandbox, Dialect(get_parameters="query", channel_parameters="body")).findings) == len(
        found.findings
    )


def test_shapes_hold_no_value(sandbox: Sandbox) -> None:
    """The shapes have names of fields and types, and no text of the account."""
    shapes = msgspec.json.encode(_examined(sandbox, Dialect()).shapes).decode()
    orders = sandbox.state.orders
    values = {value for order in orders for value in _texts(order.record) if len(value) > 3}
    assert [value for value in values if f'"{value}"' in shapes and value not in ("text", "null")] == []
    assert '"orderNo":"text"' in shapes
    assert '"quantity":"text: integer"' in shapes


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def test_wrong_credentials_are_said_and_not_examined(sandbox: Sandbox) -> None:
    """Wrong credentials raise their own error."""
    sandbox.dialect = Dialect()
    with (
        cn.connect("staging", base_url=sandbox.url, partner_id="P", client_id="no", client_secret="no") as client,
        pytest.raises(AuthenticationError),
    ):
        examine(client)


def test_what_it_learnt_is_used_by_the_profile(sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The saved dialect is used by the next connection."""
    monkeypatch.setattr("keyring.get_password", lambda *_: CLIENT_SECRET)
    profile = {"environment": "staging", "base_url": sandbox.url, "partner_id": PARTNER_ID, "client_id": CLIENT_ID}
    path = save_profile(home, "acme", profile)
    path.write_text("# by hand\n" + path.read_text())
    sandbox.dialect = replace(Dialect(), get_parameters="query")
    with cn.connect(profile="acme", rate_limit=1000) as client:
        found = examine(client)
    save_profile(home, "acme", {"dialect": found.learned})
    with cn.connect(profile="acme", rate_limit=1000) as client:
        assert client.dialect.get_parameters == "query"
        assert len(cn.load_orders(client, "2026-01-01", "2026-01-31")) > 100
    sandbox.dialect = Dialect()
    assert path.read_text().startswith("# by hand\n")
    assert CLIENT_SECRET not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
