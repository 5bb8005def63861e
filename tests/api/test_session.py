"""Test one request: retries, refusals, broken answers, and the error of each."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.scripted_server import SECRET, TOKEN, Reply, ScriptedServer

from cenports_nb.api.client import Client
from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    InvalidRequestError,
    RateLimitedError,
    ReadOnlyError,
    TransportError,
    UnexpectedAnswerError,
)

Connect = Callable[..., Client]
GOOD = Reply({"data": [{"channelId": "A"}]})


def _channels(client: Client) -> Any:
    return client.api.get_channels()


def _write(client: Client) -> Any:
    return client.api.update_inventories(
        warehouse_code="W", inventories=[{"productSKU": "A", "type": "TRUE_UP", "quantity": 1}]
    )


@pytest.mark.parametrize(
    "broken",
    [
        Reply(status=500, body=b"oops"),
        Reply(status=502, body=b"<html>Bad Gateway</html>"),
        Reply(status=503),
        Reply(reset=True),
        Reply(cut=3),
        Reply(body=b""),
        Reply(body=b"<!doctype html><p>maintenance</p>"),
        Reply(body=b'{"data": [{"channelId": "A"}'),
        Reply(body=b'{"data": []} trailing'),
    ],
    ids=["500", "502", "503", "reset", "cut", "empty", "html", "half-json", "trailing"],
)
def test_a_read_that_fails_once_is_asked_again(server: ScriptedServer, staging: Connect, broken: Reply) -> None:
    """Repeating a read does no harm."""
    server.on("GET /channels", broken, GOOD)
    assert _channels(staging()) == {"data": [{"channelId": "A"}]}


@pytest.mark.parametrize("broken", [Reply(status=500), Reply(reset=True), Reply(body=b"<html>")], ids=str)
def test_a_write_that_fails_is_never_repeated(server: ScriptedServer, staging: Connect, broken: Reply) -> None:
    """The write may have been applied."""
    server.on("PATCH /inventories", broken)
    with pytest.raises(CenportsError):
        _write(staging())
    assert len(server.of("PATCH /inventories")) == 1


def test_a_read_that_keeps_failing_ends_after_four_tries(server: ScriptedServer, staging: Connect) -> None:
    """The error names the request."""
    server.on("GET /channels", Reply(status=503))
    with pytest.raises(ApiError, match="GET /v2/channels with 503: try again later"):
        _channels(staging())
    assert len(server.of("GET /channels")) == 4


def test_one_call_works_for_a_minute_at_most(server: ScriptedServer, staging: Connect) -> None:
    """Retries share the time limit of one call."""
    clock = FakeClock()

    def slow(_: Any) -> Reply:
        clock.advance(35)
        return Reply(status=500)

    server.on("GET /channels", slow)
    with pytest.raises(CenportsError):
        _channels(staging(clock))
    assert len(server.of("GET /channels")) == 2


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [("7", 7.0), ("0", 0.0), ("-3", 0.0), ("soon", 0.0), ("1.5", 1.5), ("nan", 0.0), ("", 0.0)],
)
def test_a_429_is_waited_for_as_long_as_it_asks(
    server: ScriptedServer, staging: Connect, retry_after: str, waits: float
) -> None:
    """An unreadable Retry-After is ignored, and no pause is added to one of zero."""
    clock = FakeClock()
    server.on("GET /channels", Reply(status=429, headers={"Retry-After": retry_after}), GOOD)
    _channels(staging(clock))
    (slept,) = clock.sleeps
    assert waits <= slept <= max(waits, 1.0)


def test_retry_after_may_be_a_date(server: ScriptedServer, staging: Connect) -> None:
    """HTTP allows seconds and dates."""
    clock = FakeClock()
    date = format_datetime(clock.now() + timedelta(seconds=20), usegmt=True)
    server.on("GET /channels", Reply(status=429, headers={"Retry-After": date}), GOOD)
    _channels(staging(clock))
    assert clock.sleeps == [20.0]


def test_a_429_that_asks_for_hours_is_not_waited_for(server: ScriptedServer, staging: Connect) -> None:
    """The error says when to try again."""
    server.on("GET /channels", Reply(status=429, headers={"Retry-After": "21600"}))
    with pytest.raises(RateLimitedError) as caught:
        _channels(staging())
    assert caught.value.retry_after == 21600


def test_a_429_repeats_a_write_too(server: ScriptedServer, staging: Connect) -> None:
    """A 429 refuses the request before it is processed."""
    server.on("PATCH /inventories", Reply(status=429), Reply({"handle": "h", "status": "QUEUED"}))
    assert _write(staging())["handle"] == "h"


def test_waiting_for_a_429_is_counted(server: ScriptedServer, staging: Connect) -> None:
    """`usage` includes the time waited."""
    server.on("GET /channels", Reply(status=429, headers={"Retry-After": "9"}), GOOD)
    client = staging()
    _channels(client)
    assert (client.usage.sent, client.usage.retried, client.usage.waited_s) == (3, 1, 9.0)


def test_a_401_gets_one_new_token(server: ScriptedServer, staging: Connect) -> None:
    """A token that ended early is renewed silently."""
    server.on("GET /channels", Reply(status=401), GOOD)
    _channels(staging())
    assert len(server.of("POST /authorize")) == 2


def test_a_401_repeats_a_write_too(server: ScriptedServer, staging: Connect) -> None:
    """A 401 refuses the request before it is processed."""
    server.on("PATCH /inventories", Reply(status=401), Reply({"handle": "h"}))
    assert _write(staging())["handle"] == "h"


def test_a_401_with_a_new_token_is_an_error(server: ScriptedServer, staging: Connect) -> None:
    """The credentials are refused, not only the token."""
    server.on("GET /channels", Reply(status=401))
    with pytest.raises(AuthenticationError, match="check client id and secret"):
        _channels(staging())
    assert len(server.of("GET /channels")) == 2


def test_refused_credentials_are_not_tried_again(server: ScriptedServer, staging: Connect) -> None:
    """Repeated attempts may lock the account."""
    server.on("POST /authorize", Reply(status=401))
    with pytest.raises(AuthenticationError):
        _channels(staging())
    assert len(server.requests) == 1


def test_eight_threads_share_one_token(server: ScriptedServer, staging: Connect) -> None:
    """The first request that needs a token fetches it once for all threads."""
    server.on("GET /channels", GOOD)
    client = staging()
    start = threading.Barrier(8)

    def ask(_: int) -> Any:
        start.wait()
        return _channels(client)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(server.of("POST /authorize")) == 1


@pytest.mark.parametrize(
    ("answer", "life"),
    [
        ({"expires_in": 86400}, 12 * 3600),
        ({"expires_in": "600"}, 600),
        ({"exp": 900}, 900),
        ({"exp": datetime(2026, 3, 1, 13, tzinfo=UTC).timestamp()}, 3600),
        ({"access_token": "a.eyJleHAiOjE3NzIzNjgyMDB9.b"}, 1800),
    ],
    ids=["12-hours", "expires-in", "exp-span", "exp-date", "jwt"],
)
def test_a_token_lives_as_long_as_the_shortest_of_its_words(
    server: ScriptedServer, staging: Connect, answer: dict[str, Any], life: float
) -> None:
    """Twelve hours, `expires_in`, `exp` as field or claim: whichever ends first, less a minute."""
    clock = FakeClock()
    server.on("POST /authorize", Reply({"access_token": TOKEN, **answer})).on("GET /channels", GOOD)
    client = staging(clock)
    _channels(client)
    clock.advance(life - 61)
    _channels(client)
    before = len(server.of("POST /authorize"))
    clock.advance(2)
    _channels(client)
    assert (before, len(server.of("POST /authorize"))) == (1, 2)


@pytest.mark.parametrize("token", ["", "two\r\nlines", "ключ"], ids=["empty", "line-break", "not-ascii"])
def test_a_token_that_no_header_can_carry_is_refused(server: ScriptedServer, staging: Connect, token: str) -> None:
    """The error describes the token without showing it."""
    server.on("POST /authorize", Reply({"access_token": token}))
    with pytest.raises(UnexpectedAnswerError, match="no header can carry"):
        _channels(staging())


def test_the_request_travels_as_the_reference_shows_it(server: ScriptedServer, staging: Connect) -> None:
    """Parameters of GET /orders are in a JSON body with the partner id, those of /channels in the query."""
    server.on("GET /orders", Reply()).on("GET /channels", GOOD)
    client = staging()
    client.api.get_orders(limit=5)
    _channels(client)
    orders, channels = server.of("GET /orders")[0], server.of("GET /channels")[0]
    assert (orders.body, orders.query) == ({"partnerId": "P-1", "limit": 5}, {})
    assert (channels.body, channels.query) == (None, {"partnerId": "P-1"})


def test_only_needed_headers_leave_the_machine(server: ScriptedServer, staging: Connect) -> None:
    """The request has no headers besides those the API needs."""
    server.on("GET /orders", Reply())
    staging().api.get_orders(limit=5)
    sent = {name.lower() for name in server.of("GET /orders")[0].headers}
    expected = {"authorization", "accept", "accept-encoding", "user-agent", "content-type", "content-length"}
    assert sent - {"host", "connection"} == expected


@pytest.mark.parametrize(
    "envelope",
    [
        {"code": 50001},
        {"code": "401", "data": []},
        {"errors": ["no"]},
        {"status": "error"},
        {"status": "error", "data": []},
        {"errors": ["no"], "data": {}},
        {"error": "no", "data": None},
        {"success": False, "data": []},
    ],
)
def test_a_200_that_tells_of_an_error_is_one(
    server: ScriptedServer, staging: Connect, envelope: dict[str, Any]
) -> None:
    """The envelope decides, not the status."""
    server.on("GET /orders", Reply({"message": "We can't do that.", **envelope}))
    with pytest.raises(BusinessError, match="We can't do that"):
        staging().api.get_orders(limit=5)


@pytest.mark.parametrize("nothing", [None, [], {}, ""])
def test_empty_errors_are_no_error(server: ScriptedServer, staging: Connect, nothing: Any) -> None:
    """PHP sends empty `errors` with good answers."""
    server.on("GET /orders", Reply({"message": "OK", "errors": nothing}))
    assert staging().api.get_orders(limit=5)["message"] == "OK"


def test_a_422_tells_field_by_field(server: ScriptedServer, staging: Connect) -> None:
    """Cenports' messages are kept for people and for programs."""
    errors = {"channelId": ["The channel id does not exist."], "limit": ["Too many.", "Too odd."]}
    server.on("GET /orders", Reply({"message": "The given data was invalid.", "errors": errors}, 422))
    with pytest.raises(InvalidRequestError, match="channelId: The channel id does not exist") as caught:
        staging().api.get_orders(limit=5)
    assert (caught.value.status, caught.value.errors) == (422, errors)


@pytest.mark.parametrize(
    ("errors", "texts"),
    [
        (["The orderNo A is not able to update."], ["The orderNo A is not able to update."]),
        ([{"message": "a"}, {"message": "b"}], ["a", "b"]),
        ({"0": "a", "1": ["b", "c"]}, ["a", "b", "c"]),
        ("a", ["a"]),
        (None, []),
    ],
)
def test_a_400_tells_its_errors_in_any_shape(
    server: ScriptedServer, staging: Connect, errors: Any, texts: list[str]
) -> None:
    """The reference's example is not JSON, so any shape may come."""
    server.on("GET /orders", Reply({"code": "50001", "message": "Sorry.", "errors": errors}, 400))
    with pytest.raises(BusinessError) as caught:
        staging().api.get_orders(limit=5)
    assert (caught.value.code, caught.value.errors) == ("50001", texts)


def test_a_400_that_is_not_json_shows_its_text(server: ScriptedServer, staging: Connect) -> None:
    """The error shows it as the reference prints it."""
    server.on("GET /orders", Reply(b'{"code": "50001", "errors": [{"no such order"},]}', 400))
    with pytest.raises(BusinessError, match="no such order"):
        staging().api.get_orders(limit=5)


@pytest.mark.parametrize("status", [301, 403, 404, 405, 418])
def test_any_other_status_is_an_api_error(server: ScriptedServer, staging: Connect, status: int) -> None:
    """Redirects are not followed, because the token would go with them."""
    server.on("GET /channels", Reply(status=status, headers={"Location": "http://127.0.0.1:9/"}))
    with pytest.raises(ApiError) as caught:
        _channels(staging())
    assert (caught.value.status, len(server.of("GET /channels"))) == (status, 1)


def test_a_201_is_an_answer_too(server: ScriptedServer, staging: Connect) -> None:
    """An accepted write must not look refused."""
    server.on("PATCH /inventories", Reply({"handle": "h"}, 201))
    assert _write(staging())["handle"] == "h"


def test_nesting_that_is_too_deep_is_refused(server: ScriptedServer, staging: Connect) -> None:
    """It neither crashes the parser nor counts as a temporary failure."""
    server.on("GET /channels", Reply(b"[" * 100_000 + b"]" * 100_000))
    with pytest.raises(UnexpectedAnswerError, match="nested too deeply"):
        _channels(staging())


def test_a_refused_connection_means_not_sent(staging: Connect) -> None:
    """The error says that a write was not sent."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = staging(base_url=f"http://127.0.0.1:{free.getsockname()[1]}/v2")
        with pytest.raises(TransportError) as caught:
            _channels(client)
    assert caught.value.reached is False


def test_a_write_without_a_token_was_not_sent(server: ScriptedServer, staging: Connect) -> None:
    """If no token can be fetched, the write is known not to be sent."""
    server.on("POST /authorize", Reply(status=500))
    with pytest.raises(ApiError) as caught:
        _write(staging())
    assert caught.value.reached is False


def test_a_read_only_client_sends_no_write(server: ScriptedServer, staging: Connect) -> None:
    """Not even a token is requested."""
    with pytest.raises(ReadOnlyError, match="read_only=False"):
        _write(staging(read_only=True))
    assert server.requests == []


@pytest.mark.parametrize("status", [200, 400, 422, 401, 429, 500])
def test_echoed_secrets_are_redacted(server: ScriptedServer, staging: Connect, status: int) -> None:
    """No error contains the token or the secret, even if an answer repeats them."""
    echo = {"code": "50001", "message": f"{TOKEN} {SECRET}", "errors": {"a": [f"{SECRET} {TOKEN}"]}}
    server.on("PATCH /inventories", Reply(echo, status))
    with pytest.raises(CenportsError) as caught:
        _write(staging())
    reported = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert TOKEN not in reported
    assert SECRET not in reported


def test_secrets_echoed_in_html_are_redacted(server: ScriptedServer, staging: Connect) -> None:
    """The beginning of a non-JSON answer is shown redacted."""
    server.on("PATCH /inventories", Reply(f"<p>{TOKEN}</p>".encode()))
    with pytest.raises(TransportError, match="not with whole JSON") as caught:
        _write(staging())
    assert TOKEN not in str(caught.value)


def test_a_closed_client_raises_an_error(staging: Connect) -> None:
    """A cell that runs after the `with` block gets a one-line error."""
    client = staging()
    client.close()
    with pytest.raises(CenportsError, match="closed: connect again"):
        _channels(client)
