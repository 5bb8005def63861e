"""What the API's reference leaves open: each question with its default and the sentence it is based on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from cenports_nb.errors import ConfigurationError

PARAMETER_PLACES = ("body", "query", "both")
ROUND_LENGTHS = (
    10, 15, 20, 25, 30, 40, 50, 60, 75, 99, 100, 120, 150, 200, 250, 300, 400, 500, 600, 750, 1_000, 2_000, 2_500, 5_000,
    10_000,
)  # fmt: skip
"""Lengths at which answers may be cut: those that the reference names, and round numbers."""


@dataclass(frozen=True)
class Dialect:
    """How this account's Cenports answers the open questions of the reference; `connect(dialect=…)` changes it.

    Example:
        >>> with cn.connect("sandbox", dialect=cn.Dialect(available_scope="channel")) as client:
        ...     client.dialect.available_scope
        'channel'
    """

    get_parameters: Literal["body", "query", "both"] = "body"
    """"GET /orders { "partnerId": … }": the examples of four GET calls show a JSON body."""

    channel_parameters: Literal["body", "query", "both"] = "query"
    """"Query Parameters": only GET /channels says so."""

    order_limit: int = 300
    """"The current maximum limit for getting orders is 300."."""

    shipment_limit: int = 99
    """"limit | int(2)": two digits."""

    inventory_limit: int = 300
    """"The maximum limit of all initial accounts is 300."; the reference doesn't say whether it applies to stock."""

    known_caps: tuple[int, ...] = ROUND_LENGTHS
    """"will only return 30 items", "only return 50 items": an answer with exactly so many rows may be cut."""

    whole_lengths: tuple[int, ...] = ()
    """"will only return 30 items": lengths that are known to be complete, for an account that really has 30."""

    end_included: bool | None = None
    """"between a specified start and end date": None means unknown; it is found out if needed, and both are covered."""

    available_scope: Literal["account", "channel"] = "account"
    """"after subtracting the quantity from purchase orders": the reference doesn't say whose orders."""

    true_up_sets: Literal["actual", "available"] = "actual"
    """"it will update the inventory quantity to what is set in the quantity field": it doesn't say which of the two stocks."""

    sizes: Mapping[str, str] = field(default_factory=dict)
    """"decimal(6, 2)!", "string(10)!": sizes that may be nominal, to be replaced: {"orders.*.grandTotal": "decimal(9, 2)!"}."""

    settle_minutes: int = 20
    """"may take up to 15 minutes to be finalized", and five more for safety: before that, absence proves nothing."""

    def __post_init__(self) -> None:
        """Check the values of a person or a profile.

        Raises:
            ConfigurationError: A value is invalid.
        """
        for name in ("get_parameters", "channel_parameters"):
            if getattr(self, name) not in PARAMETER_PLACES:
                raise ConfigurationError(
                    f"Dialect.{name} is {getattr(self, name)!r}: use one of {', '.join(PARAMETER_PLACES)}."
                )
        for name, options in (("available_scope", ("account", "channel")), ("true_up_sets", ("actual", "available"))):
            if getattr(self, name) not in options:
                raise ConfigurationError(f"Dialect.{name} is {getattr(self, name)!r}: use one of {', '.join(options)}.")
        for name in ("known_caps", "whole_lengths"):
            values = getattr(self, name)
            if not isinstance(values, tuple) or not all(type(value) is int and value > 0 for value in values):
                raise ConfigurationError(f"Dialect.{name} is {values!r}: use whole numbers above 0, such as (50,).")
        for name in ("order_limit", "shipment_limit", "inventory_limit", "settle_minutes"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigurationError(f"Dialect.{name} is {value!r}: use a whole number above 0.")

    @classmethod
    def from_profile(cls, table: Mapping[str, Any]) -> Dialect:
        """Read the `dialect` of a profile."""
        known = [item.name for item in fields(cls)]
        for name in table:
            if name not in known:
                raise ConfigurationError(f"The profile's dialect has no {name!r}: it has {', '.join(known)}.")
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
        }
        return cls(**values)
