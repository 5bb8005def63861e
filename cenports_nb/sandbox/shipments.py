"""Shipments: sorted by (shipDate, orderNo), acknowledged by order number."""

from collections import defaultdict
from collections.abc import Iterable

from cenports_nb.sandbox.clock import instant
from cenports_nb.sandbox.replies import Json, encode


class Shipment:
    """One shipment of an order."""

    __slots__ = ("_payload", "acknowledged", "channel_id", "day", "key", "number", "record")

    def __init__(self, record: Json) -> None:
        self.record = record
        self.number: str = record["orderNo"]
        self.channel_id: str = record["channelId"]
        self.acknowledged = bool(record.get("acknowledged"))
        moment = instant(record["shipDate"]) if record.get("shipDate") else None
        self.day = moment.date().isoformat() if moment else ""
        self.key = (moment.isoformat() if moment else "", self.number)
        self._payload: bytes | None = None

    @property
    def payload(self) -> bytes:
        """The record as JSON."""
        if self._payload is None:
            self._payload = encode(self.record)
        return self._payload

    def acknowledge(self) -> None:
        """Mark it; the record says so only if it has the word."""
        self.acknowledged = True
        if "acknowledged" in self.record:
            self.record = {**self.record, "acknowledged": True}
            self._payload = None


class ShipmentBook:
    """All shipments of the account."""

    def __init__(self, records: Iterable[Json]) -> None:
        self._by_channel: defaultdict[str, list[Shipment]] = defaultdict(list)
        self._by_number: defaultdict[str, list[Shipment]] = defaultdict(list)
        for shipment in sorted((Shipment(record) for record in records), key=lambda row: row.key):
            self._by_channel[shipment.channel_id].append(shipment)
            self._by_number[shipment.number].append(shipment)

        self.channel_ids = set(self._by_channel)

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._by_channel.values())

    def select(
        self,
        channel_id: str,
        *,
        numbers: frozenset[str] | None = None,
        acknowledged: bool | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> list[Shipment]:
        """List the channel's shipments that match every filter; both days are included and UTC."""
        rows = self._by_channel.get(channel_id, [])
        if start is not None and end is not None:
            rows = [row for row in rows if start <= row.day <= end]
        if numbers is not None:
            rows = [row for row in rows if row.number in numbers]
        if acknowledged is not None:
            rows = [row for row in rows if row.acknowledged is acknowledged]
        return rows

    def acknowledge(self, number: str) -> bool:
        """Mark every shipment with that order number; tell whether there was one."""
        rows = self._by_number.get(number, [])
        for row in rows:
            row.acknowledge()
        return bool(rows)
