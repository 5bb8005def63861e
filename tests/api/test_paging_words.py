"""Test that paging fields of an answer are understood in any spelling, or taken as a sign of further pages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cenports_nb.api.http.record_page import extract_records
from cenports_nb.api.http.responses import parse_body
from cenports_nb.errors import UnexpectedAnswerError

NEXT = "https://x.example/orders?page=2"
ROWS = [{"orderNo": str(i)} for i in range(5)]


def read(body: Any, headers: dict[str, str] | None = None) -> Any:
    page = extract_records("/orders", parse_body("GET /orders", json.dumps(body).encode()), headers or {})
    return page.info


@pytest.mark.parametrize(
    "words",
    [
        {"has_more": True}, {"hasMore": 1}, {"HasNextPage": "true"}, {"truncated": True}, {"is_last_page": False},
        {"next_cursor": "abc"}, {"nextPageToken": "abc"}, {"continuation": "abc"}, {"next_page": 2}, {"nextOffset": 5},
        {"pageInfo": {"hasNextPage": True}}, {"meta": {"pagination": 3, "cursor": "x"}}, {"paging": {"next": "abc"}},
        {"pagination": {"foo": 3}}, {"last": False}, {"scroll_id": "x"}, {"rows_remaining": 7}, {"count": 6},
        {"resultCount": "9"}, {"@odata.count": 8}, {"per_page": 5}, {"pageSize": 5, "page": 1}, {"limit": 5},
        {"meta": {"perPage": 5}}, {"page_range": "1-2"}, {"next": {"page": 2}},
    ],
)  # fmt: skip
def test_words_that_tell_of_more_without_an_address(words: dict[str, Any]) -> None:
    """The fields are in the body or, as single values, in the headers."""
    info = read({"data": ROWS, **words})
    assert info.is_cut(5)
    assert info.next is None
    if not any(isinstance(value, dict) for value in words.values()) and "@" not in str(words) and len(words) == 1:
        headers = {f"X-{name.replace('_', '-').title()}": str(value) for name, value in words.items()}
        known = read(ROWS, headers)
        assert known.is_cut(5) or set(words) & {"last", "scroll_id", "rows_remaining", "page_range"}


@pytest.mark.parametrize(
    "words",
    [
        {}, {"has_more": False}, {"hasNextPage": "false"}, {"next_cursor": None}, {"next_page_url": None}, {"last": True},
        {"count": 5}, {"count": 2}, {"per_page": 50}, {"limit": 300}, {"page": 1}, {"current_page": 1, "from": 1, "to": 5},
        {"meta": {"request": "x"}}, {"links": []}, {"links": {"self": NEXT, "prev": None}}, {"discount": 900},
        {"next_page_url": None, "per_page": 5}, {"total": 5, "per_page": 5}, {"last_page": 1, "per_page": 5},
        {"message": "next page"}, {"pagination": {}}, {"truncated": False}, {"rows_remaining": 0},
    ],
)  # fmt: skip
def test_words_that_tell_of_nothing_more(words: dict[str, Any]) -> None:
    """Fields that end the pages, or don't concern them."""
    assert not read({"data": ROWS, **words}).is_cut(5)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"next_page_url": NEXT}, {}), ({"nextPageUrl": NEXT}, {}), ({"links": {"next": NEXT}}, {}),
        ({"_links": {"next": {"href": NEXT}}}, {}), ({"links": [{"rel": "next", "href": NEXT}]}, {}),
        ({"pagination": {"next_url": NEXT, "has_more": True}}, {}), ({"paging": {"next": NEXT, "cursors": {"after": "x"}}}, {}),
        ({"@odata.nextLink": NEXT}, {}), ({}, {"Link": f'<{NEXT}&x=1>; rel="prev", <{NEXT}>; rel="next"'}),
        ({}, {"link": f"<{NEXT}>; rel=next"}),
    ],
)  # fmt: skip
def test_the_address_of_the_next_page(body: dict[str, Any], headers: dict[str, str]) -> None:
    """The link is followed wherever it is, and the fields beside it raise no doubt."""
    info = read({"data": ROWS, **body}, headers)
    assert info.next == NEXT
    assert not info.is_cut(5)


@pytest.mark.parametrize(
    ("body", "headers", "last", "total"),
    [
        ({"total_pages": 3}, {}, 3, None), ({"pageCount": "3"}, {}, 3, None), ({"meta": {"last_page": 3, "total": 12}}, {}, 3, 12),
        ({"pagination": {"totalItems": 12}}, {}, None, 12), ({"page": {"size": 5, "totalElements": 12, "totalPages": 3}}, {}, 3, 12),
        ({}, {"X-Total-Count": "12"}, None, 12), ({}, {"X-Total-Pages": "3", "X-Total": "12"}, 3, 12),
        ({}, {"Content-Range": "items 0-4/12"}, None, 12), ({}, {"X-Pagination": '{"TotalCount": 12, "TotalPages": 3}'}, 3, 12),
        ({}, {"X-RateLimit-Limit": "5", "X-Request-Id": "5", "X-Page-Speed": "1.2"}, None, None),
    ],
)  # fmt: skip
def test_numbers_of_pages_and_records(
    body: dict[str, Any], headers: dict[str, str], last: int | None, total: int | None
) -> None:
    """Numbers are recognized by their meaning."""
    info = read({"data": ROWS, **body}, headers)
    assert (info.last, info.total) == (last, total)


@pytest.mark.parametrize("words", [{"total": "many"}, {"last_page": "x"}, {"meta": {"total": 1.5}}])
def test_an_invalid_number_is_refused(words: dict[str, Any]) -> None:
    """The error has the field's name, not its value."""
    with pytest.raises(UnexpectedAnswerError, match=r"its \S+ isn't a number"):
        read({"data": ROWS, **words})
