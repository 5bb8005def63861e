"""The limits of single rows, shared by the guards of frames and the last look before a batch leaves.

They take numbers, or arrays of them, of which each is judged for itself.
"""

from __future__ import annotations

from typing import Any


def drops_too_far(now: Any, target: Any, max_drop: float, max_drop_from: int) -> Any:
    """Tell whether a SKU would lose more than a share of its stock; small stocks may fall as they like."""
    return (now >= max_drop_from) & (now - target > max_drop * now)


def fell_equally(stock_change: Any, open_change: Any) -> Any:
    """Tell whether as many units left the stock as left the open lines, as they do when orders ship.

    A fall of one alone may be a cancellation, or a shipment of which only one half was read.
    """
    return (stock_change == open_change) | ((stock_change >= 0) & (open_change >= 0))


def falls_below_reserved(now: Any, target: Any, reserved: Any) -> Any:
    """Tell whether stock would fall below what is reserved; raising it towards that is fine."""
    return (target < reserved) & (target < now)
