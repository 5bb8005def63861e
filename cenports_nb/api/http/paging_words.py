"""What an answer says about other pages, under many possible names, in its body or its headers.

A field that looks like paging but isn't understood counts as a sign of more pages: an answer is complete only if
nothing contradicts it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

CONTAINERS = frozenset({
    "meta", "metadata", "pagination", "paging", "paginator", "pager", "pageinfo", "pageable", "page", "links", "cursor",
    "cursors",
})  # fmt: skip
"""Objects that hold paging fields."""
NEXT_WORDS = frozenset({
    "next", "nextpage", "nextpageurl", "nextpagelink", "nexturl", "nextlink", "nexthref", "nexturi", "nextcursor", "nexttoken",
    "nextpagetoken", "nextpagenumber", "nextoffset", "nextstart", "cursor", "continuation", "continuationtoken",
})  # fmt: skip
"""Fields with the URL or another reference of the next page; null if there is none."""
MORE_WORDS = frozenset({
    "more", "hasmore", "hasmorepages", "hasmoreitems", "hasmoreresults", "hasnext", "hasnextpage", "moreavailable",
    "ismore", "truncated", "istruncated", "incomplete", "isincomplete", "partial", "ispartial",
})  # fmt: skip
END_WORDS = frozenset({"islast", "islastpage", "lastpagereached", "isfinal", "iscomplete", "complete", "endofdata"})
PAGE_NUMBER_WORDS = frozenset({
    "lastpage", "totalpages", "totalpage", "pagecount", "pagescount", "pagestotal", "pages", "numpages", "numberofpages",
    "maxpage",
})  # fmt: skip
TOTAL_WORDS = frozenset({
    "total", "totalcount", "totalrecords", "totalresults", "totalitems", "totalrows", "totalelements", "totalentries",
    "totalobjects", "totalhits", "totalsize", "totalnumber", "totalorders", "totalshipments", "totalchannels",
})  # fmt: skip
COUNT_WORDS = frozenset({
    "count", "recordcount", "recordscount", "itemcount", "itemscount", "resultcount", "resultscount", "rowcount",
    "numrecords", "numresults", "numitems", "numfound", "found", "hits", "recordstotal", "recordsfiltered",
})  # fmt: skip
"""Counts of this page or of all pages: only a number above its records means something."""
PAGE_SIZE_WORDS = frozenset({
    "perpage", "pagesize", "pagelimit", "limit", "size", "itemsperpage", "recordsperpage", "resultsperpage", "maxresults",
})  # fmt: skip
SILENT_WORDS = frozenset({
    "page", "currentpage", "pagenumber", "pageno", "pageindex", "currentpageurl", "self", "path", "from", "to",
    "offset", "start", "startindex", "first", "firstpage", "firstpageurl", "last", "lastpageurl", "prev", "previous",
    "prevpage", "previouspage", "prevpageurl", "previouspageurl", "prevcursor", "previouscursor", "startcursor", "endcursor",
    "hasprev", "hasprevious", "haspreviouspage", "hasprevpage", "links",
})  # fmt: skip
"""Paging fields that say nothing about other pages."""
LAST_WORDS = frozenset({"last", "end", "eof", "final", "done", "finished"})
"""Boolean fields that say whether this is the last page."""
PAGING_OBJECTS = frozenset({"pagination", "paging", "paginator", "pager", "pageinfo", "pageable"})
"""Objects that hold only paging fields."""
SUSPICIOUS = re.compile("page|paging|paginat|cursor|next|hasmore|truncat|continu|scroll|remaining")
SUSPICIOUS_HEADER = re.compile("paginat|cursor|next|hasmore|continuation")
HEADER_WORDS = NEXT_WORDS | MORE_WORDS | END_WORDS | PAGE_NUMBER_WORDS | TOTAL_WORDS | COUNT_WORDS | PAGE_SIZE_WORDS
LINK = re.compile(r"<([^>]*)>\s*;[^,]*\brel\s*=\s*\"?next\"?", re.IGNORECASE)


class PageInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a response says about other pages.

    Attributes:
        next: The URL of the next page.
        last: The number of the last page.
        total: The number of records on all pages.
        tells_end: Whether a field says where the pages end; a total alone doesn't.
        fields: The paging fields that were found.
        says_more: Whether a field says that there is more, or looks like paging and isn't understood.
        count: A number of records, of this page or of all.
        page_size: The maximum number of records of a page.
    """

    next: str | None = None
    last: int | None = None
    total: int | None = None
    tells_end: bool = False
    fields: tuple[str, ...] = ()
    says_more: bool = False
    count: int | None = None
    page_size: int | None = None

    def is_cut(self, *numbers: int) -> bool:
        """Return whether the answer itself says that it lacks records, other than by a next page's URL.

        Args:
            numbers: The number of its records; several if it is unknown which of them are counted.
        """
        if self.says_more or (self.count is not None and self.count > max(numbers)):
            return True
        return self.page_size in numbers and not self.tells_end and self.total is None


class _Words:
    """The paging fields read so far; the first field of a kind counts."""

    def __init__(self) -> None:
        self.next: str | None = None
        self.numbers: dict[str, int] = {}
        self.tells_end = False
        self.says_more = False
        self.fields: list[str] = []

    def read(self, name: str, value: Any) -> bool:
        """Read one field; return whether it looks like paging.

        Args:
            name: The field's name with those of the objects around it, as in `links.next`.
            value: The decoded value.
        """
        word = _normalize(name.rpartition(".")[2])
        if word in NEXT_WORDS or (word.endswith("nextlink") and isinstance(value, str)):
            self._read_next(value)
        elif word in MORE_WORDS | END_WORDS or (word in LAST_WORDS and isinstance(value, bool)):
            is_more = _is_true(value) == (word in MORE_WORDS)
            self.says_more |= is_more
            self.tells_end |= not is_more
        elif word in PAGE_NUMBER_WORDS | TOTAL_WORDS:
            return self._read_total("last" if word in PAGE_NUMBER_WORDS else "total", name, value)
        elif (kind := _find_number_kind(word)) is not None:
            number = _parse_number(value)
            if number is not None:
                self.numbers.setdefault(kind, number)
            return True
        elif word in SILENT_WORDS or not SUSPICIOUS.search(word):
            return word in SILENT_WORDS
        else:
            self.says_more |= value not in (None, "", 0, False, [], {})
        self.fields.append(name)
        return True

    def _read_total(self, kind: str, name: str, value: Any) -> bool:
        if value is None:
            return True
        number = _parse_number(value)
        if number is None and isinstance(value, str | float | bool):
            raise ValueError(f"its {name} isn't a number")
        self.fields.append(name)
        if number is None:
            self.says_more |= bool(value)
        else:
            self.numbers.setdefault(kind, number)
            self.tells_end |= kind == "last"
        return True

    def _read_next(self, value: Any) -> None:
        if isinstance(value, Mapping):
            value = next((value[name] for name in ("href", "url") if name in value), value or None)
        if value in (None, "", False):
            self.tells_end = True
        elif isinstance(value, str) and (value.startswith(("/", "?")) or "://" in value):
            self.next = self.next or value
            self.tells_end = True
        else:
            self.says_more = True

    def read_object(self, name: str, values: Mapping[str, Any]) -> None:
        """Read an object of paging fields; if none is understood, it counts as a sign of more."""
        read = [self.read(f"{name}.{inner}", each) for inner, each in values.items()]
        self.says_more |= bool(read) and not any(read) and _normalize(name) in PAGING_OBJECTS

    def to_page_info(self) -> PageInfo:
        """Combine the fields."""
        # A URL leads to the page that a cursor or flag beside it refers to.
        return PageInfo(
            self.next,
            self.numbers.get("last"),
            self.numbers.get("total"),
            self.tells_end,
            tuple(self.fields),
            self.says_more and self.next is None,
            self.numbers.get("count"),
            self.numbers.get("page_size"),
        )


def read_page_info(fields: Mapping[str, msgspec.Raw], headers: Mapping[str, str]) -> PageInfo:
    """Read what an answer says about other pages.

    Args:
        fields: The outermost fields of its body.
        headers: Its headers.

    Raises:
        ValueError: A field isn't JSON, or isn't a number where it must be one.
    """
    words = _Words()
    for name, raw in fields.items():
        start = bytes(memoryview(raw)[:1])
        word = _normalize(name)
        if start not in (b"{", b"[") or word in NEXT_WORDS:
            words.read(name, msgspec.json.decode(raw))
        elif word in CONTAINERS or SUSPICIOUS.search(word):  # no others are decoded: they may be records
            _read_nested(words, name, msgspec.json.decode(raw))
    for name, value in headers.items():
        _read_header(words, name, value.strip())
    return words.to_page_info()


def _read_nested(words: _Words, name: str, value: Any) -> None:
    if isinstance(value, dict):
        words.read_object(name, value)
        return
    # Links by their relation; Laravel's buttons have none, and add nothing to its next_page_url.
    for link in value:
        if isinstance(link, dict) and link.get("rel") == "next":
            words.read(f"{name}.next", link)


def _read_header(words: _Words, name: str, value: str) -> None:
    lower = name.lower()
    word = _normalize(lower.removeprefix("x-"))
    if lower == "link":
        for address in LINK.findall(value)[:1]:
            words.read("Link.next", address)
    elif lower == "content-range":
        total = value.rpartition("/")[2].strip()
        words.read("Content-Range.total", None if total == "*" else total)
    elif "ratelimit" in word:
        return
    elif value.startswith("{") and SUSPICIOUS.search(word):
        words.read_object(name, msgspec.json.decode(value, type=dict[str, Any]))
    elif word in HEADER_WORDS or SUSPICIOUS_HEADER.search(word):
        words.read(word, value)


def _find_number_kind(word: str) -> str | None:
    """Return the kind of a number that is neither the last page nor the total."""
    if word in PAGE_SIZE_WORDS:
        return "page_size"
    is_count = word in COUNT_WORDS or (word.endswith("count") and not word.endswith(("account", "discount")))
    return "count" if is_count else None


def _normalize(name: str) -> str:
    """Normalize a name: `next_page_url`, `nextPageUrl` and `Next-Page-URL` are the same."""
    return re.sub("[^a-z0-9]", "", name.lower())


def _is_true(value: Any) -> bool:
    return value.strip().lower() not in ("", "0", "false", "no") if isinstance(value, str) else bool(value)


def _parse_number(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return None if number != float(value) else number
