"""What the API's reference leaves open: each question with its default and the sentence behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Dialect:
    """How this account's Cenports is taken to speak; `connect(dialect=…)` changes it."""

    get_parameters: Literal["body", "query", "both"] = "body"
    """"GET /orders { "partnerId": … }": the examples of four GET calls show a JSON body."""

    order_limit: int = 300
    """"The current maximum limit for getting orders is 300."."""

    shipment_limit: int = 99
    """"limit | int(2)": two digits."""

    inventory_limit: int = 300
    """"The maximum limit of all initial accounts is 300."; whether it holds for stock is not said."""

    known_caps: tuple[int, ...] = (30, 50, 99, 100, 300)
    """"will only return 30 items", "only return 50 items": an answer of exactly so many rows may be cut."""

    available_scope: Literal["account", "channel"] = "account"
    """"after subtracting the quantity from purchase orders": whose orders is not said."""

    settle_minutes: int = 20
    """"may take up to 15 minutes to be finalized", and five to be sure: absence proves nothing before."""
