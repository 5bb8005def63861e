"""The pages of one window, each found through the previous one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from cenports_nb.api.http.record_page import RecordPage
from cenports_nb.api.http.session import ApiRequest
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import UnexpectedAnswerError

MAX_PAGES = 10_000

FetchPage = Callable[[ApiRequest], RecordPage]


def build_page_request(spec: EndpointSpec, window: Window, number: int = 1, url: str | None = None) -> ApiRequest:
    """Build the request of a page with all parameters again, because the server may have forgotten them.

    Args:
        spec: The end point.
        window: The window.
        number: The number of the page, from 1.
        url: Its URL, if another page links to it.
    """
    parameters = spec.parameters(window)
    if number == 1:
        return ApiRequest(spec.path, parameters)
    return ApiRequest(spec.path, {**parameters, "page": number}, url or f"?page={number}")


def follow_pages(
    spec: EndpointSpec, window: Window, fetch: FetchPage, first: RecordPage | None = None
) -> Iterator[tuple[int, RecordPage]]:
    """Follow the links from page to page; yield their numbers and the pages.

    Args:
        spec: The end point.
        window: The window.
        fetch: Fetches a page.
        first: The first page, if it was fetched already.
    """
    page = first or fetch(build_page_request(spec, window))
    number, numbered_url, seen = 1, number_url(page.info.next), set[str | None]()
    yield number, page
    while page.info.next is not None or (page.info.last is not None and number < page.info.last):
        if page.is_empty:
            raise UnexpectedAnswerError(
                f"Page {number} of GET {spec.path} is empty and points to a further one: ask Cenports' "
                "integration team."
            )
        number += 1
        url = numbered_url(number) if numbered_url else page.info.next
        request = build_page_request(spec, window, number, url)
        if request.url in seen:
            raise UnexpectedAnswerError(
                f"The pages of GET {spec.path} lead in a circle at page {number}: ask Cenports' integration team."
            )
        check_page_number(spec.path, number)
        seen.add(request.url)
        page = fetch(request)
        yield number, page
        numbered_url = numbered_url if page.info.next is None else number_url(page.info.next, number + 1)


def number_url(url: str | None, number: int = 2) -> Callable[[int], str] | None:
    """Derive the URLs of all pages from one, if it contains its number."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = parse_qsl(parts.query, keep_blank_values=True)
    if ("page", str(number)) not in query:
        return None

    def numbered_url(number: int) -> str:
        return parts._replace(query=urlencode([(k, str(number) if k == "page" else v) for k, v in query])).geturl()

    return numbered_url


def check_page_number(path: str, number: int) -> None:
    """Refuse an implausible number of pages."""
    if number > MAX_PAGES:
        raise UnexpectedAnswerError(
            f"GET {path} announces more than {MAX_PAGES:,} pages: ask for fewer days, or Cenports' integration team."
        )
