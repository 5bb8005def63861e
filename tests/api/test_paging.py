"""Windows and pages: every record arrives, or a window is named that did not."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.api import paging
from cenports_nb.api.paging import Source, Window, chunks_of
from cenports_nb.api.wire import Answer
from cenports_nb.errors import ApiError, AuthenticationError, TransportError, UnexpectedAnswerError

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CAPS = (3, 5, 9)
LIMIT = 10


@dataclass
class Account:
    """A Cenports that answers without page words, cut at a number that nobody is told."""

    orders: list[dict[str, Any]]
    cap: int
    end_included: bool
    asked: list[Mapping[str, Any]] = field(default_factory=list)
    settings: Any = field(default_factory=lambda: SimpleNamespace(base_url="http://test/v2"))

    def get(self, path: str, parameters: Mapping[str, Any], **_: Any) -> Answer:
        self.asked.append(parameters)
        found = [order for order in self.orders if self._fits(order, parameters)]
        return Answer(json.dumps({"data": found[: self.cap]}).encode(), NOW, cached=False)

    def _fits(self, order: dict[str, Any], parameters: Mapping[str, Any]) -> bool:
        day, end = order["day"], parameters.get("end", "9")
        return (
            parameters.get("start", "") <= day
            and (day < end or (self.end_included and day == end))
            and parameters.get("channel") in (None, order["channel"])
            and parameters.get("acknowledged") in (None, order["acknowledged"])
        )


def _parameters(window: Window) -> dict[str, Any]:
    asked = {
        "start": window.start and window.start.isoformat(),
        "end": window.end and window.end.isoformat(),
        "channel": window.channel_id,
        "acknowledged": window.acknowledged,
    }
    return {name: value for name, value in asked.items() if value is not None}


def _source(**changes: Any) -> Source:
    given: dict[str, Any] = {"path": "/orders", "limit": LIMIT, "parameters": _parameters, "known_caps": CAPS}
    return Source(**{**given, **changes})


def _account(days: list[int], cap: int = LIMIT, *, end_included: bool = False) -> Account:
    orders = [
        {
            "orderNo": f"{place}-{number}",
            "day": (FIRST + place * DAY).isoformat(),
            "channel": "AB"[number % 2],
            "acknowledged": number % 3 == 0,
        }
        for place, count in enumerate(days)
        for number in range(count)
    ]
    return Account(orders, cap, end_included)


def _padded(days: int) -> Window:
    """The window that the loaders ask: a day wider in front, two behind."""
    return Window(FIRST - DAY, FIRST + (days + 1) * DAY)


def _numbers(read: paging.Read) -> set[str]:
    return {json.loads(bytes(record))["orderNo"] for record in read.records}


@given(
    days=st.lists(st.integers(0, 25), min_size=1, max_size=14),
    cap=st.integers(min(CAPS), LIMIT),
    end_included=st.booleans(),
    by_channel=st.booleans(),
)
def test_splitting_loses_nothing_without_saying_so(
    days: list[int], cap: int, end_included: bool, by_channel: bool
) -> None:
    """Whatever the density, the cap and the meaning of the end: each order is read, or its window is missing."""
    account = _account(days, cap, end_included=end_included)
    source = _source(channels=(lambda: ["A", "B"]) if by_channel else None)
    read = paging.read(account, source, [_padded(len(days))])  # type: ignore[arg-type]
    lost = [order for order in account.orders if order["orderNo"] not in _numbers(read)]
    named = [hole.window for hole in read.missing if hole.window.start and hole.window.end]
    for order in lost:
        day = date.fromisoformat(order["day"])
        assert any(window.start <= day <= window.end for window in named)  # type: ignore[operator]


@given(days=st.lists(st.integers(0, 2), min_size=1, max_size=40), end_included=st.booleans())
def test_thin_days_are_always_read_whole(days: list[int], end_included: bool) -> None:
    """Where no day comes near a cap, nothing is missing."""
    account = _account(days, LIMIT, end_included=end_included)
    read = paging.read(account, _source(), [_padded(len(days))])  # type: ignore[arg-type]
    assert (_numbers(read), read.missing) == ({order["orderNo"] for order in account.orders}, ())


def test_a_cap_that_nobody_knows_is_seen_by_the_longest_answer() -> None:
    """Seven is no known cap; that no answer is longer gives it away."""
    account = _account([2] * 10, cap=7)
    read = paging.read(account, _source(), [_padded(10)])  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (20, ())


def test_a_short_answer_is_asked_once() -> None:
    """Below the lowest known cap nothing is cut, so a small account costs one request."""
    account = _account([1, 1])
    paging.read(account, _source(), [_padded(2)])  # type: ignore[arg-type]
    assert len(account.asked) == 1


def test_a_full_day_is_split_by_channel_and_acknowledgement() -> None:
    """Days can't be halved; channels can be asked one by one."""
    account = _account([14], cap=9, end_included=True)
    read = paging.read(account, _source(channels=lambda: ["A", "B"]), [_padded(1)])  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (14, ())


def test_a_channel_that_is_not_listed_leaves_a_hole() -> None:
    """Every row of the cut answer must be in a part: old channels may be missing from the list."""
    account = _account([14], cap=9, end_included=True)
    read = paging.read(account, _source(channels=lambda: ["A"]), [_padded(1)])  # type: ignore[arg-type]
    assert [hole.window.start for hole in read.missing] == [FIRST]


def test_a_full_day_that_cannot_be_split_is_missing_with_its_reason() -> None:
    """An answer that may have been cut never passes as whole."""
    account = _account([30], cap=9, end_included=True)
    read = paging.read(account, _source(), [_padded(1)])  # type: ignore[arg-type]
    assert "may be cut" in read.missing[0].reason


@dataclass
class Pages:
    """A client whose answers are given one by one; a callable answers by what was asked."""

    answers: list[Any]
    asked: list[tuple[Mapping[str, Any], str | None]] = field(default_factory=list)
    settings: Any = field(default_factory=lambda: SimpleNamespace(base_url="http://test/v2"))

    def get(self, path: str, parameters: Mapping[str, Any], *, url: str | None = None, **_: Any) -> Answer:
        self.asked.append((parameters, url))
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Answer(body, NOW, cached=False)


A, B, C = ({"orderNo": name} for name in "ABC")


def _read(client: Pages, window: Window | None = None, **changes: Any) -> paging.Read:
    return paging.read(client, _source(**changes), [window or Window()])  # type: ignore[arg-type]


BUTTONS = [{"url": None, "label": "&laquo; Previous", "active": False}]


@pytest.mark.parametrize(
    "pages",
    [
        [{"data": [A, B], "next_page_url": "http://test/v2/orders?page=2"}, {"data": [C], "next_page_url": None}],
        [{"data": [A, B], "links": {"next": "http://test/v2/orders?page=2"}}, {"data": [C], "links": {"next": None}}],
        [{"data": [A, B], "meta": {"last_page": 2, "total": 3}}, {"data": [C], "meta": {"last_page": 2, "total": 3}}],
        [{"data": [A, B], "last_page": "2", "total": "3"}, {"data": [C], "last_page": "2", "total": "3"}],
        [
            {"data": [A, B], "links": BUTTONS, "next_page_url": "http://test/v2/orders?page=2", "total": 3},
            {"data": [C], "links": BUTTONS, "next_page_url": None, "total": 3},
        ],
    ],
    ids=["next-page-url", "links", "meta", "numbers-as-text", "laravel-buttons"],
)
def test_pages_are_followed_by_whichever_words_they_have(pages: list[Any]) -> None:
    """Laravel's habits, each of them."""
    read = _read(Pages(pages))
    assert ([json.loads(bytes(r))["orderNo"] for r in read.records], read.missing) == (["A", "B", "C"], ())


def test_a_further_page_is_asked_with_its_number_and_all_that_was_asked_before() -> None:
    """A server that forgets the filter of page 1 would answer something else."""
    client = Pages([{"data": [A], "last_page": 2}, {"data": [B], "last_page": 2}])
    _read(client, Window(channel_id="X"))
    assert client.asked[1] == ({"channel": "X", "page": 2}, "http://test/v2/orders?page=2")


def test_words_that_say_nothing_of_the_end_are_no_page_words() -> None:
    """A `meta` without pages, a current page without a last one: the answer may still be cut."""
    read = _read(Pages([{"data": [{"orderNo": str(i)} for i in range(9)], "meta": {"took": 3}, "current_page": 1}]))
    assert len(read.missing) == 1


def test_a_total_with_nothing_that_leads_on_is_a_cut_answer() -> None:
    """Three of five came, and nothing tells how to get the rest: the window is split."""
    account = _account([5, 5, 5], cap=4)
    whole = account.get

    def with_total(path: str, parameters: Mapping[str, Any], **more: Any) -> Answer:
        body = json.loads(whole(path, parameters, **more).body)
        total = sum(account._fits(order, parameters) for order in account.orders)
        return Answer(json.dumps({**body, "total": total}).encode(), NOW, cached=False)

    account.get = with_total  # type: ignore[method-assign]
    read = paging.read(account, _source(channels=lambda: ["A", "B"]), [_padded(3)])  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (15, ())


def test_a_set_that_moves_while_it_is_paged_is_read_again() -> None:
    """The second reading is whole, so nothing is missing."""
    first = [{"data": [A, B], "last_page": 2, "total": 3}, {"data": [B], "last_page": 2, "total": 3}]
    again = [{"data": [A, B], "last_page": 2, "total": 3}, {"data": [C], "last_page": 2, "total": 3}]
    assert _read(Pages([*first, *again])).missing == ()


def test_the_same_order_in_two_states_is_one_order() -> None:
    """Distinct keys are counted against the total, not distinct texts."""
    moved = [
        {"data": [A, {"orderNo": "B", "status": "new"}], "last_page": 2, "total": 3},
        {"data": [{"orderNo": "B", "status": "paid"}], "last_page": 2, "total": 3},
    ]
    read = _read(Pages(moved * 3), identity=lambda record: json.loads(bytes(record))["orderNo"])
    assert "2 records where the answer promises 3" in read.missing[0].reason


def test_a_set_that_never_stands_still_is_missing_after_three_readings() -> None:
    """Patience has an end, and what came is kept."""
    client = Pages([{"data": [A, B], "next_page_url": None, "total": 3}])
    read = _read(client)
    assert (len(client.asked), len(read.records), len(read.missing)) == (3, 2, 1)


@pytest.mark.parametrize(
    "pages",
    [
        [{"data": [A], "next_page_url": "http://test/v2/orders?page=2"}],
        [{"data": [A], "next_page_url": "http://test/v2/orders?page=2"}, {"data": [], "last_page": 5}],
    ],
    ids=["circle", "empty-page"],
)
def test_pages_that_lead_nowhere_are_refused(pages: list[Any]) -> None:
    """Neither a circle nor an empty page that points on is followed for ever."""
    with pytest.raises(UnexpectedAnswerError):
        _read(Pages(pages))


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ([A, B], 2),
        (A, 1),
        ({"data": A}, 1),
        ({"data": [A]}, 1),
        ({"data": []}, 0),
        ({"data": None}, 0),
        ([], 0),
        ({"orderNo": "A", "notes": {"merchantMsg": 'say "data"'}}, 1),
        ({"warehouseCode": "W"}, 1),
        ({"channelId": "X"}, 1),
    ],
)
def test_every_envelope_reads_the_same(body: Any, count: int) -> None:
    """A bare object, a bare list, `data` with either."""
    assert len(_read(Pages([body])).records) == count


@pytest.mark.parametrize(
    "body", [{"message": "hello"}, {}, "text", 5, None, {"data": "x"}, {"data": [], "total": "many"}]
)
def test_any_other_shape_is_refused(body: Any) -> None:
    """What the reference can't explain is not guessed at."""
    with pytest.raises(UnexpectedAnswerError):
        _read(Pages([body]))


def test_the_first_failure_stops() -> None:
    """Nothing works, so nothing is promised."""
    with pytest.raises(TransportError):
        _read(Pages([TransportError("gone")]))


def _full(size: int = LIMIT) -> dict[str, Any]:
    return {"data": [{"orderNo": str(number)} for number in range(size)]}


@pytest.mark.parametrize("failure", [TransportError("gone"), ApiError("500", status=500)])
def test_a_later_failure_leaves_a_hole_that_is_named(failure: Exception) -> None:
    """What did arrive is kept, and the window that did not is told with its reason."""
    read = _read(Pages([_full(), failure, {"data": [A]}]), Window(FIRST, FIRST + 2 * DAY))
    assert [(hole.window.end, hole.reason) for hole in read.missing] == [(FIRST + DAY, str(failure))]


def test_credentials_that_end_in_between_stop_everything() -> None:
    """No smaller window helps."""
    with pytest.raises(AuthenticationError):
        _read(Pages([_full(), AuthenticationError("401", status=401)]), Window(FIRST, FIRST + 2 * DAY))


@given(st.lists(st.text("0123456789AB-", min_size=1, max_size=255), max_size=60))
def test_chunks_of_order_numbers_fit_and_keep_all(numbers: list[str]) -> None:
    """Joined by commas each chunk fits 255 characters, and together they are what was given, in order."""
    chunks = list(chunks_of(numbers))
    assert all(len(",".join(chunk)) <= 255 for chunk in chunks)
    assert [number for chunk in chunks for number in chunk] == numbers


@given(st.integers(0, 400), st.integers(0, 400))
def test_halves_cover_the_window_and_share_their_edge(start: int, length: int) -> None:
    """Whether ends are included or not, no day falls between two halves."""
    window = Window(FIRST + start * DAY, FIRST + (start + length) * DAY)
    halves = window.halves()
    edges = [(half.start, half.end) for half in halves]
    assert (
        edges == []
        if length <= 1
        else (edges[0][0], edges[1][1], edges[0][1])
        == (
            window.start,
            window.end,
            edges[1][0],
        )
    )


Progress = Callable[[int], None]


def test_progress_is_told_once_an_answer() -> None:
    """A bar can count answers."""
    steps: list[int] = []
    account = _account([2] * 10, cap=7)
    paging.read(account, _source(), [_padded(10)], progress=steps.append)  # type: ignore[arg-type]
    assert len(steps) == len(account.asked)
