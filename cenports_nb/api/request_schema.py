"""The parameters of each call, from the reference's tables, and the check of a body before it is sent.

Types are written as in the reference: `string(255)!` is a required text of at most 255 characters, `int(5)` has at most
five digits, `decimal(6, 2)` six digits of which two are decimals. `*` stands for every item of an array. The sizes may
be nominal: `Dialect.sizes` replaces any of them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from cenports_nb.errors import InvalidRequestError

Table = Mapping[str, str]

PARTNER_FIELDS = {"partnerId": "string(255)!"}
PAGE_FIELDS = {"page": "int"}  # not in the tables: requests a page where an answer has pages
CALL_TABLES: Mapping[str, Table] = {
    "GET /orders": {
        **PARTNER_FIELDS,
        **PAGE_FIELDS,
        "channelId": "string(255)",
        "orders": "string(255)",
        "isAcknowledged": "bool",
        "isPaginated": "bool",
        "limit": "int",
        "startDate": "date",
        "endDate": "date",
    },
    "POST /orders": {
        **PARTNER_FIELDS,
        "channelId": "string(255)!",
        "orders": "array!",
        "orders.*.orderNo": "string(255)!",
        "orders.*.customerOrderNo": "string(255)",
        "orders.*.orderDate": "date!",
        "orders.*.customerName": "string(255)!",
        "orders.*.contactName": "string(255)",
        "orders.*.contactEmail": "string(255)",
        "orders.*.contactPhone": "string(255)",
        "orders.*.shipTo": "object!",
        "orders.*.shipTo.address1": "string(255)!",
        "orders.*.shipTo.address2": "string(255)",
        "orders.*.shipTo.city": "string(255)!",
        "orders.*.shipTo.state": "string(255)!",
        "orders.*.shipTo.country": "string(10)!",
        "orders.*.shipTo.postalCode": "string(10)!",
        "orders.*.shippingInfo": "object!",
        "orders.*.shippingInfo.carrierCode": "string(255)!",
        "orders.*.shippingInfo.serviceLevel": "string(255)!",
        "orders.*.shippingInfo.estimatedShipDate": "date",
        "orders.*.lineItems": "array!",
        "orders.*.lineItems.*.sku": "string(255)!",
        "orders.*.lineItems.*.quantity": "int(5)!",
        "orders.*.lineItems.*.consumerPrice": "decimal(6, 2)!",
        "orders.*.lineItems.*.subTotal": "decimal(6, 2)!",
        "orders.*.lineItems.*.lineNumber": "int(3)",
        "orders.*.subTotal": "decimal(6, 2)",
        "orders.*.shippingCost": "decimal(5, 2)",
        "orders.*.grandTotal": "decimal(6, 2)!",
    },
    "PATCH /orders/acknowledge": {**PARTNER_FIELDS, "channelId": "string(255)!", "orders": "string(255)!"},
    "GET /channels": PARTNER_FIELDS,
    "POST /channels": {
        **PARTNER_FIELDS,
        "channelId": "string(255)",
        "channelName": "string(255)!",
        "contactEmail": "string(255)",
        "contactPhone": "string(255)",
        "contactInfo": "object!",
        "contactInfo.address": "string(255)!",
        "contactInfo.city": "string(255)!",
        "contactInfo.state": "string(20)!",
        "contactInfo.country": "string(2)!",
        "contactInfo.postalCode": "string(10)!",
        "billInfo": "object",
        **{
            f"billInfo.{name}": "string(255)"
            for name in ("name", "email", "phone", "address", "city", "state", "country", "postalCode")
        },
        "logo": "base64",
    },
    "GET /shipments": {
        **PARTNER_FIELDS,
        **PAGE_FIELDS,
        "channelId": "string(255)!",
        "orders": "array",
        "orders.*.orderNo": "string(255)",
        "startDate": "date",
        "endDate": "date",
        "limit": "int",
        "acknowledged": "bool",
    },
    "PATCH /shipments/acknowledge": {**PARTNER_FIELDS, "shipments": "array!", "shipments.*.orderNo": "string(255)!"},
    "GET /inventories": {
        **PARTNER_FIELDS,
        **PAGE_FIELDS,
        "channelId": "string(255)",
        "warehouseCode": "string(255)",
        "actualStock": "bool",
        "limit": "int",
    },
    "PATCH /inventories": {
        **PARTNER_FIELDS,
        "warehouseCode": "string(255)!",
        "inventories": "array!",
        "inventories.*.productSKU": "string(255)!",
        "inventories.*.type": "string(255)!",
        "inventories.*.quantity": "int!",
    },
    "GET /transaction": {**PARTNER_FIELDS, "handle": "string!"},
}


@dataclass(frozen=True)
class Objection:
    """One value that can't be sent.

    Attributes:
        path: Its location: names, and positions in lists.
        reason: What is wrong, without the value: `is missing`, `is longer than 10 characters`.
        value: The value.
    """

    path: tuple[str | int, ...]
    reason: str
    value: Any = None

    @property
    def location(self) -> str:
        """The location for people: `orders[1].shipTo.country`."""
        return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path).lstrip(".")

    @property
    def text(self) -> str:
        """What is wrong, with the value if there is one."""
        return self.reason if self.value is None else f"is {_quote(self.value)}, which {self.reason}"


def find_objections(call: str, body: Mapping[str, Any], sizes: Mapping[str, str]) -> Iterator[Objection]:
    """List everything in a body that can't be sent, by the call's table.

    Args:
        call: Method and path.
        body: The body to send.
        sizes: Types that replace those of some fields in the table.
    """
    table = {**CALL_TABLES[call], **{name: kind for name, kind in sizes.items() if name in CALL_TABLES[call]}}
    for path, kind in table.items():
        for location, value, parent in _find_values(body, path.split(".")):
            if value is None:
                if kind.endswith("!") and parent:
                    yield Objection(location, "is missing")
            elif reason := _check_value(kind.rstrip("!"), value):
                yield Objection(location, reason, value)
    names = {path.split(".")[0] for path in table}
    for name in body:
        if name not in names:
            yield Objection((name,), f"isn't a parameter of this call: {', '.join(sorted(names))}")


def check_body(call: str, body: Mapping[str, Any], sizes: Mapping[str, str]) -> None:
    """Check a body against the call's table, all fields at once.

    Args:
        call: Method and path.
        body: The body to send.
        sizes: Types that replace those of some fields in the table.

    Raises:
        InvalidRequestError: `errors` has each field that can't be sent, with its location; nothing was sent.
    """
    errors: dict[str, list[str]] = {}
    for found in find_objections(call, body, sizes):
        errors.setdefault(found.location, []).append(found.text)
    if call == "POST /channels" and not (body.get("contactEmail") or body.get("contactPhone")):
        errors["contactEmail"] = ["is needed where contactPhone is missing"]
    if ("startDate" in body) != ("endDate" in body):
        errors["startDate"] = ["goes with endDate: give both"]
    if errors:
        shown = [f"{location} {texts[0]}" for location, texts in errors.items()][:5]
        more = f" and {len(errors) - 5} more" if len(errors) > 5 else ""
        raise InvalidRequestError(f"{call} was not sent: {'; '.join(shown)}{more}.", errors=errors)


def _find_values(
    value: Any, path: list[str], location: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any, bool]]:
    """Follow a path into a body: yield each location, its value, and whether its parent exists."""
    name, *rest = path
    if name == "*":
        for i, item in enumerate(value if isinstance(value, list | tuple) else ()):
            yield from _find_values(item, rest, (*location, i)) if rest else [((*location, i), item, True)]
        return
    here = (*location, name)
    is_object = isinstance(value, Mapping)
    found = value.get(name) if is_object else None
    if not rest:
        yield here, found, is_object
    elif found is not None:
        yield from _find_values(found, rest, here)


def _check_value(kind: str, value: Any) -> str:
    """Return why a value doesn't fit a type; empty if it does."""
    fits, numbers = _parse_type(kind)
    return fits(value, *numbers)


@cache
def _parse_type(kind: str) -> tuple[Callable[..., str], tuple[int, ...]]:
    """Parse a type into its check and its sizes."""
    name, _, size = kind.partition("(")
    return TYPE_CHECKS[name], tuple(int(number) for number in re.findall(r"\d+", size))


def _check_string(value: Any, most: int = 0) -> str:
    if not isinstance(value, str):
        return "isn't text"
    if not value:
        return "is empty"
    return f"is longer than {most} characters" if most and len(value) > most else ""


def _check_int(value: Any, digits: int = 0) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return "isn't a whole number"
    return f"has more than {digits} digits" if digits and abs(value) >= 10**digits else ""


def _check_decimal(value: Any, digits: int = 0, places: int = 0) -> str:
    try:
        number = (
            Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None
        )
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        return "isn't an amount"
    exponent = number.normalize().as_tuple().exponent
    if places and isinstance(exponent, int) and -exponent > places:
        return f"has more than {places} decimal places"
    return f"is {10 ** (digits - places):,} or more" if digits and abs(number) >= 10 ** (digits - places) else ""


def _check_date(value: Any) -> str:
    text = value.isoformat() if type(value) is date else value
    try:
        if isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", text) and date.fromisoformat(text):
            return ""
    except ValueError:
        pass
    return "isn't a day: write it as YYYY-MM-DD"


def _check_bool(value: Any) -> str:
    return "" if isinstance(value, bool) else "is neither True nor False"


def _check_array(value: Any) -> str:
    return "" if isinstance(value, list | tuple) and value else "is empty or isn't a list"


def _check_object(value: Any) -> str:
    return "" if isinstance(value, Mapping) else "isn't a mapping"


def _check_base64(value: Any) -> str:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return "isn't base64 text"
    return ""


TYPE_CHECKS: Mapping[str, Callable[..., str]] = {
    "string": _check_string,
    "int": _check_int,
    "decimal": _check_decimal,
    "date": _check_date,
    "bool": _check_bool,
    "array": _check_array,
    "object": _check_object,
    "base64": _check_base64,
}


def _quote(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
