"""The state of one sandbox account, changed under one lock."""

import threading
from datetime import datetime

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
        self.orders = OrderStore(seed.orders)
        self.shipments = ShipmentStore(seed.shipments)
        self.stock = StockStore(seed.warehouses)
        self.channels = ChannelStore(seed.channels, unlisted=self.orders.channel_ids | self.shipments.channel_ids)
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
