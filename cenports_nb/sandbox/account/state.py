"""The state of one sandbox account, changed under one lock."""

import threading
from datetime import datetime

from cenports_nb.sandbox.account.channels import ChannelBook
from cenports_nb.sandbox.account.orders import OrderBook
from cenports_nb.sandbox.account.shipments import ShipmentBook
from cenports_nb.sandbox.account.stock import Stock
from cenports_nb.sandbox.account.tokens import Tokens
from cenports_nb.sandbox.account.transactions import TransactionLog
from cenports_nb.sandbox.clock import Clock
from cenports_nb.sandbox.data.seed import Seed
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.validation import Known


class State:
    """Orders, shipments, stock, channels, transactions and tokens; hold `lock` while you touch them."""

    def __init__(self, seed: Seed, clock: Clock, transaction_seconds: float, dialect: Dialect) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.dialect = dialect
        self.orders = OrderBook(seed.orders)
        self.shipments = ShipmentBook(seed.shipments)
        self.stock = Stock(seed.warehouses)
        self.channels = ChannelBook(seed.channels, unlisted=self.orders.channel_ids | self.shipments.channel_ids)
        self.transactions = TransactionLog(transaction_seconds)
        self.tokens = Tokens()

    @property
    def known(self) -> Known:
        """What a parameter may refer to now."""
        return Known(channels=self.channels, warehouses=self.stock.warehouses)

    def settle(self) -> datetime:
        """Let every transaction that has ended take effect, and say what time it is."""
        with self.lock:
            now = self.clock.now()
            self.transactions.settle(now, self.dialect)
            return now

    def __repr__(self) -> str:
        return (
            f"<State {len(self.orders)} orders, {len(self.shipments)} shipments, "
            f"{len(self.stock.quantities)} stock rows, {len(self.transactions)} transactions>"
        )
