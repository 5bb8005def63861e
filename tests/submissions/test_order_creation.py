"""Test that orders are created once: checked before, never sent twice automatically, settled by lookup."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.create_orders_worker import create_orders
from support.fake_clock import FakeClock
from support.forked import connect, start_process
from support.made_orders import line, lines, order, orders

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, InvalidRequestError, ReadOnlyError
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.settings import resolve_settings
from cenports_nb.submissions.tracking.status_table import format_status

pytestmark = pytest.mark.slow

CHANNEL = "NW-EU"


def create(client: cn.Client, *numbers: str, **options: Any) -> cn.Submission:
    names = numbers or ("A1", "A2", "A3")
    return cn.create_orders(
        client, orders(*map(order, names)), lines(*map(line, names)), **{"channel_id": CHANNEL, **options}
    )


def outcomes(submission: cn.Submission) -> dict[str, str]:
    found = submission.outcomes
    return dict(zip(found["order_no"], found["outcome"], strict=True))


def sent(sandbox: Sandbox, call: str = "POST /orders") -> list[Any]:
    return [request for request in sandbox.requests if f"{request.method} {request.path}" == call]


def in_channel(client: cn.Client, *numbers: str) -> set[str]:
    return set(cn.load_orders(client, order_nos=numbers, channel_id=CHANNEL, refresh=True)["order_no"])


def test_orders_are_created_and_read_back(client: cn.Client, northwind: Sandbox) -> None:
    """They are sent in batches and followed; the result equals the plan."""
    submission = create(client, "0001", "A2", "A3", batch_size=2)
    assert set(outcomes(submission).values()) == {"pending"}
    assert [len(request.params["orders"]) for request in sent(northwind)] == [2, 1]
    submission.wait()
    assert outcomes(submission) == {"0001": "applied", "A2": "applied", "A3": "applied"}
    made = cn.load_orders(client, order_nos=["0001"], channel_id=CHANNEL).iloc[0]
    assert (made["ship_to_postal_code"], made["grand_total"], made["customer_name"]) == ("02139", 55.0, "Ana Trujillo")
    assert cn.open_submission(client, submission.submission_id).transactions["channel_id"].tolist() == [CHANNEL] * 2


def test_orders_come_from_a_file_too(client: cn.Client, tmp_path: Path) -> None:
    """Each row is a line item."""
    path = tmp_path / "orders.csv"
    pd.DataFrame([{**order(), **line()}]).to_csv(path, index=False)
    assert outcomes(cn.create_orders(client, path, channel_id=CHANNEL).wait()) == {"A1": "applied"}
    with pytest.raises(InvalidRequestError, match="leave line_items out"):
        cn.create_orders(client, path, lines(), channel_id=CHANNEL)


def test_a_personal_value_stays_in_the_journal_only_until_it_is_applied(client: cn.Client) -> None:
    """The request is kept only while it may have to be sent again."""
    submission = create(client)
    journal = client.home / "journal.sqlite"

    def holds() -> bool:
        return any(b"Trujillo" in path.read_bytes() for path in client.home.glob("journal.sqlite*"))

    assert journal.exists()
    assert holds()
    submission.wait()
    rows = submission._journal.rows(submission.submission_id)
    assert [row.payload for row in rows] == [None] * 3


def test_invalid_orders_send_nothing(client: cn.Client, northwind: Sandbox) -> None:
    """No token is requested either; a read-only client sends nothing."""
    with pytest.raises(InvalidRequestError, match="grand_total"):
        cn.create_orders(client, orders(order(grand_total=1)), lines(), channel_id=CHANNEL)
    with (
        cn.connect("sandbox", base_url=northwind.url, read_only=True) as reader,
        pytest.raises(ReadOnlyError, match="create_orders"),
    ):
        create(reader)
    assert northwind.requests == []


def test_a_frame_without_orders_sends_nothing(client: cn.Client, northwind: Sandbox) -> None:
    """The submission has no rows."""
    submission = cn.create_orders(client, orders().iloc[:0], lines().iloc[:0], channel_id=CHANNEL)
    assert (len(submission.outcomes), sent(northwind)) == (0, [])


def test_an_order_that_the_channel_has_is_refused(client: cn.Client, northwind: Sandbox) -> None:
    """All orders of the frame are refused with it."""
    there = cn.load_orders(client, "1998-05-01", "1998-05-06", channel_id=CHANNEL)["order_no"].iloc[0]
    with pytest.raises(GuardRailError, match=rf"the first: Order {there}: channel NW-EU has it already") as caught:
        create(client, "A1", there)
    assert caught.value.objections[["channel_id", "order_no", "guard"]].values.tolist() == [[CHANNEL, there, "exists"]]
    assert sent(northwind) == []


def test_a_cell_that_is_run_twice_creates_nothing_twice(client: cn.Client, northwind: Sandbox) -> None:
    """A new order can't be read yet, so the journal is checked first."""
    first = create(client)
    with pytest.raises(GuardRailError, match=f"submission {first.submission_id} created it, or may have") as caught:
        create(client, "A2", "A9")
    assert caught.value.objections[["order_no", "guard"]].values.tolist() == [["A2", "repeated"]]
    assert len(sent(northwind)) == 1
    assert outcomes(create(client, "A2", channel_id="NW-NA").wait()) == {"A2": "applied"}  # its own number there


def test_rows_that_cenports_refuses_are_rejected_and_the_others_looked_for(client: cn.Client) -> None:
    """A failed transaction names only bad rows."""
    of_lines = lines(line(), line("A2", product_sku="nothing"), line("A3"))
    submission = cn.create_orders(client, orders(*map(order, ("A1", "A2", "A3"))), of_lines, channel_id=CHANNEL).wait()
    assert outcomes(submission) == {"A1": "unconfirmed", "A2": "rejected", "A3": "unconfirmed"}
    assert "product sku does not exist" in submission.outcomes["message"].iloc[1]
    submission.verify()
    assert outcomes(submission) == {"A1": "applied", "A2": "rejected", "A3": "applied"}


def test_a_failed_transaction_that_did_nothing_is_shown_so_after_two_looks(
    client: cn.Client, northwind: Sandbox
) -> None:
    """Two readings a minute apart show it; then only rows not applied may be sent again."""
    northwind.dialect = Dialect(failed_applies="nothing")
    fault = northwind.faults.add("failed_rows", "POST /orders", rows=(0,), message="No.")
    submission = create(client).wait()
    submission.verify()
    assert outcomes(submission) == {"A1": "rejected", "A2": "unconfirmed", "A3": "unconfirmed"}
    assert "is not there yet: verify again after" in submission.outcomes["message"].iloc[1]
    client.clock.sleep(61)
    submission.verify()
    assert outcomes(submission) == {"A1": "rejected", "A2": "not_applied", "A3": "not_applied"}
    assert fault.count == 1
    submission.retry().wait()
    assert set(outcomes(submission).values()) == {"applied"}
    assert in_channel(client, "A1", "A2", "A3") == {"A1", "A2", "A3"}


@pytest.mark.parametrize("fault", ["lost", "cut_json"])
def test_an_order_whose_answer_was_lost_is_found(client: cn.Client, northwind: Sandbox, fault: str) -> None:
    """It is in doubt until it can be read, and never sent again automatically."""
    northwind.faults.add(fault, "POST /orders")
    submission = create(client)
    assert set(outcomes(submission).values()) == {"in_doubt"}
    submission.resume()
    submission.retry()
    assert len(sent(northwind)) == 1
    with pytest.raises(GuardRailError, match="created it, or may have"):
        create(client, "A1")
    client.clock.sleep(5)
    submission.verify()
    assert set(outcomes(submission).values()) == {"applied"}


@pytest.mark.parametrize("fault", ["server_error", "reset", "drop"])
def test_an_order_that_never_arrived_is_shown_so_when_it_must_have(
    client: cn.Client, northwind: Sandbox, fault: str
) -> None:
    """After twenty minutes two readings prove its absence, and a retry creates it."""
    northwind.faults.add(fault, "POST /orders")
    submission = create(client, "A1")
    submission.verify()
    client.clock.sleep(300)
    submission.verify()
    assert outcomes(submission) == {"A1": "in_doubt"}
    client.clock.sleep(timedelta(minutes=16).total_seconds())
    submission.verify()
    assert outcomes(submission) == {"A1": "not_applied"}
    submission.retry().wait()
    assert outcomes(submission) == {"A1": "applied"}
    assert len(sent(northwind)) == 2


def test_a_retry_looks_first(client: cn.Client, northwind: Sandbox) -> None:
    """An order created meanwhile is not created again."""
    northwind.faults.add("failed_rows", "POST /orders", rows=(0,), message="No.")
    submission = create(client, "A1").wait()
    northwind.add_order({**_record(client), "orderNo": "A1"})
    submission.retry()
    assert outcomes(submission) == {"A1": "rejected"}
    assert "channel NW-EU has it already" in submission.outcomes["message"].iloc[0]
    assert len(sent(northwind)) == 1


def _record(client: cn.Client) -> dict[str, Any]:
    record: dict[str, Any] = client.api.get_orders(
        channelId=CHANNEL, limit=1, startDate="1996-07-01", endDate="1998-06-01", isPaginated=True
    )["data"][0]
    return record


@pytest.mark.parametrize(("fault", "status"), [("too_many", 429), ("unauthorized", 401)])
def test_unsent_orders_are_resumed_once(client: cn.Client, northwind: Sandbox, fault: str, status: int) -> None:
    """After a refusal sending stops, and resume() looks orders up before continuing."""
    northwind.faults.add(fault, "POST /orders", times=None, **({"retry_after": 100} if status == 429 else {}))
    submission = create(client, batch_size=1)
    assert set(outcomes(submission).values()) == {"not_sent"}
    northwind.faults.clear()
    with pytest.raises(GuardRailError, match="did not send it yet"):
        create(client, "A2")
    submission.resolve("A2", "not_applied", "entered anew")
    repeated = create(client, "A2").wait()
    submission.resume().wait()
    assert outcomes(submission) == {"A1": "applied", "A2": "not_applied", "A3": "applied"}
    submission.retry()
    assert outcomes(submission)["A2"] == "not_applied"
    assert f"submission {repeated.submission_id} created it" in submission.outcomes["message"].iloc[1]


def test_a_batch_that_is_too_large_is_halved(client: cn.Client, northwind: Sandbox) -> None:
    """The refusal changed nothing."""
    northwind.dialect = Dialect(batch_most=2)
    submission = create(client).wait()
    assert set(outcomes(submission).values()) == {"applied"}
    assert [len(request.params["orders"]) for request in sent(northwind)] == [3, 2, 1]


def test_an_unknown_channel_is_refused_before_anything_is_written(client: cn.Client, northwind: Sandbox) -> None:
    """The lookup of existing orders finds it."""
    with pytest.raises(InvalidRequestError, match="channel id does not exist"):
        create(client, channel_id="nowhere")
    assert sent(northwind) == []


def test_a_submission_of_orders_is_looked_at_like_any_other(client: cn.Client) -> None:
    """History, transactions, list and tracker work; stock is unchanged, and resolve() closes a row."""
    of_lines = lines(line(), line("A2", product_sku="nothing"))
    submission = cn.create_orders(client, orders(order(), order("A2")), of_lines, channel_id=CHANNEL).wait()
    assert submission.history[["order_no", "outcome"]].values.tolist() == [
        ["A1", "sending"], ["A2", "sending"], ["A1", "pending"], ["A2", "pending"], ["A1", "unconfirmed"], ["A2", "rejected"],
    ]  # fmt: skip
    assert (len(submission.changes), len(submission.held)) == (0, 0)
    assert submission.transactions[["channel_id", "rows", "status"]].values.tolist() == [[CHANNEL, 2, "FAILED"]]
    listed = cn.list_submissions(home=client.home).iloc[0]
    assert (listed["kind"], listed["rows"], listed["rejected"], listed["open"]) == ("orders", 2, 1, 1)
    assert "A2" in format_status([submission.snapshot()])
    submission.resolve("A1", "applied", "seen at Cenports")
    assert outcomes(submission) == {"A1": "applied", "A2": "rejected"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize("landed", [True, False], ids=["it had left", "it had not"])
def test_killed_while_it_sends_each_order_is_created_once(northwind: Sandbox, landed: bool) -> None:
    """Sent batches are followed, the current one is looked up, and the others are sent."""
    process = start_process(create_orders, northwind.url, 2, 6)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    settings = resolve_settings(
        "staging", base_url=northwind.url, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        rate_limit=100_000,
    )  # fmt: skip
    with Client(settings, clock=FakeClock(northwind)) as client:
        submission = cn.open_submission(client, cn.list_submissions()["submission_id"].iloc[0])
        assert [*outcomes(submission).values()] == ["pending"] * 2 + ["in_doubt"] * 2 + ["not_sent"] * 2
        if landed:  # as if the killed process had got its request out
            rows = submission._journal.rows(submission.submission_id, 1)
            client.api.create_orders(channel_id=CHANNEL, orders=[json.loads(row.payload or "") for row in rows])
        submission.resume().wait()
        client.clock.sleep(25 * 60)
        submission.verify()
        client.clock.sleep(61)
        submission.verify().retry().wait()
        assert set(outcomes(submission).values()) == {"applied"}
        assert in_channel(client, *(f"K{number}" for number in range(6))) == {f"K{number}" for number in range(6)}
    numbers = [one["orderNo"] for request in sent(northwind) for one in request.params["orders"]]
    assert sorted(numbers) == [f"K{number}" for number in range(6)]


def test_two_processes_create_the_same_orders_once(northwind: Sandbox) -> None:
    """The second is refused by the first one's journal entry."""

    def attempt(client: cn.Client) -> str:
        try:
            return create(client).submission_id
        except GuardRailError as error:
            return str(error.objections["guard"].iloc[0])

    with connect(northwind.url) as one, connect(northwind.url) as two, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(attempt, (one, two)))
    assert found.count("repeated") == 1
    assert len(sent(northwind)) == 1
