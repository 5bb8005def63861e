"""Shipments: sorted by (shipDate, orderNo), acknowledged by order number."""

from collections import defaultdict
from collections.abc import Iterable
from zlib import crc32

from cenports_nb.sandbox.clock import UTC_DAYS, DayFilter, name_day, parse_instant
from cenports_nb.sandbox.records import Json, encode


class Shipment:
    """One shipment of an order."""

    __slots__ = ("_day", "_day_rule", "_payload", "acknowledged", "at", "channel_id", "key", "number", "record")

    def __init__(self, record: Json) -> None:
        self.record = record
        self.number: str = record["orderNo"]
        self.channel_id: str = record["channelId"]
        self.acknowledged = bool(record.get("acknowledged"))
        self.at = parse_instant(record["shipDate"]) if record.get("shipDate") else None
        self.key = (self.at.isoformat() if self.at else "", self.number)
        self._day_rule, self._day = UTC_DAYS, name_day(self.at) if self.at else ""
        self._payload: bytes | None = None

    @property
    def shuffle_key(self) -> int:
        """A hash: what shipments are sorted by when the dialect has no order, the same in every request."""
        return crc32("/".join((self.channel_id, *self.key)).encode())

    def get_day(self, rule: tuple[str, int]) -> str:
        """Return the day of shipping, found once for as long as the rule stays the same; "" without a date."""
        if self._day_rule != rule:
            self._day_rule, self._day = rule, name_day(self.at, *rule) if self.at else ""
        return self._day

    @property
    def payload(self) -> bytes:
        """The record as JSON."""
        if self._payload is None:
            self._payload = encode(self.record)
        return self._payload

    def acknowledge(self, *, acknowledged: bool = True) -> None:
        """Mark it; the record shows it only if it has the field."""
        self.acknowledged = acknowledged
        if "acknowledged" in self.record:
            self.record = {**self.record, "acknowledged": acknowledged}
            self._payload = None


class ShipmentStore:
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
        days: DayFilter | None = None,
    ) -> list[Shipment]:
        """List the channel's shipments that match every filter, first shipped first."""
        rows = self._by_channel.get(channel_id, [])
        if days is not None:
            rows = [row for row in rows if days.includes(row.get_day(days.day_rule))]
        if numbers is not None:
            rows = [row for row in rows if row.number in numbers]
        if acknowledged is not None:
            rows = [row for row in rows if row.acknowledged is acknowledged]
        return rows

    def find_all(self, number: str) -> list[Shipment]:
        """List every shipment with that order number."""
        return self._by_number.get(number, [])
