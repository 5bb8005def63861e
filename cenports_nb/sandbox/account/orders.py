"""Orders, sorted by (orderDate, channelId, orderNo), and found by day, channel and number."""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from zlib import crc32

from cenports_nb.sandbox.clock import UTC_DAYS, DayFilter, name_day, parse_instant
from cenports_nb.sandbox.records import Json, SharedRecord, StockKey

# Lines with these statuses no longer reserve stock; every other status is open.
CLOSED_WORDS = frozenset({"shipped", "cancelled", "canceled", "completed", "delivered", "returned", "refunded"})


class Order(SharedRecord):
    """One order: the record as sent, and whether it is acknowledged."""

    __slots__ = ("acknowledged", "at", "channel_id", "number")

    def __init__(self, record: Json, *, acknowledged: bool | None = None) -> None:
        super().__init__(record)
        self.number: str = record["orderNo"]
        self.channel_id: str = record["channelId"]
        self.at: datetime = parse_instant(record["orderDate"])
        self.acknowledged = not self.count_reserved() if acknowledged is None else acknowledged

    @property
    def key(self) -> tuple[datetime, str, str]:
        """The sort key of orders."""
        return (self.at, self.channel_id, self.number)

    @property
    def shuffle_key(self) -> int:
        """A hash to sort by when the dialect has no order; the same in every request."""
        return crc32(f"{self.channel_id}/{self.number}".encode())

    def count_reserved(self) -> Counter[StockKey]:
        """Count the units of open lines by (warehouse code, SKU)."""
        units: Counter[StockKey] = Counter()
        for line in self._record["lineItems"]:
            if str(line.get("status")).lower() not in CLOSED_WORDS:
                units[line.get("shipFromWarehouseCode") or "", line["productSku"]] += int(line["quantity"])
        return units


class OrderStore:
    """All orders of the account."""

    def __init__(self, records: Iterable[Json]) -> None:
        self._orders = sorted((Order(record) for record in records), key=lambda order: order.key)
        # The days of all orders, in their order, by rule, so that a month is found without a scan.
        self._days = {UTC_DAYS: [name_day(order.at) for order in self._orders]}
        self._index = {(order.channel_id, order.number): order for order in self._orders}
        self._customer_numbers = {
            (order.channel_id, order.record["customerOrderNo"])
            for order in self._orders
            if order.record.get("customerOrderNo")
        }
        self.reserved: Counter[StockKey] = Counter()
        self.reserved_by_channel: defaultdict[str, Counter[StockKey]] = defaultdict(Counter)
        for order in self._orders:
            if not order.acknowledged:
                self._reserve(order)

    def copy(self) -> "OrderStore":
        """Return a store with copies of the orders."""
        store = OrderStore.__new__(OrderStore)
        store._orders = [order.copy() for order in self._orders]
        store._days = {rule: list(days) for rule, days in self._days.items()}
        store._index = {(order.channel_id, order.number): order for order in store._orders}
        store._customer_numbers = set(self._customer_numbers)
        store.reserved = Counter(self.reserved)
        store.reserved_by_channel = defaultdict(Counter)
        for channel_id, units in self.reserved_by_channel.items():
            store.reserved_by_channel[channel_id] = Counter(units)
        return store

    def __len__(self) -> int:
        return len(self._orders)

    def __iter__(self) -> Iterator[Order]:
        return iter(self._orders)

    def find(self, channel_id: str, number: str) -> Order | None:
        """Return the order with this channel and number; None if there is none."""
        return self._index.get((channel_id, number))

    def has_customer_number(self, channel_id: str, number: str) -> bool:
        """Return whether the channel has this customer order number."""
        return (channel_id, number) in self._customer_numbers

    def select(
        self,
        *,
        channel_id: str | None = None,
        numbers: frozenset[str] | None = None,
        acknowledged: bool | None = None,
        days: DayFilter | None = None,
    ) -> list[Order]:
        """List the orders that match every filter, oldest first."""
        rows = self._orders if days is None else self._select_days(days)
        if channel_id is not None:
            rows = [order for order in rows if order.channel_id == channel_id]
        if numbers is not None:
            rows = [order for order in rows if order.number in numbers]
        if acknowledged is not None:
            rows = [order for order in rows if order.acknowledged is acknowledged]
        return rows

    def add(self, record: Json, *, acknowledged: bool = False) -> Order:
        """Enter a new order; its open lines reserve stock."""
        order = Order(record, acknowledged=acknowledged)
        position = bisect_left(self._orders, order.key, key=lambda other: other.key)
        self._orders.insert(position, order)
        for rule, days in self._days.items():
            days.insert(position, name_day(order.at, *rule))
        self._index[order.channel_id, order.number] = order
        if record.get("customerOrderNo"):
            self._customer_numbers.add((order.channel_id, record["customerOrderNo"]))
        if not acknowledged:
            self._reserve(order)
        return order

    def remove(self, order: Order) -> None:
        """Remove an order that `add` entered."""
        position = bisect_left(self._orders, order.key, key=lambda other: other.key)
        del self._orders[position]
        for days in self._days.values():
            del days[position]
        del self._index[order.channel_id, order.number]
        self._customer_numbers.discard((order.channel_id, order.record.get("customerOrderNo")))
        self.reserved.subtract(order.count_reserved())
        self.reserved_by_channel[order.channel_id].subtract(order.count_reserved())

    def _reserve(self, order: Order) -> None:
        units = order.count_reserved()
        self.reserved.update(units)
        self.reserved_by_channel[order.channel_id].update(units)

    def _select_days(self, days: DayFilter) -> list[Order]:
        known = self._days.get(days.day_rule)
        if known is None:
            known = self._days[days.day_rule] = [name_day(order.at, *days.day_rule) for order in self._orders]
        if days.zone == "UTC":
            stop = bisect_right(known, days.end) if days.end_included else bisect_left(known, days.end)
            return self._orders[bisect_left(known, days.start) : stop]
        # Where clocks are set back at midnight, a later instant may be on an earlier day, so bisection would fail.
        return [order for order, day in zip(self._orders, known, strict=True) if days.includes(day)]
