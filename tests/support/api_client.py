"""Doubles of the seams that paging touches: an account in memory, and answers given one by one."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from cenports_nb.api.dialect import Dialect
from cenports_nb.api.http.record_page import open_page
from cenports_nb.api.http.session import ApiRequest, PageResponse
from cenports_nb.api.retrieval.decoded_page import RawRecords, split_pages
from cenports_nb.api.retrieval.endpoint_spec import EndpointSpec
from cenports_nb.api.retrieval.observed_limits import ObservedLimits
from cenports_nb.api.retrieval.results import Retrieval
from cenports_nb.api.retrieval.windows import ONE_DAY, Window, cover_days

FIRST = date(2026, 1, 1)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
CAPS = (3, 5, 9)
LIMIT = 10


@dataclass
class StubClient:
    """The seams of a client that paging touches; each answer is what `answer` says."""

    settings: Any = field(default_factory=lambda: SimpleNamespace(base_url="http://test/v2", offline=False))
    dialect: Dialect = field(default_factory=Dialect)
    limits: ObservedLimits = field(
        default_factory=lambda: ObservedLimits(
            Path("nowhere"), "account", NOW.date(), end_included=False, is_saved=False
        )
    )
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def session(self) -> "StubClient":
        return self

    def component(self, _kind: type, _build: Any) -> ObservedLimits:
        return self.limits

    def find_page(self, _request: ApiRequest, _max_age: float) -> None:
        return None

    def fetch_page(self, request: ApiRequest, *, keep: bool) -> PageResponse:
        self.asked.append(request.parameters)
        found = self.answer(request.parameters, request.url)
        if isinstance(found, Exception):
            raise found
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return PageResponse(open_page(request.path, body), NOW, cached=False)

    def answer(self, parameters: Mapping[str, Any], url: str | None) -> Any:
        raise NotImplementedError


@dataclass
class Account(StubClient):
    """A Cenports that answers without page words, cut at a number that nothing announces.

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
            "included": moment < end + ONE_DAY,
            "excluded": moment < end,
            "midnight": moment <= end,  # as "between" two plain days in SQL
        }[self.ends]
        return (
            moment >= datetime.fromisoformat(parameters.get("start", "1970-01-01")).replace(tzinfo=UTC)
            and before_end
            and parameters.get("channel") in (None, order["channelId"])
            and parameters.get("acknowledged") in (None, order["acknowledged"])
        )


def build_parameters(window: Window) -> dict[str, Any]:
    asked = {
        "start": window.start and window.start.isoformat(),
        "end": window.end and window.end.isoformat(),
        "channel": window.channel_id,
        "acknowledged": window.acknowledged,
    }
    return {name: value for name, value in asked.items() if value is not None}


def read_number(record: msgspec.Raw) -> str:
    return str(json.loads(bytes(record)).get("orderNo"))


class Numbered(RawRecords):
    """Orders that differ only in their number."""

    @property
    def identities(self) -> list[object]:
        return [read_number(record) for record in self.raw]

    @property
    def channels(self) -> list[str]:
        return [found for record in self.raw if (found := json.loads(bytes(record)).get("channelId"))]

    def moment(self, record: msgspec.Raw) -> str:
        found = json.loads(bytes(record)).get("orderDate", "")
        return found if isinstance(found, str) else ""


class Nameless(Numbered):
    """The same, saying nothing of their channels."""

    channels: list[str] = []  # type: ignore[assignment]  # noqa: RUF012 - of all of them


def records_in(read: Retrieval) -> list[msgspec.Raw]:
    """List the records of a reading."""
    return [record for part in read.parts for page in split_pages(part.contents) for record in page.raw]  # type: ignore[attr-defined]


def build_spec(**changes: Any) -> EndpointSpec:
    given: dict[str, Any] = {
        "path": "/orders",
        "limit": LIMIT,
        "parameters": build_parameters,
        "known_caps": CAPS,
        "decode": lambda _, pages: Numbered(pages),
        "any_cap_from": min(CAPS),
    }
    return EndpointSpec(**{**given, **changes})


def build_account(days: list[int], cap: int = LIMIT, *, minutes: int = 61, **more: Any) -> Account:
    """So many orders on each day, every `minutes` of it; 0 is midnight, all of them."""
    orders = [
        {
            "orderNo": f"{place}-{number}",
            "orderDate": (
                datetime.combine(FIRST + place * ONE_DAY, time(), UTC) + timedelta(minutes=minutes * (number % 23))
            ).isoformat(),
            "channelId": "AB"[number % 2],
            "acknowledged": number % 3 == 0,
        }
        for place, count in enumerate(days)
        for number in range(count)
    ]
    return Account(orders=orders, cap=cap, **more)


def build_windows(days: int) -> list[Window]:
    """The windows that the loaders ask."""
    return [Window(start, after) for start, after in cover_days(FIRST, FIRST + (days - 1) * ONE_DAY)]


def read_numbers(read: Retrieval) -> set[str]:
    return {read_number(record) for record in records_in(read)}


@dataclass
class Pages(StubClient):
    """A client whose answers are given one by one; the last one repeats."""

    answers: list[Any] = field(default_factory=list)
    urls: list[str | None] = field(default_factory=list)

    def answer(self, parameters: Mapping[str, Any], url: str | None) -> Any:
        self.urls.append(url)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
