"""The unparsed records of one GET response, and what it says about other pages.

A page is reduced to its records when it arrives, and the cache stores it in that form, so that a reload parses no
envelope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from cenports_nb.api.http.json_repair import repair_json
from cenports_nb.api.http.paging_words import PageInfo, read_page_info
from cenports_nb.api.http.responses import Envelope, JsonBody
from cenports_nb.errors import UnexpectedAnswerError

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


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
        """Encode the paging fields in one line, then the records."""
        return b"".join((_ENCODE_INFO(self.info), b"\n", self.records))

    @classmethod
    def from_bytes(cls, content: bytes) -> RecordPage:
        """Decode the result of `to_bytes`, without copying the records."""
        end = content.index(b"\n")
        return cls(_DECODE_INFO(content[:end]), memoryview(content)[end + 1 :])


_ENCODE_INFO = msgspec.json.Encoder().encode
_DECODE_INFO = msgspec.json.Decoder(PageInfo).decode


def open_page(path: str, body: bytes) -> RecordPage:
    """Parse a body and extract its records.

    Raises:
        UnexpectedAnswerError: It isn't JSON, or has a shape without records.
    """
    for candidate in (body, repair_json(body)):
        if candidate is None:
            break
        try:
            is_object = candidate.lstrip()[:1] == b"{"
            fields = msgspec.json.decode(candidate, type=dict[str, msgspec.Raw] if is_object else msgspec.Raw)
        except (msgspec.DecodeError, RecursionError) as error:
            failure = error
            continue
        return extract_records(path, JsonBody(candidate, Envelope(fields) if isinstance(fields, dict) else None))
    raise _unknown_shape(path, f" ({failure})")


def extract_records(path: str, parsed: JsonBody, headers: Mapping[str, str] = NO_HEADERS) -> RecordPage:
    """Extract the records of a body: a bare list or record, or `data` with a list or an object.

    Args:
        path: The end point.
        parsed: The body.
        headers: The headers of the response.

    Raises:
        UnexpectedAnswerError: It is none of these.
    """
    body, envelope = parsed.body, parsed.envelope
    if envelope is None:
        if body.lstrip()[:1] == b"[":
            return RecordPage(read_page_info({}, headers), body)
        raise _unknown_shape(path, " (neither a list nor an object)")
    is_bare = envelope.is_record and not len(envelope.data)
    try:
        info = read_page_info({} if is_bare else envelope.fields, headers)
    except ValueError as error:
        raise _unknown_shape(path, f" ({error})") from None
    data: Any = memoryview(envelope.data)  # a page is large: its bytes are not copied
    if data[:1] == b"[":
        return RecordPage(info, data)
    if data[:1] == b"{":
        return RecordPage(info, b"[" + bytes(data) + b"]")
    if data == b"null":
        return RecordPage(info, b"[]")
    if is_bare:
        return RecordPage(info, b"[" + body + b"]")
    names = list(envelope.fields)  # without values, which may be personal
    raise _unknown_shape(path, f", an object of {', '.join(names[:9]) or 'nothing'}")


def split_records(records: bytes | memoryview) -> list[msgspec.Raw]:
    """Split a JSON list into its records."""
    return msgspec.json.decode(records, type=list[msgspec.Raw])


def _unknown_shape(path: str, detail: str) -> UnexpectedAnswerError:
    return UnexpectedAnswerError(f"GET {path} answered in an unknown shape{detail}: ask Cenports' integration team.")
