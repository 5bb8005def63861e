"""What a client says of itself, as a line and as a note; never a secret."""

from __future__ import annotations

from cenports_nb.api.usage import Usage
from cenports_nb.settings import Settings

DAY_S, HOUR_S = 86_400, 3600


def told_of(settings: Settings, usage: Usage, oldest_s: float | None) -> dict[str, str]:
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
        days = oldest_s >= 2 * DAY_S
        cache = f"up to {oldest_s / DAY_S:.0f} days old" if days else f"up to {oldest_s / HOUR_S:.1f} hours old"
    return {
        "environment": settings.environment,
        "address": settings.base_url,
        "partner": settings.partner_id,
        "writes": "read-only" if settings.read_only else "writable",
        "cache": cache,
        "requests": repr(usage),
    }
