"""Fields: what a parameter may be, and the message when it is something else."""

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
    """What exists in the account at the moment of the check."""

    channels: Container[str]
    warehouses: Container[str]


@dataclass(frozen=True)
class Field:
    """A named parameter; null and a missing one are the same."""

    name: str
    required: bool = True

    def check(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Add what is wrong with the value, under its dotted name."""
        if self.is_missing(value):
            if self.required:
                add_error(errors, at, f"The {spell_field(at)} field is required.")
            return
        self.verify(value, at, known, errors)

    def is_missing(self, value: Any) -> bool:
        """Tell whether nothing was sent."""
        return value is None

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check a value that was sent."""
        raise NotImplementedError


@dataclass(frozen=True)
class Text(Field):
    """A string of at most `size` characters; a blank one counts as missing."""

    size: int = 255

    def is_missing(self, value: Any) -> bool:
        """Tell whether nothing but blanks was sent."""
        return value is None or (isinstance(value, str) and not value.strip())

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check type and length."""
        if not isinstance(value, str):
            add_error(errors, at, f"The {spell_field(at)} must be a string.")
        elif len(value) > self.size:
            add_error(errors, at, f"The {spell_field(at)} may not be greater than {self.size} characters.")


@dataclass(frozen=True)
class Integer(Field):
    """An integer, of JSON's own kind, between two bounds."""

    low: int = -_INT64
    high: int = _INT64 - 1

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check type and bounds."""
        if type(value) is not int or not -_INT64 <= value < _INT64:
            add_error(errors, at, f"The {spell_field(at)} must be an integer.")
        elif not self.low <= value <= self.high:
            add_error(errors, at, f"The {spell_field(at)} must be between {self.low} and {self.high}.")


@dataclass(frozen=True)
class Boolean(Field):
    """True or false."""

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check the type."""
        if not isinstance(value, bool):
            add_error(errors, at, f"The {spell_field(at)} field must be true or false.")


@dataclass(frozen=True)
class Day(Field):
    """A day of the calendar, Y-m-d."""

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check form and calendar."""
        if not is_day(value):
            add_error(errors, at, f"The {spell_field(at)} does not match the format Y-m-d.")


@dataclass(frozen=True)
class Money(Field):
    """A decimal of `digits` digits, two of them after the point, not negative."""

    digits: int = 6

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check type, decimals and size."""
        if type(value) not in (int, float):
            add_error(errors, at, f"The {spell_field(at)} must be a number.")
            return
        # The shortest text of a float is what was sent, so 0.1 has one decimal, not fifty-five.
        amount = Decimal(repr(value))
        high = Decimal(10 ** (self.digits - 2)) - Decimal("0.01")
        if not amount.is_finite() or not 0 <= amount <= high:
            add_error(errors, at, f"The {spell_field(at)} must be between 0 and {high}.")
        elif amount != round(amount, 2):
            add_error(errors, at, f"The {spell_field(at)} may not have more than 2 decimal places.")


@dataclass(frozen=True)
class Choice(Text):
    """One of a few words."""

    options: tuple[str, ...] = ()

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check that the word is one of them."""
        if value not in self.options:
            add_error(errors, at, f"The selected {spell_field(at)} is invalid.")


@dataclass(frozen=True)
class Base64(Field):
    """A base64 text, with or without a `data:` prefix."""

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check that it decodes."""
        try:
            base64.b64decode(re.sub(r"\Adata:[\w.+-]+/[\w.+-]+;base64,", "", value), validate=True)
        except (TypeError, ValueError, binascii.Error):
            add_error(errors, at, f"The {spell_field(at)} must be a base64 string.")


@dataclass(frozen=True)
class Partner(Field):
    """The demo partner; a missing one is answered like a wrong one, as the reference shows."""

    name: str = "partnerId"

    def check(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check that it is this account's partner."""
        if value != PARTNER_ID:
            add_error(errors, at, "The partner id is not valid, please try again.")


@dataclass(frozen=True)
class Channel(Text):
    """A channel of the account, or with `is_new` an id that no channel has."""

    name: str = "channelId"
    is_new: bool = False

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check that it exists, or that it is free."""
        super().verify(value, at, known, errors)
        if at not in errors and (value in known.channels) == self.is_new:
            flaw = "has already been taken" if self.is_new else "does not exist, please try again"
            add_error(errors, at, f"The channel id {flaw}.")


@dataclass(frozen=True)
class Warehouse(Text):
    """A warehouse of the account."""

    name: str = "warehouseCode"

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check that it exists."""
        super().verify(value, at, known, errors)
        if at not in errors and value not in known.warehouses:
            add_error(errors, at, "The warehouse code does not exist, please try again.")


@dataclass(frozen=True)
class NestedObject(Field):
    """An object with fields of its own."""

    fields: tuple[Field, ...] = ()

    def is_missing(self, value: Any) -> bool:
        """Tell whether nothing was sent; an empty array or object is nothing too."""
        return value is None or value in ({}, [])

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check every field."""
        if not isinstance(value, dict):
            add_error(errors, at, f"The {spell_field(at)} must be an array.")
            return
        for field in self.fields:
            field.check(value.get(field.name), f"{at}.{field.name}", known, errors)


@dataclass(frozen=True)
class ObjectList(NestedObject):
    """A list of objects with the same fields, at most `max_items` of them."""

    max_items: int | None = None

    def verify(self, value: Any, at: str, known: KnownCodes, errors: Errors) -> None:
        """Check every field of every object."""
        if not isinstance(value, list):
            add_error(errors, at, f"The {spell_field(at)} must be an array.")
            return
        if self.max_items is not None and len(value) > self.max_items:
            add_error(errors, at, f"The {spell_field(at)} may not have more than {self.max_items} items.")
            return
        for index, item in enumerate(value):
            super().verify(item, f"{at}.{index}", known, errors)


def find_errors(fields: Sequence[Field], params: Json, known: KnownCodes) -> Errors:
    """Check parameters against fields: every failure at once, by dotted name."""
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
            add_error(errors, name, f"The {spell_field(name)} field is required when {spell_field(other)} is present.")
    if is_day(start) and is_day(end) and str(start) > str(end):
        add_error(errors, "endDate", "The end date must be a date after or equal to start date.")


def is_day(value: Any) -> bool:
    """Tell whether a value is a real day, Y-m-d."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def add_error(errors: Errors, at: str, text: str) -> None:
    """Note one more message on a field."""
    errors.setdefault(at, []).append(text)


def spell_field(at: str) -> str:
    """Spell a field name as Laravel does in its messages: `shipTo.postalCode` is `ship to.postal code`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", at).lower()
