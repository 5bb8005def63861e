"""Test answers that the reference allows and answers that faults on the way produce."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_clock import FakeClock
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.retrieval.windows import chunk_order_numbers
from cenports_nb.settings import resolve_settings

DAYS = ("2026-01-01", "2026-01-31")


def order(number: int) -> dict[str, Any]:
    line = {"orderNo": str(number), "lineItem": "1", "productSku": "0012", "quantity": "2.0", "price": 1.5}
    return {
        "orderNo": f"{number:04}", "orderDate": f"2026-01-{1 + number % 28:02}T10:00:00Z", "channelId": "C", "lineItems": [line],
    }  # fmt: skip


ORDERS = [order(number) for number in range(1, 6)]


DROPPED = Reply(dropped=True)


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    return Reply(value, status, {name.replace("_", "-"): text for name, text in headers.items()})


@contextmanager
def connected(**calls: list[Reply]) -> Iterator[tuple[Client, ScriptedServer]]:
    """Connect to a server that answers calls such as `GET_orders`, each with its list of answers."""
    server = ScriptedServer()
    for call, answers in calls.items():
        server.on(call.replace("_", " /"), *answers)
    settings = resolve_settings("sandbox", base_url=server.url, rate_limit=100_000)
    try:
        with Client(settings, clock=FakeClock()) as client:
            yield client, server
    finally:
        server.close()


def page(records: list[Any], number: int, of: int, total: int, style: str, base: str = "") -> dict[str, Any]:
    """Make a page in one of Laravel's formats."""
    if style == "links":
        following = f"{base}/orders?page={number + 1}" if number < of else None
        return {
            "data": records,
            "links": {"next": following},
            "meta": {"current_page": number, "last_page": of, "total": total},
        }
    return {"data": records, "current_page": number, "last_page": of, "total": total}


@pytest.mark.parametrize(
    "body",
    [ORDERS, {"data": ORDERS}, {"data": ORDERS, "code": 200, "status": "success"}, {"data": ORDERS, "code": "200"}],
    ids=["bare list", "data", "envelope", "code as text"],
)
def test_every_envelope_reads_the_same(body: object) -> None:
    """A bare list and every envelope give the same five orders, with leading zeros."""
    with connected(GET_orders=[reply(body)]) as (client, _):
        assert list(cn.load_orders(client, *DAYS)["order_no"]) == ["0001", "0002", "0003", "0004", "0005"]


@pytest.mark.parametrize("body", [ORDERS[0], {"data": ORDERS[0]}], ids=["bare object", "data object"])
def test_one_order_may_come_as_an_object(body: object) -> None:
    """The reference's own example is one bare object."""
    with connected(GET_orders=[reply(body)]) as (client, _):
        assert list(cn.load_line_items(client, *DAYS)["quantity"]) == [2]


@pytest.mark.parametrize("style", ["links", "numbers"])
def test_pages_are_followed_in_each_format(style: str) -> None:
    """With `links` and `meta`, or page numbers only, each page is requested once."""
    pages = [reply(page(ORDERS[:3], 1, 2, 5, style)), reply(page(ORDERS[3:], 2, 2, 5, style))]
    with connected(GET_orders=pages) as (client, server):
        assert len(cn.load_orders(client, *DAYS)) == 5
    assert len(server.of("GET /orders")) == 2
    assert server.requests[-1].body["page"] == 2


def test_a_next_link_to_another_host_never_gets_the_token(server: ScriptedServer) -> None:
    """The link is refused, and the host gets no request."""
    body = {"data": ORDERS, "next_page_url": f"{server.url}/orders?page=2", "current_page": 1, "last_page": 2}
    with connected(GET_orders=[reply(body)]) as (client, _), pytest.raises(cn.errors.UnexpectedAnswerError):
        cn.load_orders(client, *DAYS)
    assert server.requests == []


def test_pages_that_hold_fewer_than_promised_are_incomplete() -> None:
    """The pages are read again, then reported as incomplete."""
    body = page(ORDERS, 1, 1, 7, "numbers")
    with connected(GET_orders=[reply(body)]) as (client, _), pytest.raises(cn.errors.IncompleteError) as caught:
        cn.load_orders(client, *DAYS)
    assert len(caught.value.partial) == 5


@pytest.mark.parametrize(
    "bad",
    [
        DROPPED,
        reply(b""),
        reply(b"<html>sorry</html>"),
        reply(b'{"data": [{"orderNo": "1"'),
        Reply({"data": []}, cut=3),
        reply({"message": "oops"}, 500),
        reply({"message": "slow down"}, 429),
        reply({"message": "slow down"}, 429, Retry_After="0"),
        reply({"message": "slow down"}, 429, Retry_After="soon"),
        reply({"message": "who?"}, 401),
    ],
    ids=["dropped", "empty", "html", "cut", "short", "500", "429", "429 at once", "429 garbage", "401"],
)
def test_a_failure_that_passes_is_not_seen(bad: Reply) -> None:
    """After one bad answer and a good one the frame is complete, and only the good answer is cached."""
    with connected(GET_orders=[bad, reply({"data": ORDERS})]) as (client, server):
        assert len(cn.load_orders(client, *DAYS)) == 5
        assert len(cn.load_line_items(client, *DAYS)) == 5
    assert len(server.of("GET /orders")) == 2


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (DROPPED, cn.errors.TransportError),
        (reply(b"<html>"), cn.errors.TransportError),
        (reply({"message": "oops"}, 503), cn.errors.ApiError),
        (reply({"message": "no"}, 401), cn.errors.AuthenticationError),
        (reply({"message": "later"}, 429, Retry_After="86400"), cn.errors.RateLimitedError),
        (reply({"code": "50001", "message": "no", "errors": ["x"]}, 400), cn.errors.BusinessError),
        (reply({"code": 500, "message": "no", "data": []}), cn.errors.BusinessError),
        (reply({"message": "bad", "errors": {"startDate": ["no"]}}, 422), cn.errors.InvalidRequestError),
        (reply(42), cn.errors.CenportsError),
    ],
)
def test_a_failure_that_stays_is_its_own_error(bad: Reply, error: type[Exception]) -> None:
    """Each kind of bad answer raises its own class, in one line, without token or secret."""
    with connected(GET_orders=[bad]) as (client, _), pytest.raises(error) as caught:
        cn.load_orders(client, *DAYS)
    assert "\n" not in str(caught.value)
    assert "token-" not in repr(caught.value)


def test_a_bad_record_is_a_reject_and_its_neighbours_are_unharmed() -> None:
    """An order without a number and a line of half a unit are rejected, with the reason and their JSON."""
    broken = [{**ORDERS[0], "orderNo": None}, {**ORDERS[1], "lineItems": [{"productSku": "A", "quantity": "1.5"}]}]
    with connected(GET_orders=[reply({"data": [*broken, *ORDERS[2:]]})]) as (client, _):
        with pytest.warns(cn.errors.RejectedRowsWarning):
            lines = cn.load_line_items(client, *DAYS)
        with pytest.warns(cn.errors.RejectedRowsWarning):
            orders = cn.load_orders(client, *DAYS)
    assert list(lines["order_no"]) == ["0003", "0004", "0005"]
    assert list(orders["order_no"]) == ["0002", "0003", "0004", "0005"]
    assert len(cn.rejected(lines)) == 2
    assert '"1.5"' in cn.rejected(lines)["record"].str.cat()


STOCK = {
    "data": [
        {"warehouseCode": "W", "warehouseName": "W", "warehouseInventory": [{"productSku": "A", "quantity": "5"}, {"productSku": "B", "quantity": 7}]},
        {"warehouseCode": "V", "warehouseInventory": [{"productSku": "A", "quantity": "9"}]},
    ]
}  # fmt: skip
ACCEPTED, ACCEPTED_NEXT = (
    reply({"id": 1, "handle": handle, "status": "PROCESSING", "submitted_at": None, "completed_at": None})
    for handle in ("H", "H-2")
)


@pytest.mark.parametrize(
    ("first", "outcomes"),
    [
        (ACCEPTED, ["pending", "pending", "pending"]),
        (reply({"message": "bad", "errors": {"inventories": ["no"]}}, 422), ["rejected", "rejected", "pending"]),
        (reply({"code": "50001", "message": "no"}, 400), ["rejected", "rejected", "pending"]),
        (reply({"message": "no"}, 401), ["pending", "pending", "pending"]),
        (reply({"message": "later"}, 429, Retry_After="86400"), ["not_sent", "not_sent", "not_sent"]),
        (reply({"message": "oops"}, 500), ["in_doubt", "in_doubt", "pending"]),
        (DROPPED, ["in_doubt", "in_doubt", "pending"]),
        (reply(b"<html>"), ["in_doubt", "in_doubt", "pending"]),
    ],
    ids=["200", "422", "400", "401 once", "429", "500", "dropped", "unreadable 200"],
)
def test_the_answer_to_a_write_decides_its_rows(first: Reply, outcomes: list[str]) -> None:
    """Refused, not sent, or in doubt: each batch by what was seen, and a doubtful one is never sent twice."""
    with connected(GET_inventories=[reply(STOCK)], PATCH_inventories=[first, ACCEPTED_NEXT, ACCEPTED]) as (
        client,
        server,
    ):
        actual = cn.load_actual_stock(client)
        counts = actual[["warehouse_code", "product_sku", "quantity"]].sort_values("warehouse_code", ascending=False)
        updates = cn.build_true_up(counts.assign(quantity=50), actual)
        submission = cn.submit_updates(client, updates)
        assert list(submission.outcomes["outcome"]) == outcomes
        assert len(server.of("PATCH /inventories")) == {"not_sent": 1}.get(outcomes[2], 2) + (
            first == reply({"message": "no"}, 401)
        )


@given(st.lists(st.text(st.characters(exclude_characters=","), min_size=1, max_size=255), max_size=40))
def test_chunks_of_order_numbers_lose_none_and_fit(numbers: list[str]) -> None:
    """Every number is in one chunk, in order, and a joined chunk has at most 255 characters."""
    chunks = list(chunk_order_numbers(numbers))
    assert [number for chunk in chunks for number in chunk] == numbers
    assert all(len(",".join(chunk)) <= 255 for chunk in chunks)
