"""One answer to a GET: its records, still unread, and its words about further pages."""

from __future__ import annotations

from typing import Any

import msgspec

from cenports_nb.errors import UnexpectedAnswerError

NO_RAW = msgspec.Raw()


class Links(msgspec.Struct):
    """Laravel's page words in a `links` object."""

    next: str | msgspec.UnsetType | None = msgspec.UNSET


class Meta(msgspec.Struct):
    """Laravel's page words in a `meta` object, or beside the data."""

    last_page: int | None = None
    total: int | None = None


class Page(Meta):
    """An envelope around records, with or without page words; or one bare record."""

    data: msgspec.Raw = NO_RAW
    next_page_url: str | msgspec.UnsetType | None = msgspec.UNSET
    links: msgspec.Raw = NO_RAW
    meta: msgspec.Raw = NO_RAW
    order_no: msgspec.Raw = msgspec.field(default=NO_RAW, name="orderNo")
    warehouse_code: msgspec.Raw = msgspec.field(default=NO_RAW, name="warehouseCode")
    channel_id: msgspec.Raw = msgspec.field(default=NO_RAW, name="channelId")

    @property
    def next(self) -> str | None:
        """The address of the next page, if it is told."""
        return self._next or None

    @property
    def last(self) -> int | None:
        """The number of the last page."""
        return self.last_page if self.last_page is not None else self._meta.last_page

    @property
    def whole(self) -> int | None:
        """The number of records on all pages."""
        return self.total if self.total is not None else self._meta.total

    @property
    def tells_end(self) -> bool:
        """Whether anything here tells where the pages end; a total alone does not."""
        return self._next is not msgspec.UNSET or self.last is not None

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


def open_page(path: str, body: bytes) -> tuple[Page, list[msgspec.Raw]]:
    """Take the records out of an envelope: a bare list or object, `data` with a list or an object.

    Raises:
        UnexpectedAnswerError: None of these.
    """
    try:
        if body.lstrip()[:1] == b"[":
            return Page(), msgspec.json.decode(body, type=list[msgspec.Raw])
        page = msgspec.json.decode(body, type=Page, strict=False)
        _ = page.next, page.last, page.whole  # unreadable page words are found here
        data = bytes(page.data)
        if data[:1] == b"[":
            return page, msgspec.json.decode(data, type=list[msgspec.Raw])
        if data[:1] == b"{":
            return page, [msgspec.Raw(data)]
        if data == b"null":
            return page, []
        if not data and page.is_record:
            return Page(), [msgspec.Raw(body)]
    except msgspec.DecodeError as error:
        raise UnexpectedAnswerError(
            f"GET {path} answered in an unknown shape ({error}): ask Cenports' integration team."
        ) from None
    names = list(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))  # no values: they may name people
    raise UnexpectedAnswerError(
        f"GET {path} answered in an unknown shape, an object of {', '.join(names[:9]) or 'nothing'}: "
        "ask Cenports' integration team."
    )
