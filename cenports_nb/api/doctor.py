"""Ask a live account what the reference leaves open: read-only, in about ten requests.

Evidence answers a question, or it stays open and is worded for Cenports' integration team. The shape of every answer
is recorded as field names and types, without values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from cenports_nb.api.http.paging_words import PageInfo
from cenports_nb.api.http.record_page import open_page, split_records
from cenports_nb.api.json_shape import describe_shape, merge_shapes
from cenports_nb.api.retrieval.windows import FIRST_DAY, ONE_DAY
from cenports_nb.errors import ApiError, BusinessError, CenportsError, InvalidRequestError, UnexpectedAnswerError

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.dialect import Dialect

RAISED_LIMIT = 1000  # a limit that only an account with a raised maximum accepts


@dataclass(frozen=True)
class Finding:
    """One open question of the reference.

    Attributes:
        question: The question.
        answer: What this account does; empty if that was not seen.
        evidence: What showed it, or why nothing did.
        learned: The field of the dialect that it decides, and its value.
        ask: How to ask Cenports' integration team, if the answer is not known.
    """

    question: str
    answer: str
    evidence: str
    learned: Mapping[str, Any] = field(default_factory=dict)
    ask: str = ""


@dataclass(frozen=True)
class Examination:
    """The result of an examination.

    Attributes:
        findings: One for each question.
        dialect: The client's dialect with the findings.
        shapes: End point -> field names and types, without values.
        requests: The number of requests.
    """

    findings: tuple[Finding, ...]
    dialect: Dialect
    shapes: Mapping[str, Any]
    requests: int

    @property
    def learned(self) -> dict[str, Any]:
        """The settings to save to the profile."""
        return {name: value for finding in self.findings for name, value in finding.learned.items()}


def examine(client: Client) -> Examination:
    """Ask a live account the open questions; nothing is written or cached.

    Raises:
        CenportsError: The account can't be read at all, because of credentials, address or network.
    """
    before = client.usage.sent
    examiner = _Examiner(client)
    examiner.channels()
    examiner.orders()
    examiner.end_of_range()
    examiner.shipments()
    examiner.stock()
    return Examination(tuple(examiner.findings), examiner.dialect, examiner.shapes, client.usage.sent - before)


class _Examiner:
    """A running examination."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.dialect = client.dialect
        self.findings: list[Finding] = []
        self.shapes: dict[str, Any] = {}
        self.channel_ids: list[str] = []
        self.records: list[dict[str, Any]] = []  # the last orders received

    def channels(self) -> None:
        """Find out where GET /channels reads its parameters."""
        found = self._try_locations("/channels", "channel_parameters", {}, lambda _, records: bool(records))
        if found is None:
            self._add_open("Where does GET /channels read partnerId?", "neither gave channels", "body or query string?")
            return
        where, _, records = found
        self.channel_ids = [str(record["channelId"]) for record in records if record.get("channelId")]
        self._add(
            Finding("Where does GET /channels read partnerId?", where, f"{len(records)} channels came",
                    {"channel_parameters": where})
        )  # fmt: skip

    def orders(self) -> None:
        """Find out where the other calls read parameters, how they link to pages, and the largest limit."""
        asked = {"limit": 1, "isPaginated": True, **self._all_days()}
        question = "Where do GET /orders, /shipments, /inventories and /transaction read parameters?"
        found = self._try_locations("/orders", "get_parameters", asked, lambda _, records: len(records) == 1)
        if found is None:
            self._add_open(question, "neither made it send one order when asked for one", "body or query string?")
            return
        where, page, _ = found
        self._add(Finding(question, where, "one order came when asked for one", {"get_parameters": where}))
        words = ", ".join(page.fields)
        self._add(Finding("How does isPaginated announce further pages?", words or "not at all", "asked for one order"))
        question = "How many orders does one answer hold at most?"
        self.records = self._find_limit("/orders", "order_limit", "orders", question, asked)

    def end_of_range(self) -> None:
        """Find out whether endDate is included, and which zone the server's days are in."""
        question = "Is endDate included?"
        days: dict[date, list[datetime]] = {}
        for moment in _read_instants(self.records):
            days.setdefault(moment.date(), []).append(moment)
        busy = max(days, key=lambda day: (len(days[day]), day), default=None)
        if busy is None:
            self._add_open(question, "there is no order to try it with", "is the order of that very day returned?")
            return
        found = self._ask(
            "/orders", {"limit": self.dialect.order_limit, "isPaginated": True, **_format_days(busy, busy)}
        )
        if isinstance(found, CenportsError):
            self._add_open(question, str(found), "what does endDate equal to startDate mean?")
            return
        moments = _read_instants(found[1])
        if any(not _at_midnight(moment) for moment in moments):
            self._add(Finding(question, "yes", f"{busy} to {busy} gave {len(moments)} orders", {"end_included": True}))
        elif moments:
            self._add_open(
                question, "orders of a midnight prove nothing", "is the last day whole, or its first moment only?"
            )
        else:
            self._add(Finding(question, "no", f"{busy} to {busy} gave none", {"end_included": False}))
            found = self._ask(
                "/orders",
                {"limit": self.dialect.order_limit, "isPaginated": True, **_format_days(busy, busy + ONE_DAY)},
            )
            moments = [] if isinstance(found, CenportsError) else _read_instants(found[1])
        self._note_zone(busy, moments)

    def shipments(self) -> None:
        """Find out the largest limit of GET /shipments."""
        question = "How many shipments does one answer hold at most?"
        if not self.channel_ids:
            self._add_open(question, "no channel is known to ask for", "what is the largest limit?")
            return
        asked = {"channelId": self.channel_ids[0], **self._all_days()}
        self._find_limit("/shipments", "shipment_limit", "shipments", question, asked)

    def _find_limit(
        self, path: str, name: str, what: str, question: str, asked: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Request more than is documented: the refusal, or the answer, shows the largest limit."""
        found = self._ask(path, {**asked, "limit": RAISED_LIMIT})
        if isinstance(found, InvalidRequestError | BusinessError):
            most = _read_limit(found) or getattr(self.dialect, name)
            self._add(Finding(question, str(most), f"a limit of {RAISED_LIMIT} was refused", {name: most}))
            found = self._ask(path, {**asked, "limit": most})
        elif not isinstance(found, CenportsError):
            self._note_limit(question, name, *found)
        if isinstance(found, CenportsError):
            self._add_open(question, str(found), "what is the largest limit?")
            return []
        self._note_cap(what, *found, most=getattr(self.dialect, name))
        return found[1]

    def stock(self) -> None:
        """Find out whether GET /inventories may be cut."""
        question = "Is GET /inventories capped?"
        found = self._ask("/inventories", {"actualStock": True, "limit": self.dialect.inventory_limit})
        if isinstance(found, CenportsError):
            self._add_open(question, str(found), "how many rows does one answer hold at most?")
            return
        page, warehouses = found
        counts = {
            str(warehouse.get("warehouseCode")): len(warehouse.get("warehouseInventory") or ())
            for warehouse in warehouses
        }
        rows = sum(counts.values())
        words = ", ".join(page.fields)
        suspects = [rows, *counts.values()]
        if words:
            self._add(Finding(question, f"paged: {words}", f"{rows} rows of {len(counts)} warehouses came"))
        elif any(number in self.dialect.known_caps for number in suspects):
            self._add_open(
                question, f"{rows} rows of {len(counts)} warehouses came, which is a number at which answers are cut",
                "is that all of our stock?",
            )  # fmt: skip
        else:
            self._add(Finding(question, "not seen", f"{rows} rows of {len(counts)} warehouses came, in one answer"))

    def _try_locations(
        self,
        path: str,
        name: str,
        asked: Mapping[str, Any],
        fits: Callable[[PageInfo, list[dict[str, Any]]], bool],
    ) -> tuple[str, PageInfo, list[dict[str, Any]]] | None:
        """Try body, query and both until an answer shows that the parameters were read."""
        first = getattr(self.dialect, name)
        failure: CenportsError | None = None
        for where in dict.fromkeys([first, "body", "query", "both"]):
            self.dialect = replace(self.dialect, **{name: where})
            found = self._ask(path, asked)
            if isinstance(found, CenportsError):
                failure = found
            elif fits(*found):
                return where, *found
        self.dialect = replace(self.dialect, **{name: first})
        # If nothing works at all, the set-up is broken.
        if failure is not None and not isinstance(failure, InvalidRequestError | UnexpectedAnswerError):
            raise failure
        return None

    def _ask(self, path: str, parameters: Mapping[str, Any]) -> tuple[PageInfo, list[dict[str, Any]]] | CenportsError:
        """Send one request; an error about the request is an answer too."""
        original, self.client.dialect = self.client.dialect, self.dialect
        try:
            body = self.client.get(path, parameters).body
            opened = open_page(path, body)
            records = [msgspec.json.decode(record, type=dict[str, Any]) for record in split_records(opened.records)]
        except msgspec.MsgspecError as error:
            return UnexpectedAnswerError(f"GET {path} answered with records of an unknown shape ({error}).")
        except (InvalidRequestError, UnexpectedAnswerError) as error:
            return error
        except ApiError as error:
            if error.status in (401, 403, 429):
                raise
            return error
        finally:
            self.client.dialect = original
        self.shapes[f"GET {path}"] = merge_shapes(
            self.shapes.get(f"GET {path}"), describe_shape(msgspec.json.decode(body))
        )
        return opened.info, records

    def _all_days(self) -> dict[str, str]:
        return _format_days(FIRST_DAY, self.client.clock.now().date() + 2 * ONE_DAY)

    def _note_limit(self, question: str, name: str, page: PageInfo, records: list[dict[str, Any]]) -> None:
        """Find the largest limit in an answer to a larger one that was not refused."""
        rows = len(records)
        if rows > getattr(self.dialect, name):
            most = RAISED_LIMIT if rows == RAISED_LIMIT or not _has_more(page, rows) else rows
            self._add(Finding(question, f"{most} or more", f"{rows} came", {name: most}))
        elif _has_more(page, rows):
            self._add(Finding(question, str(rows), f"{rows} came of {page.total or 'more'}", {name: rows}))
        else:
            self._add(Finding(question, f"{RAISED_LIMIT} may be asked for", f"all {rows} came in one answer"))

    def _note_cap(self, what: str, page: PageInfo, records: list[dict[str, Any]], most: int) -> None:
        """Look for an answer that is shorter than requested without saying so."""
        rows = len(records)
        if rows < most and _has_more(page, rows):
            answer = f"yes, at {rows}"
        elif rows in self.dialect.known_caps and rows < most and not ", ".join(page.fields):
            answer = f"perhaps, at {rows}"
        else:
            answer = "not seen"
        self._add(Finding(f"Are {what} silently cut below the limit asked for?", answer, f"{rows} came"))

    def _note_zone(self, day: date, moments: list[datetime]) -> None:
        """Narrow down the zone of the server's days by the orders that it counts to one day."""
        question = "In which zone are the days of startDate and endDate?"
        telling = [moment for moment in moments if not _at_midnight(moment)]
        if not telling:
            self._add_open(question, "no order shows it", "UTC, or your own?")
            return
        start = datetime.combine(day, datetime.min.time(), telling[0].tzinfo)
        # Every order of the server's day d is within 24 hours of the start of d in the server's zone.
        least = (max(telling) - start - ONE_DAY) // timedelta(hours=1) + 1
        most = (min(telling) - start) // timedelta(hours=1)
        low, high = -min(most, 12), -max(least, -14)
        answer = "UTC" if low == high == 0 else f"between UTC{low:+d} and UTC{high:+d}"
        self._add(Finding(question, answer, f"by {len(telling)} orders of {day}"))

    def _add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.dialect = replace(self.dialect, **finding.learned)

    def _add_open(self, question: str, evidence: str, ask: str) -> None:
        self._add(Finding(question, "", evidence, ask=f"{question} {ask[:1].upper()}{ask[1:]}"))


def _format_days(start: date, end: date) -> dict[str, str]:
    return {"startDate": start.isoformat(), "endDate": end.isoformat()}


def _has_more(page: PageInfo, rows: int) -> bool:
    return page.next is not None or (page.last or 1) > 1 or (page.total or 0) > rows


def _read_limit(error: CenportsError) -> int | None:
    """Find the largest limit that a refusal names: "may not be greater than 300"."""
    messages: Any = getattr(error, "errors", None) or [str(error)]
    texts = [text for texts in messages.values() for text in texts] if isinstance(messages, dict) else messages
    numbers = [int(found) for text in texts for found in re.findall(r"(?<![\d.])\d{2,5}(?!\d|\.\d)", text)]
    return next((number for number in numbers if 1 < number < RAISED_LIMIT), None)


def _read_instants(records: list[dict[str, Any]]) -> list[datetime]:
    """Parse when orders were placed, if that is an instant."""
    found = (_parse_instant(record.get("orderDate")) for record in records)
    return [moment for moment in found if moment is not None]


def _parse_instant(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _at_midnight(moment: datetime) -> bool:
    """Return whether a moment is a midnight of any zone, and so probably a plain day."""
    return moment.second == moment.microsecond == 0 and moment.minute % 15 == 0
