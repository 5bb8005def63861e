"""Shipments: sorted by (shipDate, orderNo), acknowledged by order number."""

from collections import defaultdict
from collections.abc import Iterable
from zlib import crc32

from cenports_nb.sandbox.clock import UTC_DAYS, DayFilter, name_day, parse_instant
from cenports_nb.sandbox.records import Json, SharedRecord


class Shipment(SharedRecord):
    """One shipment of an order."""

    __slots__ = ("_day", "_day_rule", "acknowledged", "at", "channel_id", "key", "number")

    def __init__(self, record: Json) -> None:
        super().__init__(record)
        self.number: str = record["orderNo"]
        self.channel_id: str = record["channelId"]
        self.acknowledged = bool(record.get("acknowledged"))
        self.at = parse_instant(record["shipDate"]) if record.get("shipDate") else None
        self.key = (self.at.isoformat() if self.at else "", self.number)
        self._day_rule, self._day = UTC_DAYS, name_day(self.at) if self.at else ""

    @property
    def shuffle_key(self) -> int:
        """A hash to sort by when the dialect has no order; the same in every request."""
        return crc32("/".join((self.channel_id, *self.key)).encode())

    def get_day(self, rule: tuple[str, int]) -> str:
        """Return the day of shipping, computed once per rule; "" without a date."""
        if self._day_rule != rule:
            self._day_rule, self._day = rule, name_day(self.at, *rule) if self.at else ""
        return self._day

    def acknowledge(self, *, acknowledged: bool = True) -> None:
        """Mark it as acknowledged; the record shows it only if it has the field."""
        self.acknowledged = acknowledged
        if "acknowledged" in self._record:
            self.record = {**self.record, "acknowledged": acknowledged}


class ShipmentStore:
    """All shipments of the account."""

    def __init__(self, records: Iterable[Json]) -> None:
        self._by_channel: defaultdict[str, list[Shipment]] = defaultdict(list)
        self._by_number: defaultdict[str, list[Shipment]] = defaultdict(list)
        for shipment in sorted((Shipment(record) for record in records), key=lambda row: row.key):
            self._by_channel[shipment.channel_id].append(shipment)
            self._by_number[shipment.number].append(shipment)

    def copy(self) -> "ShipmentStore":
        """Return a store with copies of the shipments."""
        copies = {shipment: shipment.copy() for rows in self._by_channel.values() for shipment in rows}
        store = ShipmentStore(())
        for found, rows_by_key in ((store._by_channel, self._by_channel), (store._by_number, self._by_number)):
            for key, rows in rows_by_key.items():
                found[key] = [copies[shipment] for shipment in rows]
        return store

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
        """List all shipments with this order number."""
        return self._by_number.get(number, [])
