"""The state of a sandbox account, guarded by one lock."""

import threading
from datetime import datetime
from functools import cached_property, lru_cache

from cenports_nb.sandbox.account.authentication import TokenStore
from cenports_nb.sandbox.account.channels import ChannelStore
from cenports_nb.sandbox.account.orders import OrderStore
from cenports_nb.sandbox.account.shipments import ShipmentStore
from cenports_nb.sandbox.account.stock import StockStore
from cenports_nb.sandbox.account.transactions import TransactionStore
from cenports_nb.sandbox.clock import Clock
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.records import Seed


class AccountState:
    """Orders, shipments, stock, channels, transactions and tokens; hold `lock` while you use them."""

    def __init__(self, seed: Seed, clock: Clock, transaction_seconds: float, dialect: Dialect) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.dialect = dialect
        orders, self._seeded_shipments = _build_shared_stores(seed) if seed.shared else _build_stores(seed)
        self.orders = orders.copy() if seed.shared else orders
        self._shared = seed.shared
        self.stock = StockStore(seed.warehouses)
        self.channels = ChannelStore(
            seed.channels, unlisted={row["channelId"] for row in (*seed.orders, *seed.shipments)}
        )
        self.transactions = TransactionStore(transaction_seconds)
        self.tokens = TokenStore()

    @cached_property
    def shipments(self) -> ShipmentStore:
        """The shipments, copied at first use if accounts share them, because most accounts are never asked for them."""
        return self._seeded_shipments.copy() if self._shared else self._seeded_shipments

    def settle(self) -> datetime:
        """Apply every transaction that has ended, and return the current time."""
        with self.lock:
            now = self.clock.now()
            self.transactions.settle(now, self.dialect)
            return now

    def __repr__(self) -> str:
        return (
            f"<State {len(self.orders)} orders, {len(self._seeded_shipments)} shipments, "
            f"{len(self.stock.quantities)} stock rows, {len(self.transactions)} transactions>"
        )


def _build_stores(seed: Seed) -> tuple[OrderStore, ShipmentStore]:
    return OrderStore(seed.orders), ShipmentStore(seed.shipments)


@lru_cache(maxsize=4)
def _build_shared_stores(seed: Seed) -> tuple[OrderStore, ShipmentStore]:
    """Build the stores once for all accounts with these records: sorting and summing takes 20 ms."""
    return _build_stores(seed)
