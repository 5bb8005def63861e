"""The pages of one window, one after the other, as each points to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from cenports_nb.api.retrieval.page_info import Page, is_empty, open_page
from cenports_nb.api.retrieval.windows import Window
from cenports_nb.errors import UnexpectedAnswerError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.session import ApiRequest, ApiResponse
    from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec

MOST_PAGES = 10_000

Get = Callable[["ApiRequest"], "ApiResponse"]


def walk(
    client: Client, source: EndpointSpec, window: Window, get: Get, first: tuple[Page, bytes] | None = None
) -> Iterator[tuple[int, Page, bytes]]:
    """Follow pages as each one points to the next: their numbers, words and lists of records.

    Args:
        client: The account.
        source: The end point.
        window: What is asked.
        get: Where an answer comes from.
        first: The first page, if it is there already.
    """
    page, listed = first or page_of(client, source, window, get)
    number, link, seen = 1, numbered(page.next), set[str]()
    yield number, page, listed
    while page.next is not None or (page.last is not None and number < page.last):
        if is_empty(listed):
            raise UnexpectedAnswerError(
                f"Page {number} of GET {source.path} is empty and points to a further one: ask Cenports' "
                "integration team."
            )
        number += 1
        url = link(number) if link else page.next or address_of(client, source, number)
        if url in seen:
            raise UnexpectedAnswerError(
                f"The pages of GET {source.path} lead in a circle at page {number}: ask Cenports' integration team."
            )
        check_number(source.path, number)
        seen.add(url)
        page, listed = open_page(source.path, get(question_of(client, source, window, number, url)).body)
        yield number, page, listed
        link = link if page.next is None else numbered(page.next, number + 1)


def page_of(client: Client, source: EndpointSpec, window: Window, get: Get) -> tuple[Page, bytes]:
    """Get the first page and open it."""
    return open_page(source.path, get(question_of(client, source, window, 1, None)).body)


def question_of(client: Client, source: EndpointSpec, window: Window, number: int, url: str | None) -> ApiRequest:
    """Ask for a page: all that was asked before, with its number; the server may have forgotten the rest."""
    parameters = source.parameters(window)
    asked = parameters if number == 1 else {**parameters, "page": number}
    return client.build_request(source.path, asked, url)


def address_of(client: Client, source: EndpointSpec, number: int) -> str:
    """Write the address of a page that no link tells."""
    return f"{client.settings.base_url}{source.path}?{urlencode({'page': number})}"


def numbered(url: str | None, number: int = 2) -> Callable[[int], str] | None:
    """Turn the address of one page into the addresses of any, if its number is in it."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    query = parse_qsl(parts.query, keep_blank_values=True)
    if ("page", str(number)) not in query:
        return None

    def of(number: int) -> str:
        return parts._replace(query=urlencode([(k, str(number) if k == "page" else v) for k, v in query])).geturl()

    return of


def check_number(path: str, number: int) -> None:
    """Stop before pages that can't be meant."""
    if number > MOST_PAGES:
        raise UnexpectedAnswerError(
            f"GET {path} tells of more than {MOST_PAGES:,} pages: ask for fewer days, or Cenports' integration team."
        )
