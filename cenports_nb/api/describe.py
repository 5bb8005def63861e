"""What a client says of itself, as a line and as a note; never a secret."""

from __future__ import annotations

from cenports_nb.api.usage import Usage
from cenports_nb.rendering.text import format_duration
from cenports_nb.settings import Settings


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
        cache = f"up to {format_duration(oldest_s, round_up=True)} old"
    return {
        "environment": settings.environment,
        "address": settings.base_url,
        "partner": settings.partner_id,
        "writes": "read-only" if settings.read_only else "writable",
        "cache": cache,
        "requests": repr(usage),
    }
