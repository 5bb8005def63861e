"""Test tokens, rate limit, routes and bodies of all end points."""

import json
from datetime import timedelta

import pytest
from support.sandbox_requests import CREDENTIALS, NOON, SandboxClient, open_client

from cenports_nb.sandbox import Clock, Sandbox
from cenports_nb.sandbox.http.service import RateLimit

END_POINTS = [
    ("GET", "/orders"),
    ("POST", "/orders"),
    ("PATCH", "/orders/acknowledge"),
    ("GET", "/channels"),
    ("POST", "/channels"),
    ("GET", "/shipments"),
    ("PATCH", "/shipments/acknowledge"),
    ("GET", "/inventories"),
    ("PATCH", "/inventories"),
    ("GET", "/transaction"),
]


def test_right_credentials(sandbox_client: SandboxClient) -> None:
    """They get a token in the documented shape."""
    answer = sandbox_client.send("POST", "/v2/authorize", json.dumps(CREDENTIALS).encode())
    assert answer.body == {
        "scopes": ["basic", "view-account"],
        "token_type": "Bearer",
        "expires_in": 86400,
        "access_token": answer.body["access_token"],
    }
    assert answer.body["access_token"].count(".") == 2


@pytest.mark.parametrize("name", CREDENTIALS)
def test_a_wrong_credential(sandbox_client: SandboxClient, name: str) -> None:
    """It is refused with 401, whichever it is."""
    answer = sandbox_client.send("POST", "/v2/authorize", json.dumps({**CREDENTIALS, name: "x"}).encode())
    assert (answer.status, answer.body) == (401, {"message": "Client authentication failed"})


def test_missing_credentials(sandbox_client: SandboxClient) -> None:
    """Every missing one is named at once."""
    assert sandbox_client.send("POST", "/v2/authorize", b"{}").errors == {
        "grant_type": ["The grant_type field is required."],
        "client_id": ["The client_id field is required."],
        "client_secret": ["The client_secret field is required."],
    }


@pytest.mark.parametrize(("method", "path"), END_POINTS)
def test_no_token(sandbox_client: SandboxClient, method: str, path: str) -> None:
    """Every other end point answers 401."""
    sandbox_client.token = None
    answer = sandbox_client.call(method, path)
    assert (answer.status, answer.body) == (401, {"message": "Unauthenticated."})


@pytest.mark.parametrize("header", ["Basic {}", "{}", "Bearer x{}", "Bearer"])
def test_a_header_of_another_kind(sandbox_client: SandboxClient, header: str) -> None:
    """Only `Bearer TOKEN` is taken."""
    answer = sandbox_client.send("GET", "/v2/orders", b"{}", Authorization=header.format(sandbox_client.token))
    assert answer.status == 401


def test_a_token_grows_old(sandbox_client: SandboxClient) -> None:
    """It works just under twelve hours of the sandbox clock, and no longer, whatever expires_in says."""
    sandbox_client.sandbox.clock.advance(timedelta(hours=12) - timedelta(seconds=1))
    assert sandbox_client.get("/orders").status == 200
    sandbox_client.sandbox.clock.advance(1)
    assert sandbox_client.get("/orders").status == 401
    assert sandbox_client.log_in().get("/orders").status == 200


@pytest.mark.parametrize(("method", "path"), END_POINTS)
@pytest.mark.parametrize("partner", ["ACME", None, 7, ["SANDBOX"]])
def test_another_partner(northwind: SandboxClient, method: str, path: str, partner: object) -> None:
    """It is refused with the reference's own words."""
    answer = (
        northwind.send("GET", f"/v2/channels?partnerId={partner}", **northwind.authorization)
        if (method, path) == ("GET", "/channels")
        else northwind.call(method, path, partnerId=partner)
    )
    assert answer.errors["partnerId"] == ["The partner id is not valid, please try again."]


@pytest.mark.parametrize("path", ["/v2/nothing", "/v2", "/", "/orders", "/v2/orders/", "/v3/orders"])
def test_an_unknown_path(northwind: SandboxClient, path: str) -> None:
    """It is 404 with a message."""
    answer = northwind.send("GET", path, **northwind.authorization)
    assert answer.status == 404
    assert "could not be found" in answer.body["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/orders", "GET, POST"),
        ("GET", "/authorize", "POST"),
        ("PUT", "/inventories", "GET, PATCH"),
    ],
)
def test_a_wrong_method(northwind: SandboxClient, method: str, path: str, allowed: str) -> None:
    """It is 405 and says what would be right."""
    answer = northwind.call(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"text"', b"7", b"null", b'{"limit": NaN}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_body_that_is_no_object(northwind: SandboxClient, body: bytes) -> None:
    """It is 400, and the connection goes on."""
    answer = northwind.send("GET", "/v2/orders", body, **northwind.authorization)
    assert (answer.status, answer.body) == (400, {"message": "The request body must be a JSON object."})
    assert northwind.get("/orders").status == 200


def test_a_body_over_ten_mebibytes(sandbox_client: SandboxClient) -> None:
    """It is 413 even to a sender that sends all of it first."""
    body = json.dumps({"partnerId": "SANDBOX", "orders": "x" * 10 * 2**20}).encode()
    assert sandbox_client.send("POST", "/v2/orders", body, **sandbox_client.authorization).status == 413


@pytest.mark.parametrize(
    "header", [{"Content-Length": "many"}, {"Content-Length": "-1"}, {"Transfer-Encoding": "chunked"}]
)
def test_a_body_of_unknown_length(sandbox_client: SandboxClient, header: dict[str, str]) -> None:
    """It is 400 and ends the connection, as where it stops can't be known."""
    answer = sandbox_client.send("POST", "/v2/orders", None, **header)
    assert (answer.status, answer.headers["Connection"]) == (400, "close")


def test_parameters_in_the_wrong_place(northwind: SandboxClient) -> None:
    """A query where a body is read, and a body where a query is read, count as missing."""
    for answer in (
        northwind.send("GET", "/v2/orders?partnerId=SANDBOX", **northwind.authorization),
        northwind.get("/channels"),
    ):
        assert list(answer.errors) == ["partnerId"]


def test_more_requests_than_the_limit() -> None:
    """The one too many gets 429 with whole seconds to wait, changes nothing, and is recorded."""
    for sandbox_client in open_client(Sandbox(shift=False, rate_limit=3)):
        order = sandbox_client.get("/orders", isAcknowledged=False, limit=1).data[0]
        assert sandbox_client.get("/orders").status == 200
        place = {"channelId": order["channelId"], "orders": order["orderNo"]}
        answer = sandbox_client.call("PATCH", "/orders/acknowledge", **place)
        assert (answer.status, answer.body) == (429, {"message": "Too Many Attempts."})
        assert 50 < int(answer.headers["Retry-After"]) <= 60
        assert not sandbox_client.sandbox.state.orders.find(order["channelId"], order["orderNo"]).acknowledged
        assert [request.status for request in sandbox_client.sandbox.requests] == [200, 200, 200, 429]


def test_the_rate_limit_over_a_minute() -> None:
    """Any window of sixty seconds holds at most the limit; refused requests don't count."""
    clock = [0.0]
    limit = RateLimit(2, now=lambda: clock[0])
    waits = []
    for clock[0] in (0.0, 10.0, 20.0, 59.5, 60.0, 60.0, 70.0):
        waits.append(limit.admit())
    assert waits == [0.0, 0.0, 40.0, 0.5, 0.0, 10.0, 0.0]


def test_no_rate_limit(northwind: SandboxClient) -> None:
    """None lets any number through."""
    path = "/v2/channels?partnerId=SANDBOX"
    assert {northwind.send("GET", path, **northwind.authorization).status for _ in range(70)} == {200}


def test_what_is_recorded(sandbox_client: SandboxClient) -> None:
    """Method, end point, merged parameters and status, and neither token nor secret."""
    sandbox_client.sandbox.requests.clear()
    sandbox_client.log_in()
    sandbox_client.send(
        "GET", "/v2/orders?page=2", b'{"partnerId": "SANDBOX", "isPaginated": true}', **sandbox_client.authorization
    )
    first, second = sandbox_client.sandbox.requests
    assert (first.method, first.path, first.status) == ("POST", "/authorize", 200)
    assert second.params == {"page": "2", "partnerId": "SANDBOX", "isPaginated": True}
    text = repr([sandbox_client.sandbox.requests, sandbox_client.sandbox, sandbox_client.sandbox.state])
    assert CREDENTIALS["client_secret"] not in text
    assert str(sandbox_client.token) not in text


def test_the_clock_runs() -> None:
    """By itself it is real time; frozen it only moves by hand; it never goes back."""
    frozen = Clock(frozen_at=NOON)
    frozen.advance(timedelta(minutes=1))
    frozen.advance(0.5)
    assert frozen.now() == NOON + timedelta(seconds=60.5)
    running = Clock()
    before = running.now()
    running.advance(60)
    assert running.now() - before >= timedelta(seconds=60)
    with pytest.raises(ValueError, match="forward"):
        frozen.advance(-1)
    with pytest.raises(ValueError, match="time zone"):
        Clock(frozen_at=NOON.replace(tzinfo=None))
