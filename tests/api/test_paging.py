"""Windows and pages: every record arrives, or a window is named that did not."""

import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cenports_nb.api import paging
from cenports_nb.api.dialect import Dialect
from cenports_nb.api.following import Source
from cenports_nb.api.windows import Window, best_cut, chunks_of, covering
from cenports_nb.api.wire import Answer
from cenports_nb.errors import ApiError, AuthenticationError, TransportError, UnexpectedAnswerError

DAY = timedelta(days=1)
FIRST = date(2026, 1, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CAPS = (3, 5, 9)
LIMIT = 10


@dataclass
class Stand:
    """The seams of a client that paging touches; each answer is what `answer` says."""

    settings: Any = field(default_factory=lambda: SimpleNamespace(base_url="http://test/v2", offline=False))
    dialect: Dialect = field(default_factory=Dialect)
    end_included: bool = False
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def wire(self) -> "Stand":
        return self

    def question(self, _path: str, parameters: Mapping[str, Any], url: str | None = None) -> Any:
        return dict(parameters), url

    def find(self, _question: Any, _max_age: float) -> None:
        return None

    def fetch(self, question: Any, *, keep: bool) -> Answer:
        self.asked.append(question[0])
        found = self.answer(*question)
        if isinstance(found, Exception):
            raise found
        return Answer(found if isinstance(found, bytes) else json.dumps(found).encode(), NOW, cached=False)

    def answer(self, parameters: Mapping[str, Any], url: str | None) -> Any:
        raise NotImplementedError


@dataclass
class Account(Stand):
    """A Cenports that answers without page words, cut at a number that nobody is told.

    `ends` is what an end day means; `zone` shifts the server's days by so many hours; `order` is how rows
    are sorted; `repeats` sends each row twice.
    """

    orders: list[dict[str, Any]] = field(default_factory=list)
    cap: int = LIMIT
    ends: str = "excluded"
    zone: int = 0
    order: str = "oldest"
    repeats: bool = False

    def answer(self, parameters: Mapping[str, Any], url: str | None) -> Any:
        found = [order for order in self.orders if self._fits(order, parameters)]
        if self.order == "newest":
            found = found[::-1]
        if self.order == "none":
            found = sorted(found, key=lambda order: zlib.crc32(order["orderNo"].encode()))
        return {"data": [row for row in found[: self.cap] for _ in range(1 + self.repeats)]}

    def _fits(self, order: dict[str, Any], parameters: Mapping[str, Any]) -> bool:
        moment = datetime.fromisoformat(order["orderDate"]) + timedelta(hours=self.zone)
        end = datetime.fromisoformat(parameters.get("end", "2099-01-01")).replace(tzinfo=UTC)
        before_end = {
            "included": moment < end + DAY,
            "excluded": moment < end,
            "midnight": moment <= end,  # as "between" two plain days in SQL
        }[self.ends]
        return (
            moment >= datetime.fromisoformat(parameters.get("start", "1970-01-01")).replace(tzinfo=UTC)
            and before_end
            and parameters.get("channel") in (None, order["channelId"])
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


def _number(record: msgspec.Raw) -> str:
    return str(json.loads(bytes(record)).get("orderNo"))


def _source(**changes: Any) -> Source:
    given: dict[str, Any] = {
        "path": "/orders",
        "limit": LIMIT,
        "parameters": _parameters,
        "known_caps": CAPS,
        "identity": _number,
        "day": lambda record: json.loads(bytes(record)).get("orderDate", ""),
        "channel": lambda record: json.loads(bytes(record)).get("channelId"),
    }
    return Source(**{**given, **changes})


def _account(days: list[int], cap: int = LIMIT, *, minutes: int = 61, **more: Any) -> Account:
    """So many orders on each day, every `minutes` of it; 0 is midnight, all of them."""
    orders = [
        {
            "orderNo": f"{place}-{number}",
            "orderDate": (
                datetime.combine(FIRST + place * DAY, time(), UTC) + timedelta(minutes=minutes * (number % 23))
            ).isoformat(),
            "channelId": "AB"[number % 2],
            "acknowledged": number % 3 == 0,
        }
        for place, count in enumerate(days)
        for number in range(count)
    ]
    return Account(orders=orders, cap=cap, **more)


def _windows(days: int) -> list[Window]:
    """The windows that the loaders ask."""
    return [Window(start, after) for start, after in covering(FIRST, FIRST + (days - 1) * DAY)]


def _numbers(read: paging.Read) -> set[str]:
    return {_number(record) for record in read.records}


READINGS = {
    "ends": st.sampled_from(["included", "excluded", "midnight"]),
    "zone": st.integers(-12, 14),
    "order": st.sampled_from(["oldest", "newest", "none"]),
    "repeats": st.booleans(),
    "minutes": st.sampled_from([0, 1, 30, 61]),
}


@settings(max_examples=300)
@given(
    days=st.lists(st.integers(0, 25), min_size=1, max_size=80),
    cap=st.integers(min(CAPS), LIMIT),
    listed=st.sampled_from([None, ["A", "B"], ["A"]]),
    readings=st.fixed_dictionaries(READINGS),
)
def test_nothing_is_lost_without_its_window_being_named(
    days: list[int], cap: int, listed: list[str] | None, readings: dict[str, Any]
) -> None:
    """Whatever the density, the cap, the zone, the end, the sorting: each order is read, or its window is missing."""
    account = _account(days, cap, **readings)
    source = _source(channels=None if listed is None else lambda: listed)
    read = paging.read(account, source, _windows(len(days)))  # type: ignore[arg-type]
    named = [hole.window for hole in read.missing if hole.window.start and hole.window.end]
    for order in account.orders:
        if order["orderNo"] not in _numbers(read):
            day = (datetime.fromisoformat(order["orderDate"]) + timedelta(hours=readings["zone"])).date()
            assert any(window.start <= day <= window.end for window in named)  # type: ignore[operator]


@settings(max_examples=200)
@given(days=st.lists(st.integers(0, 1), min_size=1, max_size=100), readings=st.fixed_dictionaries(READINGS))
def test_thin_days_are_always_read_whole(days: list[int], readings: dict[str, Any]) -> None:
    """Where no two days come near a cap, nothing is missing."""
    account = _account(days, LIMIT, **{**readings, "repeats": False})
    read = paging.read(account, _source(), _windows(len(days)))  # type: ignore[arg-type]
    assert (_numbers(read), read.missing) == ({order["orderNo"] for order in account.orders}, ())


@settings(max_examples=100)
@given(
    days=st.lists(st.integers(0, 9), min_size=1, max_size=90),
    readings=st.fixed_dictionaries(READINGS),
)
def test_days_below_the_cap_are_read_whole_where_ends_can_be_learnt(days: list[int], readings: dict[str, Any]) -> None:
    """Two channels and two acknowledgements are enough for what shares a day."""
    account = _account(days, LIMIT, **{**readings, "repeats": False, "zone": 0})
    read = paging.read(account, _source(channels=lambda: ["A", "B"]), _windows(len(days)))  # type: ignore[arg-type]
    if readings["ends"] != "midnight" and readings["minutes"] == 61:
        assert read.missing == ()
        assert _numbers(read) == {order["orderNo"] for order in account.orders}


def test_a_cap_that_nobody_knows_is_seen_by_the_longest_answer() -> None:
    """Seven is no known cap; that no answer is longer gives it away."""
    account = _account([2] * 10, cap=7)
    read = paging.read(account, _source(), _windows(10))  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (20, ())


def test_a_short_answer_is_asked_once() -> None:
    """Below the lowest known cap nothing is cut, so a small account costs one request."""
    account = _account([1, 1])
    paging.read(account, _source(), _windows(2))  # type: ignore[arg-type]
    assert len(account.asked) == 1


def test_a_day_that_shares_an_answer_is_asked_alone_where_ends_are_included() -> None:
    """`[d, d]` that returns a row proves it, and the client remembers."""
    account = _account([8, 8, 8], ends="included")
    read = paging.read(account, _source(), _windows(3))  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing, account.end_included) == (24, (), True)


def test_an_end_that_reaches_to_midnight_only_proves_nothing() -> None:
    """A row at midnight of the end day doesn't show that the day is included."""
    account = _account([8, 8, 8], ends="midnight", minutes=0)
    paging.read(account, _source(), _windows(3))  # type: ignore[arg-type]
    assert account.end_included is False


def test_a_full_day_is_split_by_channel_and_acknowledgement() -> None:
    """Days can't be halved; channels can be asked one by one."""
    account = _account([14], cap=9, ends="included")
    read = paging.read(account, _source(channels=lambda: ["A", "B"]), _windows(1))  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (14, ())


def test_a_channel_that_is_not_listed_is_asked_if_it_is_seen() -> None:
    """Old channels may be missing from the list; their orders tell of them."""
    account = _account([14], cap=9, ends="included")
    read = paging.read(account, _source(channels=lambda: ["A"]), _windows(1))  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (14, ())


def test_a_record_in_none_of_the_parts_leaves_a_hole() -> None:
    """Every row of the cut answer must be in a part."""
    account = _account([14], cap=9, ends="included")
    source = _source(channels=lambda: ["A"], channel=lambda _: None)
    read = paging.read(account, source, _windows(1))  # type: ignore[arg-type]
    assert any("in none of the smaller windows" in hole.reason for hole in read.missing)


def test_all_that_is_not_acknowledged_is_cut_by_any_day() -> None:
    """A question without days has none to cut by, so it gets them."""
    account = _account([4, 4, 4, 4], cap=9, ends="included")
    read = paging.read(account, _source(channels=lambda: ["A"], channel=lambda _: None), [Window(acknowledged=False)])  # type: ignore[arg-type]
    wanted = {order["orderNo"] for order in account.orders if not order["acknowledged"] and order["channelId"] == "A"}
    assert wanted <= _numbers(read)


def test_a_full_day_that_cannot_be_split_is_missing_with_its_reason() -> None:
    """An answer that may have been cut never passes as whole."""
    account = _account([30], cap=9, ends="included")
    read = paging.read(account, _source(), _windows(1))  # type: ignore[arg-type]
    assert "may be cut" in read.missing[0].reason


@dataclass
class Pages(Stand):
    """A client whose answers are given one by one; the last one repeats."""

    answers: list[Any] = field(default_factory=list)
    urls: list[str | None] = field(default_factory=list)

    def answer(self, parameters: Mapping[str, Any], url: str | None) -> Any:
        self.urls.append(url)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


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
    read = _read(Pages(answers=pages))
    assert ([json.loads(bytes(r))["orderNo"] for r in read.records], read.missing) == (["A", "B", "C"], ())


def test_a_further_page_is_asked_with_its_number_and_all_that_was_asked_before() -> None:
    """A server that forgets the filter of page 1 would answer something else."""
    client = Pages(answers=[{"data": [A], "last_page": 2}, {"data": [B], "last_page": 2}])
    _read(client, Window(channel_id="X"))
    assert (client.asked[1], client.urls[1]) == ({"channel": "X", "page": 2}, "http://test/v2/orders?page=2")


def test_words_that_say_nothing_of_the_end_are_no_page_words() -> None:
    """A `meta` without pages, a current page without a last one: the answer may still be cut."""
    read = _read(
        Pages(answers=[{"data": [{"orderNo": str(i)} for i in range(9)], "meta": {"took": 3}, "current_page": 1}])
    )
    assert len(read.missing) == 1


def test_a_total_with_nothing_that_leads_on_is_a_cut_answer() -> None:
    """Three of five came, and nothing tells how to get the rest: the window is split."""
    account = _account([5, 5, 5], cap=4, ends="included")
    whole = account.answer

    def with_total(parameters: Mapping[str, Any], url: str | None) -> Any:
        total = sum(account._fits(order, parameters) for order in account.orders)
        return {**whole(parameters, url), "total": total}

    account.answer = with_total  # type: ignore[method-assign]
    read = paging.read(account, _source(channels=lambda: ["A", "B"]), _windows(3))  # type: ignore[arg-type]
    assert (len(_numbers(read)), read.missing) == (15, ())


def test_a_set_that_moves_while_it_is_paged_is_read_again() -> None:
    """The second reading is whole, so nothing is missing."""
    first = [{"data": [A, B], "last_page": 2, "total": 3}, {"data": [B], "last_page": 2, "total": 3}]
    again = [{"data": [A, B], "last_page": 2, "total": 3}, {"data": [C], "last_page": 2, "total": 3}]
    assert _read(Pages(answers=[*first, *again])).missing == ()


def test_the_same_order_in_two_states_is_one_order() -> None:
    """Distinct keys are counted against the total, not distinct texts."""
    moved = [
        {"data": [A, {"orderNo": "B", "status": "new"}], "last_page": 2, "total": 3},
        {"data": [{"orderNo": "B", "status": "paid"}], "last_page": 2, "total": 3},
    ]
    read = _read(Pages(answers=moved * 3), identity=lambda record: json.loads(bytes(record))["orderNo"])
    assert "2 records where the answer promises 3" in read.missing[0].reason


def test_a_set_that_never_stands_still_is_missing_after_three_readings() -> None:
    """Patience has an end, and what came is kept."""
    client = Pages(answers=[{"data": [A, B], "next_page_url": None, "total": 3}])
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
        _read(Pages(answers=pages))


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
    assert len(_read(Pages(answers=[body])).records) == count


@pytest.mark.parametrize(
    "body", [{"message": "hello"}, {}, "text", 5, None, {"data": "x"}, {"data": [], "total": "many"}]
)
def test_any_other_shape_is_refused(body: Any) -> None:
    """What the reference can't explain is not guessed at."""
    with pytest.raises(UnexpectedAnswerError):
        _read(Pages(answers=[body]))


def test_the_first_failure_stops() -> None:
    """Nothing works, so nothing is promised."""
    with pytest.raises(TransportError):
        _read(Pages(answers=[TransportError("gone")]))


def _full(size: int = LIMIT) -> dict[str, Any]:
    return {"data": [{"orderNo": str(number)} for number in range(size)]}


@pytest.mark.parametrize("failure", [TransportError("gone"), ApiError("500", status=500)])
def test_a_later_failure_leaves_a_hole_that_is_named(failure: Exception) -> None:
    """What did arrive is kept, and the window that did not is told with its reason."""
    read = _read(Pages(answers=[_full(), failure, {"data": [A]}]), Window(FIRST, FIRST + 2 * DAY))
    assert [(hole.window.end, hole.reason) for hole in read.missing] == [(FIRST + DAY, str(failure))]


def test_credentials_that_end_in_between_stop_everything() -> None:
    """No smaller window helps."""
    with pytest.raises(AuthenticationError):
        _read(Pages(answers=[_full(), AuthenticationError("401", status=401)]), Window(FIRST, FIRST + 2 * DAY))


@given(st.lists(st.text("0123456789AB-", min_size=1, max_size=255), max_size=60))
def test_chunks_of_order_numbers_fit_and_keep_all(numbers: list[str]) -> None:
    """Joined by commas each chunk fits 255 characters, and together they are what was given, in order."""
    chunks = list(chunks_of(numbers))
    assert all(len(",".join(chunk)) <= 255 for chunk in chunks)
    assert [number for chunk in chunks for number in chunk] == numbers


@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 50), st.booleans())
def test_pieces_cover_the_window(start: int, length: int, pieces: int, tight: bool) -> None:
    """Whether ends are included or not, no day falls between two pieces."""
    window = Window(FIRST + start * DAY, FIRST + (start + length) * DAY)
    cut = window.cut(pieces, tight=tight)
    wanted = {FIRST + (start + i) * DAY for i in range(length)}
    covered = {piece.start + i * DAY for piece in cut for i in range(piece.days)}  # type: ignore[operator]
    assert covered == (wanted if min(pieces, length) > 1 else set())
    assert sum(piece.days for piece in cut) == len(covered)


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.integers(0, 800))
def test_windows_cover_a_day_more_on_both_sides(start: date, length: int) -> None:
    """Each asked as if its end were not included, without a gap, and by whole months where the span is long."""
    end = start + length * DAY
    windows = covering(start, end)
    days = [first + i * DAY for first, after in windows for i in range((after - first).days)]
    assert days == [days[0] + i * DAY for i in range(len(days))]
    assert days[0] <= start - DAY
    assert days[-1] >= end + DAY
    assert len(windows) <= 1 + (end.year * 12 + end.month) - (start.year * 12 + start.month)


def test_tomorrows_twelve_months_are_the_same_questions_but_for_the_youngest() -> None:
    """So most of them are in the cache."""
    today = date(2026, 11, 24)
    first, second = ({*covering(day - 364 * DAY, day)} for day in (today, today + DAY))
    assert first == second


@given(st.integers(1, 400), st.floats(0, 500), st.integers(1, 300))
def test_a_cut_is_between_one_piece_and_one_a_day(days: int, per_day: float, most: int) -> None:
    assert 1 <= best_cut(days, per_day, most) <= days


def test_a_server_that_ignores_the_days_is_not_asked_for_ever() -> None:
    """The same full answer to every window is told for what it is."""
    rows = [{"orderNo": str(number), "orderDate": "2020-01-01T10:01:00Z"} for number in range(LIMIT)]
    stand = Pages(answers=[{"data": rows}])
    read = paging.read(stand, _source(), _windows(300))  # type: ignore[arg-type]
    assert len(stand.asked) == len(_windows(300))
    assert "seems not to read the days" in read.missing[0].reason


Progress = Callable[[int], None]


def test_progress_is_told_once_an_answer() -> None:
    """A bar can count answers."""
    steps: list[int] = []
    account = _account([2] * 10, cap=7)
    paging.read(account, _source(), _windows(10), progress=steps.append)  # type: ignore[arg-type]
    assert len(steps) == len(account.asked)
