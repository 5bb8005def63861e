"""Orders: sorted by (orderDate, channelId, orderNo), found by day, channel and number."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from cenports_nb.sandbox.clock import instant
from cenports_nb.sandbox.replies import Json, encode

# Lines with these words no longer hold stock; any other word, unknown ones too, is open.
CLOSED_WORDS = frozenset({"shipped", "cancelled", "canceled", "completed", "delivered", "returned", "refunded"})

StockKey = tuple[str, str]


class Order:
    """One order: the record as sent, and whether it is acknowledged."""

    __slots__ = ("_payload", "acknowledged", "at", "channel_id", "number", "record")

    def __init__(self, record: Json, *, acknowledged: bool | None = None) -> None:
        self.record = record
        self.number: str = record["orderNo"]
        self.channel_id: str = record["channelId"]
        self.at: datetime = instant(record["orderDate"])
        self.acknowledged = not self.reserved() if acknowledged is None else acknowledged
        self._payload: bytes | None = None

    @property
    def key(self) -> tuple[datetime, str, str]:
        """What orders are sorted by."""
        return (self.at, self.channel_id, self.number)

    @property
    def payload(self) -> bytes:
        """The record as JSON, written once."""
        if self._payload is None:
            self._payload = encode(self.record)
        return self._payload

    def reserved(self) -> Counter[StockKey]:
        """Count the units of open lines by (warehouse code, SKU)."""
        units: Counter[StockKey] = Counter()
        for line in self.record["lineItems"]:
            if str(line.get("status")).lower() not in CLOSED_WORDS:
                units[line.get("shipFromWarehouseCode") or "", line["productSku"]] += int(line["quantity"])
        return units


class OrderBook:
    """All orders of the account."""

    def __init__(self, records: Iterable[Json]) -> None:
        self._orders = sorted((Order(record) for record in records), key=lambda order: order.key)
        self._days = [order.at.date().isoformat() for order in self._orders]
        self._index = {(order.channel_id, order.number): order for order in self._orders}
        self._customer_numbers = {
            (order.channel_id, order.record["customerOrderNo"])
            for order in self._orders
            if order.record.get("customerOrderNo")
        }
        self.reserved: Counter[StockKey] = Counter()
        for order in self._orders:
            if not order.acknowledged:
                self.reserved.update(order.reserved())
        self.channel_ids = {order.channel_id for order in self._orders}

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    def find(self, channel_id: str, number: str) -> Order | None:
        """Look an order up by its channel and number."""
        return self._index.get((channel_id, number))

    def has_customer_number(self, channel_id: str, number: str) -> bool:
        """Tell whether the channel has this customer order number."""
        return (channel_id, number) in self._customer_numbers

    def select(
        self,
        *,
        channel_id: str | None = None,
        numbers: frozenset[str] | None = None,
        acknowledged: bool | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> list[Order]:
        """List the orders that match every filter; both days are included and UTC."""
        if start is not None and end is not None:
            rows = self._orders[bisect_left(self._days, start) : bisect_right(self._days, end)]
        else:
            rows = self._orders
        if channel_id is not None:
            rows = [order for order in rows if order.channel_id == channel_id]
        if numbers is not None:
            rows = [order for order in rows if order.number in numbers]
        if acknowledged is not None:
            rows = [order for order in rows if order.acknowledged is acknowledged]
        return rows

    def add(self, record: Json) -> None:
        """Enter a new, unacknowledged order; its open lines reserve stock."""
        order = Order(record, acknowledged=False)
        place = bisect_left(self._orders, order.key, key=lambda other: other.key)
        self._orders.insert(place, order)
        self._days.insert(place, order.at.date().isoformat())
        self._index[order.channel_id, order.number] = order
        if record.get("customerOrderNo"):
            self._customer_numbers.add((order.channel_id, record["customerOrderNo"]))
        self.reserved.update(order.reserved())
