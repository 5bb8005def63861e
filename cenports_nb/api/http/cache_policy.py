"""Maximum ages of cached answers: one table, which a user can change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from cenports_nb.errors import ConfigurationError

MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS = 60.0, 3600.0, 86_400.0


@dataclass(frozen=True)
class CacheAges:
    """Maximum ages of cached answers in seconds; `client.ages` or a profile's `ages` change them.

    Transactions and answers filtered by acknowledgment are never cached.
    """

    stock: float = MINUTE_SECONDS
    shipments: float = 15 * MINUTE_SECONDS
    channels: float = DAY_SECONDS
    open_month: float = 15 * MINUTE_SECONDS
    """Orders of this month, and of any month with open lines."""
    last_month: float = 6 * HOUR_SECONDS
    settled_month: float = 30 * DAY_SECONDS
    """Orders of a month before the last one, if all lines are closed."""

    @classmethod
    def from_profile(cls, table: Mapping[str, float]) -> CacheAges:
        """Read the `ages` of a profile."""
        known = [item.name for item in fields(cls)]
        for name in table:
            if name not in known:
                raise ConfigurationError(f"The profile's ages have no {name!r}: they are {', '.join(known)}.")
        return cls(**table)
