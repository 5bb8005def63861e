"""Limits of single rows, shared by the guards and the last look before a batch is sent.

They take numbers, or arrays of them, elementwise.
"""

from __future__ import annotations

from typing import Any


def drops_too_far(now: Any, target: Any, max_drop: float, max_drop_from: int) -> Any:
    """Return whether a SKU would lose more than a share of its stock; small stocks may fall freely."""
    return (now >= max_drop_from) & (now - target > max_drop * now)


def fell_equally(stock_change: Any, open_change: Any) -> Any:
    """Return whether stock and open lines fell by the same number of units, as they do when orders ship.

    A fall of only one may be a cancellation, or a shipment between two reads.
    """
    return (stock_change == open_change) | ((stock_change >= 0) & (open_change >= 0))


def falls_below_reserved(now: Any, target: Any, reserved: Any) -> Any:
    """Return whether stock would fall below what is reserved; raising it toward that is fine."""
    return (target < reserved) & (target < now)
