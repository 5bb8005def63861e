"""One answer to a GET: the list of its records, still unread, and its words about further pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from cenports_nb.api.http.json_repair import repair_json
from cenports_nb.errors import UnexpectedAnswerError

NO_RAW = msgspec.Raw()


class Links(msgspec.Struct):
    """Laravel's page words in a `links` object."""

    next: str | msgspec.UnsetType | None = msgspec.UNSET


class Meta(msgspec.Struct):
    """Laravel's page words in a `meta` object, or beside the data."""

    last_page: int | None = None
    total: int | None = None


@dataclass(frozen=True)
class Page:
    """What an answer says of further pages; it does not hold on to the answer itself.

    Attributes:
        next: The address of the next page, if it is told.
        last: The number of the last page.
        whole: The number of records on all pages.
        tells_end: Whether anything here tells where the pages end; a total alone does not.
        said: The words by which it is told.
    """

    next: str | None = None
    last: int | None = None
    whole: int | None = None
    tells_end: bool = False
    said: tuple[str, ...] = ()


class Envelope(Meta):
    """An envelope around records, with or without page words; or one bare record."""

    data: msgspec.Raw = NO_RAW
    next_page_url: str | msgspec.UnsetType | None = msgspec.UNSET
    links: msgspec.Raw = NO_RAW
    meta: msgspec.Raw = NO_RAW
    order_no: msgspec.Raw = msgspec.field(default=NO_RAW, name="orderNo")
    warehouse_code: msgspec.Raw = msgspec.field(default=NO_RAW, name="warehouseCode")
    channel_id: msgspec.Raw = msgspec.field(default=NO_RAW, name="channelId")

    def words(self) -> Page:
        """Take out the page words, of whichever habit."""
        told, meta = self._next, self._meta
        last = self.last_page if self.last_page is not None else meta.last_page
        whole = self.total if self.total is not None else meta.total
        words = {
            "next_page_url": self.next_page_url is not msgspec.UNSET,
            "links.next": bytes(self.links)[:1] == b"{",
            "last_page": last is not None,
            "total": whole is not None,
        }
        said = tuple(word for word, is_said in words.items() if is_said)
        return Page(told or None, last, whole, told is not msgspec.UNSET or last is not None, said)

    @property
    def is_record(self) -> bool:
        """Whether this is no envelope but a record itself."""
        return any(map(bytes, (self.order_no, self.warehouse_code, self.channel_id)))

    @property
    def _next(self) -> str | msgspec.UnsetType | None:
        told = self.next_page_url
        # Laravel's other `links` is a list, of buttons; it says nothing that next_page_url does not.
        if told is msgspec.UNSET and bytes(self.links)[:1] == b"{":
            return msgspec.json.decode(self.links, type=Links).next
        return told

    @property
    def _meta(self) -> Meta:
        found: Any = Meta()
        if bytes(self.meta)[:1] == b"{":
            found = msgspec.json.decode(self.meta, type=Meta, strict=False)
        return Meta(found.last_page, found.total)


def open_page(path: str, body: bytes) -> tuple[Page, bytes]:
    """Take the records out of an envelope, as JSON of a list: a bare list or object, `data` with a list or an object.

    Raises:
        UnexpectedAnswerError: None of these.
    """
    try:
        return _opened(path, body)
    except UnexpectedAnswerError:
        mended = repair_json(body)  # only what fails is looked at a second time
        if mended is None:
            raise
    return _opened(path, mended)


def _opened(path: str, body: bytes) -> tuple[Page, bytes]:
    try:
        if body.lstrip()[:1] == b"[":
            msgspec.json.decode(body, type=msgspec.Raw)  # whole JSON, or an error
            return Page(), body
        envelope = msgspec.json.decode(body, type=Envelope, strict=False)
        page = envelope.words()
        data: Any = memoryview(envelope.data)  # a page is large: its bytes are read where they are
        if data[:1] == b"[":
            return page, data
        if data[:1] == b"{":
            return page, b"[" + bytes(data) + b"]"
        if data == b"null":
            return page, b"[]"
        if len(data) == 0 and envelope.is_record:
            return Page(), b"[" + body + b"]"
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnexpectedAnswerError(
            f"GET {path} answered in an unknown shape ({error}): ask Cenports' integration team."
        ) from None
    names = list(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))  # no values: they may name people
    raise UnexpectedAnswerError(
        f"GET {path} answered in an unknown shape, an object of {', '.join(names[:9]) or 'nothing'}: "
        "ask Cenports' integration team."
    )


def split(page: bytes) -> list[msgspec.Raw]:
    """Split the list that a page holds into its records."""
    return msgspec.json.decode(page, type=list[msgspec.Raw])


def is_empty(page: bytes) -> bool:
    """Tell a page without records."""
    return len(page) < 64 and not split(page)
