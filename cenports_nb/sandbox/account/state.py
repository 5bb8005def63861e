"""The state of one sandbox account, changed under one lock."""

import copy
import threading
from datetime import datetime
from functools import lru_cache

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
    """Orders, shipments, stock, channels, transactions and tokens; hold `lock` while you touch them."""

    def __init__(self, seed: Seed, clock: Clock, transaction_seconds: float, dialect: Dialect) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.dialect = dialect
        self.orders, self.shipments = _build_stores(seed)
        if seed.shared:
            warehouses, channels = copy.deepcopy((seed.warehouses, seed.channels))
        else:
            warehouses, channels = seed.warehouses, seed.channels
        self.stock = StockStore(warehouses)
        self.channels = ChannelStore(channels, unlisted=self.orders.channel_ids | self.shipments.channel_ids)
        self.transactions = TransactionStore(transaction_seconds)
        self.tokens = TokenStore()

    def settle(self) -> datetime:
        """Apply every transaction that has ended, and return the time."""
        with self.lock:
            now = self.clock.now()
            self.transactions.settle(now, self.dialect)
            return now

    def __repr__(self) -> str:
        return (
            f"<State {len(self.orders)} orders, {len(self.shipments)} shipments, "
            f"{len(self.stock.quantities)} stock rows, {len(self.transactions)} transactions>"
        )


def _build_stores(seed: Seed) -> tuple[OrderStore, ShipmentStore]:
    if not seed.shared:
        return OrderStore(seed.orders), ShipmentStore(seed.shipments)
    orders, shipments = _build_shared_stores(seed)
    return orders.copy(), shipments.copy()


@lru_cache(maxsize=4)
def _build_shared_stores(seed: Seed) -> tuple[OrderStore, ShipmentStore]:
    """Build the stores once for all accounts with these records: sorting and adding up takes 20 ms."""
    return OrderStore(seed.orders), ShipmentStore(seed.shipments)
