"""The shape of a probe's requests and answers: names, types and formats, without any value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from cenports_nb.api.json_shape import describe_shape, merge_shapes

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.http.adapter import Exchange

STATUS_WORD = re.compile(r"[A-Z_ ]{1,30}")
"""A transaction status of Cenports; nothing else is recorded."""


@dataclass
class CallRecord:
    """What was sent to an end point, and how it answered."""

    request: Any = None
    answers: dict[str, Any] = field(default_factory=dict)


@dataclass
class ExchangeLog:
    """The requests and answers of a probe, by format.

    Attributes:
        quantity_forms: Formats of stock quantities: text, number, decimal_text, decimal.
        given_handles: Handles in answers to writes.
        read_handles: Handles in answers of GET /transaction.
        id_forms: Formats of transaction ids: text, number.
        error_numbers: The row numbers that they name.
        refusals: Statuses with which PATCH /inventories was refused.
        hides_errors: Whether refusals have status 200; None if there were none.
    """

    prefix: str
    calls: dict[str, CallRecord] = field(default_factory=dict)
    quantity_forms: set[str] = field(default_factory=set)
    stock_fields: set[str] = field(default_factory=set)
    given_handles: list[str] = field(default_factory=list)
    read_handles: set[str] = field(default_factory=set)
    id_forms: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    error_forms: set[str] = field(default_factory=set)
    error_numbers: set[int] = field(default_factory=set)
    refusals: set[int] = field(default_factory=set)
    order_headers: set[str] = field(default_factory=set)
    hides_errors: bool | None = None

    @classmethod
    def start(cls, client: Client) -> ExchangeLog:
        """Begin a log of a client's requests."""
        return cls(urlsplit(client.settings.base_url).path)

    def add(self, exchange: Exchange) -> None:
        """Record an exchange."""
        address = urlsplit(exchange.address)
        call = f"{exchange.method} {address.path.removeprefix(self.prefix)}"
        record = self.calls.setdefault(call, CallRecord())
        sent = _parse(exchange.sent or b"{}")
        asked = dict.fromkeys((name for name, _ in parse_qsl(address.query)), "text")
        asked |= sent if isinstance(sent, dict) else {}
        record.request = merge_shapes(record.request, describe_shape(asked))
        received = _parse(exchange.received)
        status = str(exchange.status)
        record.answers[status] = merge_shapes(record.answers.get(status), describe_shape(received))
        code = self._note_refusal(exchange.status, received)
        if call == "PATCH /inventories" and code is not None:
            self.refusals.add(code)
        elif call in ("PATCH /inventories", "GET /transaction") and isinstance(received, dict):
            self._note_transaction(received, is_new=call.startswith("PATCH"))
        elif call == "GET /orders":
            self.order_headers |= exchange.header_names
        elif call == "GET /inventories":
            self._note_stock(received)

    def _note_refusal(self, status: int, received: Any) -> int | None:
        """Return the code of a refusal, wherever it is."""
        inner = received.get("code") if isinstance(received, dict) else None
        code = {"400": 400, "422": 422}.get(str(inner))
        if status in (400, 422):
            self.hides_errors = False
            return status
        if status == 200 and code is not None:
            self.hides_errors = True
            return code
        return None

    def _note_transaction(self, received: Mapping[str, Any], *, is_new: bool) -> None:
        found = received if "handle" in received else received.get("data")
        if not isinstance(found, Mapping) or "handle" not in found:
            return
        handle = str(found["handle"])
        if is_new:
            self.given_handles.append(handle)
            self.id_forms.add("number" if isinstance(found.get("id"), int) else "text")
        else:
            self.read_handles.add(handle)
        word = str(found.get("status"))
        if STATUS_WORD.fullmatch(word):
            self.words.add(word)
        if word == "FAILED" or found.get("errors"):
            form, numbers = describe_errors(found.get("errors"))
            self.error_forms.add(form)
            self.error_numbers |= numbers

    def _note_stock(self, received: Any) -> None:
        for row in _list_stock_rows(received):
            self.stock_fields |= {name for name in row if isinstance(name, str)}
            value = row.get("quantity")
            if isinstance(value, str):
                self.quantity_forms.add("text" if re.fullmatch(r"-?\d+", value) else "decimal_text")
            elif isinstance(value, int | float):
                self.quantity_forms.add("number" if isinstance(value, int) else "decimal")


def describe_errors(errors: Any) -> tuple[str, set[int]]:
    """Return the format of the `errors` of a failed transaction, and the row numbers in it."""
    if not errors:
        return "none", set()
    if isinstance(errors, str):
        return "text", set()
    if isinstance(errors, Mapping) and "message" not in errors:
        return "map", _read_numbers(errors)
    items = errors if isinstance(errors, list) else [errors]
    if all(isinstance(item, Mapping) and "message" in item for item in items):
        form = "objects" if isinstance(errors, list) else "other"
        return form, _read_numbers(item.get("index") for item in items)
    if all(isinstance(item, list) and len(item) == 2 for item in items):
        return "pairs", _read_numbers(item[0] for item in items)
    return ("texts" if all(isinstance(item, str) for item in items) else "other"), set()


def _read_numbers(values: Any) -> set[int]:
    return {int(str(value)) for value in values if re.fullmatch(r"\d{1,9}", str(value))}


def _list_stock_rows(received: Any) -> Iterator[Mapping[str, Any]]:
    warehouses = received.get("data") if isinstance(received, dict) else received
    for warehouse in warehouses if isinstance(warehouses, list) else ():
        rows = warehouse.get("warehouseInventory") if isinstance(warehouse, dict) else None
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()


def _parse(body: bytes) -> Any:
    """Parse JSON; None if it isn't JSON."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return "no JSON"
