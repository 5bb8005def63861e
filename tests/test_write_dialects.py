"""Writes through every reading of the reference: the same outcomes, row by row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import BusinessError
from cenports_nb.sandbox import Clock, Dialect, Sandbox
from cenports_nb.settings import resolve_settings

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
DIALECTS = [
    Dialect(transaction_ids="number"),
    Dialect(transaction_ids="text"),
    Dialect(handles="upper"),
    Dialect(handles="lower"),
    Dialect(transaction_errors="pairs"),
    Dialect(transaction_errors="map"),
    Dialect(get_parameters="either"),
    Dialect(quantities="decimal_text", misspelt=False),
    Dialect(available_clamped=True, available_scope="channel"),
]


@pytest.fixture
def sandbox_and_client() -> Iterator[tuple[Sandbox, Client]]:
    with Sandbox(orders=200, seed=2, rate_limit=None, clock=Clock(frozen_at=NOON)) as sandbox:
        settings = resolve_settings("sandbox", base_url=sandbox.url, rate_limit=100_000)
        with Client(settings, clock=FakeClock(sandbox)) as client:
            yield sandbox, client


def _submit(client: Client, rows: int, *, unknown: bool, batch_size: int = 500) -> cn.Submission:
    """Set so many SKUs of one warehouse to 7, and one that does not exist."""
    actual = cn.load_actual_stock(client)
    code = actual["warehouse_code"].iloc[0]
    counts = actual[actual["warehouse_code"] == code].head(rows)[["warehouse_code", "product_sku"]].assign(quantity=7)
    if unknown:
        counts.loc[counts.index[1], "product_sku"] = "NO SUCH SKU"
    return cn.submit_updates(
        client,
        cn.build_true_up(counts, actual),
        allow=["unknown_sku", "max_drop", "max_total_drop", "discontinued"],
        batch_size=batch_size,
    )


@pytest.mark.parametrize("dialect", DIALECTS, ids=repr)
def test_outcomes_are_the_same_in_every_reading(sandbox_and_client: tuple[Sandbox, Client], dialect: Dialect) -> None:
    """Rows 15 to 17: ids, handles and errors in any form; then the stock settles what is left."""
    sandbox, client = sandbox_and_client
    sandbox.dialect = dialect
    submission = _submit(client, 4, unknown=True).wait()
    assert submission.outcomes["outcome"].tolist() == ["unconfirmed", "rejected", "unconfirmed", "unconfirmed"]
    assert "NO SUCH SKU" in submission.outcomes["message"][1]
    assert submission.verify().outcomes["outcome"].tolist() == ["applied", "rejected", "applied", "applied"]


@pytest.mark.parametrize("shape", ["texts", "text", "none"])
def test_errors_without_an_index_confirm_nothing(sandbox_and_client: tuple[Sandbox, Client], shape: str) -> None:
    """Row 16: nobody knows which row failed, so the stock decides for each."""
    sandbox, client = sandbox_and_client
    sandbox.dialect = Dialect(transaction_errors=shape)
    submission = _submit(client, 4, unknown=True).wait()
    assert set(submission.outcomes["outcome"]) == {"unconfirmed"}
    outcomes = submission.verify().outcomes["outcome"].tolist()
    assert outcomes[0] == outcomes[2] == outcomes[3] == "applied"
    assert outcomes[1] != "applied"


def test_a_failed_transaction_may_have_applied_nothing(sandbox_and_client: tuple[Sandbox, Client]) -> None:
    """Row 17: two readings of the stock, a minute apart, show it."""
    sandbox, client = sandbox_and_client
    sandbox.dialect = Dialect(failed_applies="nothing")
    submission = _submit(client, 4, unknown=True).wait().verify()
    assert set(submission.outcomes["outcome"]) == {"unconfirmed", "rejected"}
    client.clock.sleep(90)
    assert submission.verify().outcomes["outcome"].tolist() == ["not_applied", "rejected", "not_applied", "not_applied"]


@pytest.mark.parametrize("status", [413, 422])
def test_a_batch_that_is_too_large_is_halved(sandbox_and_client: tuple[Sandbox, Client], status: int) -> None:
    """Row 22: refused before any processing, so it is sent again in halves; no row is lost or doubled."""
    sandbox, client = sandbox_and_client
    sandbox.dialect = replace(Dialect(), batch_most=5, too_many=status)
    submission = _submit(client, 17, unknown=False).wait()
    outcomes = submission.outcomes
    assert outcomes["outcome"].tolist() == ["applied"] * 17
    assert outcomes["product_sku"].is_unique
    assert outcomes.groupby("batch")["row"].apply(list).map(lambda rows: rows == list(range(len(rows)))).all()
    assert submission.transactions["rows"].max() <= 5
    assert submission.transactions["rows"].sum() == 17
    accepted = [request for request in sandbox.requests if request.method == "PATCH" and request.status == 200]
    assert sum(len(request.params["inventories"]) for request in accepted) == 17


@pytest.mark.parametrize("refusals", ["documented", "objects", "map", "not_json"])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_refusal_is_read_in_every_shape(
    sandbox_and_client: tuple[Sandbox, Client], refusals: str, hidden: bool
) -> None:
    """Rows 18 and 21: 400 with errors of any shape, with its status or with 200."""
    sandbox, client = sandbox_and_client
    sandbox.dialect = Dialect(refusals=refusals, errors_as_200=hidden)
    with pytest.raises((BusinessError, cn.errors.TransportError), match=r"NOPE|not with whole JSON") as caught:
        client.api.acknowledge_orders(channel_id="GEN-WEB", orders=["NOPE"])
    if isinstance(caught.value, BusinessError) and refusals != "not_json":
        assert "NOPE" in caught.value.errors[0]
