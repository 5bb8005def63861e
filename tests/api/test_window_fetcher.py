"""Test paging: any known fields are followed, pages read again if records moved, and refused if they lead nowhere."""

import json
from typing import Any

import pytest
from support.api_client import (
    FIRST,
    LIMIT,
    Pages,
    build_spec,
    records_in,
)

from cenports_nb.api.retrieval.results import Retrieval
from cenports_nb.api.retrieval.retrieve import retrieve
from cenports_nb.api.retrieval.windows import ONE_DAY, Window
from cenports_nb.errors import ApiError, AuthenticationError, TransportError, UnexpectedAnswerError

A, B, C = ({"orderNo": name} for name in "ABC")


def _read(client: Pages, window: Window | None = None, **changes: Any) -> Retrieval:
    return retrieve(client, build_spec(**changes), [window or Window()])  # type: ignore[arg-type]


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
def test_pages_are_followed_by_any_known_fields(pages: list[Any]) -> None:
    """Each of Laravel's formats is followed."""
    read = _read(Pages(answers=pages))
    assert ([json.loads(bytes(r))["orderNo"] for r in records_in(read)], read.missing) == (["A", "B", "C"], ())


def test_a_further_page_is_asked_with_its_number_and_all_that_was_asked_before() -> None:
    """Without the filter of page 1 a server would answer another query."""
    client = Pages(answers=[{"data": [A], "last_page": 2}, {"data": [B], "last_page": 2}])
    _read(client, Window(channel_id="X"))
    assert (client.asked[1], client.urls[1]) == ({"channel": "X", "page": 2}, "?page=2")


def test_fields_that_do_not_show_the_end_are_no_paging() -> None:
    """A `meta` without pages, or a current page without a last one: the answer may still be cut."""
    read = _read(
        Pages(answers=[{"data": [{"orderNo": str(i)} for i in range(9)], "meta": {"took": 3}, "current_page": 1}])
    )
    assert len(read.missing) == 1


def test_a_set_that_moves_while_it_is_paged_is_read_again() -> None:
    """The second reading is complete."""
    first = [{"data": [A, B], "last_page": 2, "total": 3}, {"data": [B], "last_page": 2, "total": 3}]
    again = [{"data": [A, B], "last_page": 2, "total": 3}, {"data": [C], "last_page": 2, "total": 3}]
    assert _read(Pages(answers=[*first, *again])).missing == ()


def test_the_same_order_in_two_states_is_one_order() -> None:
    """Distinct keys are counted against the total, not distinct texts."""
    moved = [
        {"data": [A, {"orderNo": "B", "status": "new"}], "last_page": 2, "total": 3},
        {"data": [{"orderNo": "B", "status": "paid"}], "last_page": 2, "total": 3},
    ]
    read = _read(Pages(answers=moved * 3))
    assert "2 records where the answer promises 3" in read.missing[0].reason


def test_a_set_that_never_stands_still_is_missing_after_three_readings() -> None:
    """The records that came are kept."""
    client = Pages(answers=[{"data": [A, B], "next_page_url": None, "total": 3}])
    read = _read(client)
    assert (len(client.asked), len(records_in(read)), len(read.missing)) == (3, 2, 1)


def test_pages_that_are_all_the_first_one_are_not_the_whole() -> None:
    """The server ignores the page number in that place."""
    read = _read(Pages(answers=[{"data": [A, B], "total_pages": 2}]))
    assert len(read.missing) == 1


@pytest.mark.parametrize(
    "pages",
    [
        [{"data": [A], "next_page_url": "http://test/v2/orders?page=2"}],
        [{"data": [A], "next_page_url": "http://test/v2/orders?page=2"}, {"data": [], "last_page": 5}],
    ],
    ids=["circle", "empty-page"],
)
def test_pages_that_lead_nowhere_are_refused(pages: list[Any]) -> None:
    """A loop of links or an empty page with a link is not followed forever."""
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
    """A bare object, a bare list, and `data` with either of them."""
    assert len(records_in(_read(Pages(answers=[body])))) == count


@pytest.mark.parametrize(
    "body", [{"message": "hello"}, {}, "text", 5, None, {"data": "x"}, {"data": [], "total": "many"}]
)
def test_any_other_shape_is_refused(body: Any) -> None:
    """A shape that the reference doesn't explain raises an error."""
    with pytest.raises(UnexpectedAnswerError):
        _read(Pages(answers=[body]))


def test_the_first_failure_stops() -> None:
    """If the first request fails, nothing else is sent."""
    with pytest.raises(TransportError):
        _read(Pages(answers=[TransportError("gone")]))


def _full(size: int = LIMIT) -> dict[str, Any]:
    return {"data": [{"orderNo": str(number)} for number in range(size)]}


@pytest.mark.parametrize("failure", [TransportError("gone"), ApiError("500", status=500)])
def test_a_later_failure_leaves_a_hole_that_is_named(failure: Exception) -> None:
    """The records that came are kept, and the failed window is named with its reason."""
    read = _read(Pages(answers=[_full(), failure, {"data": [A]}]), Window(FIRST, FIRST + 2 * ONE_DAY))
    assert [(hole.window.end, hole.reason) for hole in read.missing] == [(FIRST + ONE_DAY, str(failure))]


def test_credentials_that_end_in_between_stop_everything() -> None:
    """Smaller windows would fail too."""
    with pytest.raises(AuthenticationError):
        _read(Pages(answers=[_full(), AuthenticationError("401", status=401)]), Window(FIRST, FIRST + 2 * ONE_DAY))
