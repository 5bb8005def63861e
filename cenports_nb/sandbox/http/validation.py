"""Fields: which values a parameter may have, and the message for any other."""

import base64
import binascii
import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from cenports_nb.sandbox.account.authentication import PARTNER_ID
from cenports_nb.sandbox.http.responses import Errors
from cenports_nb.sandbox.records import Json

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INT64 = 2**63


class KnownCodes(NamedTuple):
    """The codes that exist in the account at the time of the check."""

    channels: Container[str]
    warehouses: Container[str]


@dataclass(frozen=True)
class Field:
    """A named parameter; null counts as missing."""

    name: str
    required: bool = True

    def check(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Add what is wrong with the value, under its dotted name."""
        flaw = self.find_flaw(value, known) if not self.is_missing(value) else None
        if self.is_missing(value) and self.required:
            flaw = "The {} field is required."
        if flaw is not None:
            add_error(errors, at, flaw)

    def is_missing(self, value: Any) -> bool:
        """Return whether nothing was sent."""
        return value is None

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        """Return the message for a value, with `{}` for the field's name; None if it is valid."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Field):
    """A string of at most `size` characters; a blank one counts as missing."""

    size: int = 255

    def is_missing(self, value: Any) -> bool:
        return value is None or (isinstance(value, str) and not value.strip())

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        if not isinstance(value, str):
            return "The {} must be a string."
        return f"The {{}} may not be greater than {self.size} characters." if len(value) > self.size else None


@dataclass(frozen=True)
class Integer(Field):
    """A JSON integer between two bounds."""

    low: int = -_INT64
    high: int = _INT64 - 1

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        if type(value) is not int or not -_INT64 <= value < _INT64:
            return "The {} must be an integer."
        return None if self.low <= value <= self.high else f"The {{}} must be between {self.low} and {self.high}."


@dataclass(frozen=True)
class Boolean(Field):
    """True or false."""

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        return None if isinstance(value, bool) else "The {} field must be true or false."


@dataclass(frozen=True)
class Day(Field):
    """A calendar day, Y-m-d."""

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        return None if is_day(value) else "The {} does not match the format Y-m-d."


@dataclass(frozen=True)
class Money(Field):
    """A non-negative number of `digits` digits, two of them decimals."""

    digits: int = 6

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        if type(value) not in (int, float):
            return "The {} must be a number."
        # The shortest text of a float is what was sent, so 0.1 has one decimal, not fifty-five.
        amount = Decimal(repr(value))
        high = Decimal(10 ** (self.digits - 2)) - Decimal("0.01")
        if not amount.is_finite() or not 0 <= amount <= high:
            return f"The {{}} must be between 0 and {high}."
        return None if amount == round(amount, 2) else "The {} may not have more than 2 decimal places."


@dataclass(frozen=True)
class Choice(Text):
    """One of a few words."""

    options: tuple[str, ...] = ()

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        return None if value in self.options else "The selected {} is invalid."


@dataclass(frozen=True)
class Base64(Field):
    """A base64 text, with or without a `data:` prefix."""

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        try:
            base64.b64decode(re.sub(r"\Adata:[\w.+-]+/[\w.+-]+;base64,", "", value), validate=True)
        except (TypeError, ValueError, binascii.Error):
            return "The {} must be a base64 string."
        return None


@dataclass(frozen=True)
class Partner(Field):
    """The demo partner; a missing one is answered like a wrong one, as the reference shows."""

    name: str = "partnerId"

    def is_missing(self, value: Any) -> bool:
        return False

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        return None if value == PARTNER_ID else "The {} is not valid, please try again."


@dataclass(frozen=True)
class Channel(Text):
    """A channel of the account or, with `is_new`, an id that no channel has."""

    name: str = "channelId"
    is_new: bool = False

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        flaw = "The {} has already been taken." if self.is_new else "The {} does not exist, please try again."
        return super().find_flaw(value, known) or (flaw if (value in known.channels) == self.is_new else None)


@dataclass(frozen=True)
class Warehouse(Text):
    """A warehouse of the account."""

    name: str = "warehouseCode"

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        flaw = None if value in known.warehouses else "The {} does not exist, please try again."
        return super().find_flaw(value, known) or flaw


@dataclass(frozen=True)
class NestedObject(Field):
    """An object with its own fields; an empty one, or an empty array, counts as missing."""

    fields: tuple[Field, ...] = ()

    def is_missing(self, value: Any) -> bool:
        return value is None or value in ({}, [])

    def check(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check the object and every field of it."""
        if self.is_missing(value):
            super().check(value, at, known, errors)
        else:
            self.check_fields(value, at, known, errors)

    def check_fields(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check every field of an object."""
        if not isinstance(value, dict):
            add_error(errors, at, "The {} must be an array.")
            return
        for field in self.fields:
            field.check(value.get(field.name), f"{at}.{field.name}", known, errors)


@dataclass(frozen=True)
class ObjectList(NestedObject):
    """A list of objects with the same fields, at most `max_items` of them."""

    max_items: int | None = None

    def find_flaw(self, value: Any, known: KnownCodes) -> str | None:
        if not isinstance(value, list):
            return "The {} must be an array."
        is_longer = self.max_items is not None and len(value) > self.max_items
        return f"The {{}} may not have more than {self.max_items} items." if is_longer else None

    def check(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check the list and every field of every object in it."""
        Field.check(self, value, at, known, errors)
        if at not in errors:
            for index, item in enumerate(value or []):
                self.check_fields(item, f"{at}.{index}", known, errors)


def find_errors(fields: Sequence[Field], params: Json, known: KnownCodes) -> Errors:
    """Check parameters against fields; return all errors, by dotted name."""
    errors: Errors = {}
    for field in fields:
        field.check(params.get(field.name), field.name, known, errors)
    if any(field.name == "startDate" for field in fields):
        _check_range(params, errors)
    return errors


def _check_range(params: Json, errors: Errors) -> None:
    start, end = params.get("startDate"), params.get("endDate")
    for name, other, value, partner in (("startDate", "endDate", start, end), ("endDate", "startDate", end, start)):
        if value is None and partner is not None:
            add_error(errors, name, f"The {{}} field is required when {spell_field(other)} is present.")
    if is_day(start) and is_day(end) and str(start) > str(end):
        add_error(errors, "endDate", "The end date must be a date after or equal to start date.")


def is_day(value: Any) -> bool:
    """Return whether a value is a calendar day, Y-m-d."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def add_error(errors: Errors, at: str, text: str) -> None:
    """Add a message about a field; `{}` stands for its name."""
    errors.setdefault(at, []).append(text.format(spell_field(at)))


def spell_field(at: str) -> str:
    """Spell a field name as in Laravel's messages: `shipTo.postalCode` is `ship to.postal code`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", at).lower()
