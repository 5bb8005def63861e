"""Test which requests a fault affects, how often, and its answers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, open_client

from cenports_nb.sandbox import Fault, Sandbox
from cenports_nb.sandbox.http.service import RateLimit

ANSWERS: list[tuple[str, dict[str, Any], int, str, bytes]] = [
    ("too_many", {}, 429, "application/json", b"Too Many Attempts."),
    ("too_many", {"retry_after": "86400"}, 429, "application/json", b"Too Many Attempts."),
    ("too_many", {"retry_after": "garbage"}, 429, "application/json", b"Too Many Attempts."),
    ("server_error", {}, 500, "application/json", b'{"message":"Server Error"}'),
    ("server_error", {"status": 504}, 504, "application/json", b'{"message":"Server Error"}'),
    ("bad_gateway", {}, 502, "text/html", b"<h1>502 Bad Gateway</h1>"),
    ("unavailable", {}, 503, "application/json", b"Service Unavailable"),
    ("unavailable", {"retry_after": "0"}, 503, "application/json", b"Service Unavailable"),
    ("html", {}, 200, "text/html; charset=UTF-8", b"<title>Log in</title>"),
    ("empty", {}, 200, "application/json", b""),
    ("garbage", {}, 200, "application/json", b""),
    ("error_200", {}, 200, "application/json", b'{"code":"50001","message":"Sorry'),
    ("wrong_shape", {}, 200, "application/json", b'{"data":"hello"}'),
    ("unauthorized", {}, 401, "application/json", b"Unauthenticated."),
    ("redirect", {}, 302, "text/html; charset=UTF-8", b""),
]


def send_get(sandbox_client: SandboxClient, path: str = "/orders") -> Any:
    return sandbox_client.send_raw(
        "GET", f"/v2{path}", b'{"partnerId":"SANDBOX","channelId":"NW-EU"}', **sandbox_client.authorization
    )


@pytest.mark.parametrize(("kind", "options", "status", "content_type", "text"), ANSWERS)
def test_another_answer(
    sandbox_client: SandboxClient, kind: str, options: dict[str, Any], status: int, content_type: str, text: bytes
) -> None:
    """It comes once, is counted and recorded, and the connection goes on."""
    fault = sandbox_client.sandbox.faults.add(kind, **options)
    answer = send_get(sandbox_client)
    assert (answer.status, answer.headers["Content-Type"]) == (status, content_type)
    assert text in answer.body
    assert answer.headers["Retry-After"] == options.get("retry_after")
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    used = sandbox_client.connection.sock
    assert send_get(sandbox_client).status == 200
    assert sandbox_client.connection.sock is used
    assert fault.count == 1
    assert [(request.status, request.fault) for request in sandbox_client.sandbox.requests[1:]] == [
        (status, kind),
        (200, None),
    ]


def test_bytes_without_sense(sandbox_client: SandboxClient) -> None:
    """They are no text, and always the same."""
    sandbox_client.sandbox.faults.add("garbage", times=2)
    first, second = send_get(sandbox_client).body, send_get(sandbox_client).body
    assert first == second
    assert len(first) > 100
    with pytest.raises(UnicodeDecodeError):
        first.decode()


def test_a_redirection(sandbox_client: SandboxClient) -> None:
    """It leads wherever the test wants."""
    sandbox_client.sandbox.faults.add("redirect")
    sandbox_client.sandbox.faults.add("redirect", to="https://evil.example/")
    places = [send_get(sandbox_client).headers["Location"] for _ in range(2)]
    assert places == ["http://127.0.0.1:9/v2/elsewhere", "https://evil.example/"]


def test_tokens_that_are_forgotten(sandbox_client: SandboxClient) -> None:
    """Every token is dead from then on, and a new one works."""
    fault = sandbox_client.sandbox.faults.add("expired_token")
    assert [send_get(sandbox_client).status for _ in range(2)] == [401, 401]
    assert send_get(sandbox_client.log_in()).status == 200
    assert fault.count == 1


@pytest.mark.parametrize("pages", ["laravel", "links", "next"])
@pytest.mark.parametrize("relative", [True, False])
def test_a_link_to_somewhere_else(sandbox_client: SandboxClient, pages: str, relative: bool) -> None:
    """Only the link to the next page leads there; all else is as usual."""

    def words() -> Any:
        body = sandbox_client.get("/orders", isPaginated=True).body
        return body["links"] if pages == "links" else body

    name = "next" if pages == "links" else "next_page_url"
    sandbox_client.set_dialect(pages=pages, relative_links=relative)
    usual = words()
    sandbox_client.sandbox.faults.add("foreign_link")
    foreign = words()
    assert foreign[name] == "https://evil.example/v2/orders?page=2"
    assert {**foreign, name: usual[name]} == usual


@pytest.mark.parametrize(("path", "envelope"), [("/orders", "data"), ("/orders", "list"), ("/shipments", "data")])
def test_an_answer_without_links(sandbox_client: SandboxClient, path: str, envelope: str) -> None:
    """There is nothing that could lead anywhere."""
    sandbox_client.set_dialect(envelope=envelope)
    usual = send_get(sandbox_client, path).body
    sandbox_client.sandbox.faults.add("foreign_link", f"GET {path}", host="http://127.0.0.1:1")
    assert send_get(sandbox_client, path).body == usual


def test_a_link_in_what_is_no_json(sandbox_client: SandboxClient) -> None:
    """It is sent as it is."""
    sandbox_client.set_dialect(refusals="not_json")
    sandbox_client.sandbox.faults.add("foreign_link", "*")
    body = b'{"partnerId":"SANDBOX","channelId":"NW-EU","orders":"nope"}'
    assert (
        sandbox_client.send_raw("PATCH", "/v2/orders/acknowledge", body, **sandbox_client.authorization).status == 400
    )


def test_which_requests_a_fault_hits(sandbox_client: SandboxClient) -> None:
    """So many pass first, then so many are struck, of one call only."""
    fault = sandbox_client.sandbox.faults.add("server_error", after=2, times=2)
    assert send_get(sandbox_client, "/shipments").status == 200
    assert [send_get(sandbox_client).status for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    assert fault.count == 2


def test_a_fault_without_end(sandbox_client: SandboxClient) -> None:
    """It ends when it is cleared, and keeps its count."""
    fault = sandbox_client.sandbox.faults.add("unavailable", "*", times=None)
    assert {send_get(sandbox_client, path).status for path in ("/orders", "/shipments", "/nothing")} == {503}
    assert sandbox_client.log_in().sandbox.requests[-1].status == 200
    sandbox_client.sandbox.faults.clear()
    assert send_get(sandbox_client).status == 200
    assert fault.count == 3


def test_a_fault_of_the_token(sandbox_client: SandboxClient) -> None:
    """POST /authorize is struck only by name."""
    sandbox_client.sandbox.faults.add("server_error", "POST /authorize")
    assert sandbox_client.send_raw("POST", "/v2/authorize", b"{}").status == 500


@pytest.mark.parametrize(
    ("page", "asked", "statuses"), [(1, "", [500, 200]), (1, "?page=1", [500, 200]), (2, "", [200, 500])]
)
def test_a_fault_of_one_page(sandbox_client: SandboxClient, page: int, asked: str, statuses: list[int]) -> None:
    """The first page is also the one that is not asked for; the number may be in the body."""
    sandbox_client.sandbox.faults.add("server_error", page=page)
    first = sandbox_client.send("GET", f"/v2/orders{asked}", b'{"partnerId":"SANDBOX"}', **sandbox_client.authorization)
    second = sandbox_client.get("/orders", isPaginated=True, page=2)
    assert [first.status, second.status] == statuses


def test_several_faults(sandbox_client: SandboxClient) -> None:
    """The first that concerns a request strikes it alone; only a request that passes is counted as passed."""
    first = sandbox_client.sandbox.faults.add("unavailable", times=1)
    second = sandbox_client.sandbox.faults.add("server_error", after=1)
    assert repr(sandbox_client.sandbox.faults) == "<Faults unavailable (0), server_error (0)>"
    assert [send_get(sandbox_client).status for _ in range(4)] == [503, 200, 500, 200]
    assert (first.count, second.count) == (1, 1)
    sandbox_client.sandbox.faults.clear()
    assert repr(sandbox_client.sandbox.faults) == "<Faults none>"


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        (("nonsense",), {}, "use one of too_many, server_error"),
        (("slow",), {"second": 1}, "its options are seconds"),
        (("drop",), {"seconds": 1}, "its options are none"),
        (("drop", "GET /order"), {}, r"use one of \*, POST /authorize"),
        (("failed_rows",), {}, r"use one of \*, POST /orders"),
        (("drop",), {"after": -1}, "at least 0"),
        (("drop",), {"times": 0}, "at least 1"),
        (("drop",), {"page": 0}, "at least 1"),
    ],
)
def test_a_fault_that_there_is_not(arguments: tuple[str, ...], options: dict[str, Any], said: str) -> None:
    """It is refused, and what there is is listed."""
    with pytest.raises(ValueError, match=said):
        Sandbox(orders=0).faults.add(*arguments, **options)


def test_the_kinds() -> None:
    """They are listed, and each can be added without options."""
    faults = Sandbox(orders=0).faults
    added = [faults.add(kind, "*") for kind in faults.kinds]
    assert len(added) == 27
    assert all(isinstance(fault, Fault) and fault.count == 0 for fault in added)


def test_faults_and_the_rate_limit() -> None:
    """A struck request counts; one over the limit is refused before a fault sees it."""
    for sandbox_client in open_client(Sandbox(shift=False, rate_limit=3)):
        fault = sandbox_client.sandbox.faults.add("too_many", times=None)
        answers = [send_get(sandbox_client) for _ in range(3)]
        assert [answer.status for answer in answers] == [429, 429, 429]
        assert [answer.headers["Retry-After"] is None for answer in answers] == [True, True, False]
        assert fault.count == 2
        assert [request.fault for request in sandbox_client.sandbox.requests[1:]] == ["too_many", "too_many", None]


def test_another_window_of_the_rate_limit() -> None:
    """It is as long as the test wants."""
    for sandbox_client in open_client(Sandbox(shift=False, rate_limit=1, rate_window=7)):
        assert 5 <= int(send_get(sandbox_client).headers["Retry-After"]) <= 7
    clock = [0.0]
    limit = RateLimit(1, window=0.5, now=lambda: clock[0])
    waits = []
    for clock[0] in (0.0, 0.25, 0.5, 0.75):
        waits.append(limit.admit())
    assert waits == [0.0, 0.25, 0.0, 0.25]
    with pytest.raises(ValueError, match="rate_window"):
        Sandbox(orders=0, rate_window=0)


def test_many_requests_at_once(sandbox_client: SandboxClient) -> None:
    """A fault that strikes so often strikes exactly so often."""
    fault = sandbox_client.sandbox.faults.add("server_error", after=5, times=20)

    def one(_: int) -> int:
        other = SandboxClient(sandbox_client.sandbox)
        other.token = sandbox_client.token
        try:
            return int(send_get(other).status)
        finally:
            other.connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(one, range(60)))
    assert (statuses.count(500), statuses.count(200), fault.count) == (20, 40, 20)
