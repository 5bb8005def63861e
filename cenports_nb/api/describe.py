"""What a client says of itself, as a line and as a note; never a secret."""

from __future__ import annotations

import math

from cenports_nb.api.usage import Usage
from cenports_nb.settings import Settings

DAY_S, HOUR_S, MINUTE_S = 86_400, 3600, 60


def describe(settings: Settings, usage: Usage, oldest_s: float | None) -> dict[str, str]:
    """Name what a person may want to know of a client.

    Args:
        settings: Whose.
        usage: What it has spent.
        oldest_s: Age of the oldest answer in its cache; None where none is known.
    """
    cache = "on" if settings.cache else "off"
    if settings.offline:
        cache = "alone (offline)"
    elif oldest_s is not None:
        cache = f"up to {_age(oldest_s)} old"
    return {
        "environment": settings.environment,
        "address": settings.base_url,
        "partner": settings.partner_id,
        "writes": "read-only" if settings.read_only else "writable",
        "cache": cache,
        "requests": repr(usage),
    }


def _age(seconds: float) -> str:
    if seconds >= 2 * DAY_S:
        return f"{seconds / DAY_S:.0f} days"
    if seconds >= HOUR_S:
        return f"{seconds / HOUR_S:.1f} hours"
    return f"{max(1, math.ceil(seconds / MINUTE_S))} min"
