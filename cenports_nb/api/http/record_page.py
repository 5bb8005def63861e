"""The records of one GET response, still unread, and what it says of further pages.

A page is reduced to its records once, when it arrives; the cache keeps it in that form, so that a reload parses
no envelope.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from cenports_nb.api.http.json_repair import repair_json
from cenports_nb.api.http.responses import Envelope, JsonBody
from cenports_nb.errors import UnexpectedAnswerError


class PageInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a response says of further pages.

    Attributes:
        next: The address of the next page.
        last: The number of the last page.
        total: The number of records on all pages.
        tells_end: Whether anything here tells where the pages end; a total alone does not.
        fields: The paging fields that were found.
    """

    next: str | None = None
    last: int | None = None
    total: int | None = None
    tells_end: bool = False
    fields: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecordPage:
    """One page: its paging fields, and its records as a JSON list."""

    info: PageInfo
    records: bytes | memoryview

    @property
    def is_empty(self) -> bool:
        """Whether it has no records."""
        return len(self.records) < 64 and not split_records(self.records)

    def to_bytes(self) -> bytes:
        """Write the paging fields in one line, then the records."""
        return b"".join((_ENCODE_INFO(self.info), b"\n", self.records))

    @classmethod
    def from_bytes(cls, content: bytes) -> RecordPage:
        """Read what `to_bytes` wrote; the records are not copied."""
        end = content.index(b"\n")
        return cls(_DECODE_INFO(content[:end]), memoryview(content)[end + 1 :])


_ENCODE_INFO = msgspec.json.Encoder().encode
_DECODE_INFO = msgspec.json.Decoder(PageInfo).decode


class _Links(msgspec.Struct):
    next: str | msgspec.UnsetType | None = msgspec.UNSET


class _Meta(msgspec.Struct):
    last_page: int | None = None
    total: int | None = None


def open_page(path: str, body: bytes) -> RecordPage:
    """Parse a body and take its records out.

    Raises:
        UnexpectedAnswerError: It is not JSON, or of a shape that holds no records.
    """
    for candidate in (body, repair_json(body)):
        if candidate is None:
            break
        try:
            is_object = candidate.lstrip()[:1] == b"{"
            envelope = msgspec.json.decode(candidate, type=Envelope if is_object else msgspec.Raw)
        except (msgspec.DecodeError, RecursionError) as error:
            failure = error
            continue
        return extract_records(path, JsonBody(candidate, envelope if isinstance(envelope, Envelope) else None))
    raise _unknown_shape(path, f" ({failure})")


def extract_records(path: str, parsed: JsonBody) -> RecordPage:
    """Take the records out of a body: a bare list or record, `data` with a list or an object.

    Raises:
        UnexpectedAnswerError: None of these.
    """
    body, envelope = parsed.body, parsed.envelope
    if envelope is None:
        if body.lstrip()[:1] == b"[":
            return RecordPage(PageInfo(), body)
        raise _unknown_shape(path, " (neither a list nor an object)")
    try:
        info = _read_page_info(envelope)
    except msgspec.DecodeError as error:
        raise _unknown_shape(path, f" ({error})") from None
    data: Any = memoryview(envelope.data)  # a page is large: its bytes are read where they are
    if data[:1] == b"[":
        return RecordPage(info, data)
    if data[:1] == b"{":
        return RecordPage(info, b"[" + bytes(data) + b"]")
    if data == b"null":
        return RecordPage(info, b"[]")
    if len(data) == 0 and envelope.is_record:
        return RecordPage(PageInfo(), b"[" + body + b"]")
    names = list(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))  # no values: they may name people
    raise _unknown_shape(path, f", an object of {', '.join(names[:9]) or 'nothing'}")


def split_records(records: bytes | memoryview) -> list[msgspec.Raw]:
    """Split a JSON list into its records."""
    return msgspec.json.decode(records, type=list[msgspec.Raw])


def _read_page_info(envelope: Envelope) -> PageInfo:
    """Read the paging fields, of whichever of Laravel's habits."""
    next_url: Any = envelope.next_page_url
    if next_url is not msgspec.UNSET:
        next_url = msgspec.convert(next_url, str | None)
    # Laravel's other `links` is a list, of buttons; it says nothing that next_page_url does not.
    has_links = bytes(envelope.links)[:1] == b"{"
    if next_url is msgspec.UNSET and has_links:
        next_url = msgspec.json.decode(envelope.links, type=_Links).next
    meta = _Meta()
    if bytes(envelope.meta)[:1] == b"{":
        meta = msgspec.json.decode(envelope.meta, type=_Meta, strict=False)
    outer: Any = msgspec.convert({"last_page": envelope.last_page, "total": envelope.total}, _Meta, strict=False)
    last = outer.last_page if outer.last_page is not None else meta.last_page
    total = outer.total if outer.total is not None else meta.total
    found = {
        "next_page_url": envelope.next_page_url is not msgspec.UNSET,
        "links.next": has_links,
        "last_page": last is not None,
        "total": total is not None,
    }
    return PageInfo(
        next_url or None,
        last,
        total,
        next_url is not msgspec.UNSET or last is not None,
        tuple(name for name, is_found in found.items() if is_found),
    )


def _unknown_shape(path: str, detail: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"GET {path} answered in an unknown shape{detail}: ask Cenports' integration team.")
