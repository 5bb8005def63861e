"""Sales channels: listed ones, and those that only old orders have."""

import secrets
from collections.abc import Iterable

from cenports_nb.sandbox.records import Json, encode


class ChannelStore:
    """The channels of the account, in the order of their creation."""

    def __init__(self, records: Iterable[Json], unlisted: Iterable[str] = ()) -> None:
        self._records = {record["channelId"]: record for record in records}
        self._unlisted = set(unlisted) - self._records.keys()

    def __contains__(self, channel_id: object) -> bool:
        return channel_id in self._records or channel_id in self._unlisted

    def get_name(self, channel_id: str) -> str:
        """Return the name of a channel; the id of one that is not listed."""
        return str(self._records.get(channel_id, {}).get("channelName") or channel_id)

    def list_payloads(self) -> list[bytes]:
        """List the channels as JSON."""
        return [encode(record) for record in self._records.values()]

    def add_unlisted(self, channel_id: str) -> None:
        """Accept the channel of an order, even if it is not listed."""
        if channel_id not in self._records:
            self._unlisted.add(channel_id)

    def add(self, params: Json, channel_id: str | None) -> str:
        """Add a channel and return its id, a random one if none is given."""
        channel_id = channel_id or f"CH-{secrets.token_hex(4).upper()}"
        address = params["contactInfo"]
        self._records[channel_id] = {
            "channelName": params["channelName"],
            "channelId": channel_id,
            "channelEmail": params.get("contactEmail"),
            "channelPhone": params.get("contactPhone"),
            "location": ", ".join(address[name] for name in ("city", "state", "country", "postalCode")),
            "features": None,
        }
        return channel_id
