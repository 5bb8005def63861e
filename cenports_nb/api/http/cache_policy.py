"""How long answers may be served from the cache: one table, which a user can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from cenports_nb.errors import ConfigurationError

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True)
class CacheAges:
    """How many seconds an answer may be served from the cache; `client.ages` or a profile's `ages` change it.

    Answers filtered by acknowledgement and transactions are never served from it.
    """

    stock: float = MINUTE_SECONDS
    shipments: float = 15 * MINUTE_SECONDS
    channels: float = DAY_SECONDS
    open_month: float = 15 * MINUTE_SECONDS
    """Orders of this month, and of any month with open lines."""
    last_month: float = 6 * HOUR_SECONDS
    settled_month: float = 30 * DAY_SECONDS
    """Orders of a month before the last one, all of whose lines are closed."""

    @classmethod
    def from_profile(cls, table: Mapping[str, float]) -> CacheAges:
        """Read the `ages` of a profile."""
        known = [item.name for item in fields(cls)]
        for name in table:
            if name not in known:
                raise ConfigurationError(f"The profile's ages have no {name!r}: they are {', '.join(known)}.")
        return cls(**table)
