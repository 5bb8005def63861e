"""What a search finds an order by besides its row: the products of its lines, its tracking numbers.

Each text stands once, and each order has the numbers of its texts: what 100,000 orders contain is then a few MB, and a
search looks through each text once. It goes to the page by a message when there is a page, and is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from cenports_nb.frames.row_keys import IntArray
from cenports_nb.frames.text_columns import join_text
from cenports_nb.notebook.explorer.order_index import OrderBook

OF_LINES = ("product_sku", "retailer_sku", "product_name")
OF_ORDERS = ("channel_id", "customer_order_no")
OF_SHIPMENTS = ("tracking_number",)
OF_PEOPLE = ("customer_name", "contact_name", "ship_to_name", "bill_to_name")


@dataclass(frozen=True)
class Terms:
    """What orders are found by.

    Attributes:
        texts: Each once.
        starts: Where the numbers of each order begin; one more than there are orders.
        numbers: Places in `texts`.
    """

    texts: list[str]
    starts: IntArray
    numbers: IntArray

    def buffers(self) -> list[bytes]:
        """Write it as the page reads it: JSON, then two arrays of little-endian 32-bit numbers."""
        return [
            msgspec.json.encode(self.texts),
            *(part.astype("<i4").tobytes() for part in (self.starts, self.numbers)),
        ]


def terms_of(book: OrderBook, *, show_pii: bool = False) -> Terms:
    """List what each order is found by.

    Args:
        book: The orders.
        show_pii: Whether people's names are among it.
    """
    everyone = np.arange(len(book))
    owners, texts = [np.repeat(everyone, book.line_rows.counts)], [_products(book.lines).take(book.line_rows.sorted)]
    for name in OF_ORDERS:
        if name in book.orders:
            owners.append(everyone)
            texts.append(book.orders[name])
    sent = book.shipments
    for name in OF_SHIPMENTS:
        if sent is not None and name in sent:
            owners.append(np.repeat(everyone, book.shipment_rows.counts))
            texts.append(sent[name].take(book.shipment_rows.sorted))
    given = book.given(slice(None), OF_PEOPLE if show_pii else ())
    for name in OF_PEOPLE:
        if name in given.columns:
            owners.append(everyone)
            texts.append(given[name].astype("str"))
    codes, found = pd.factorize(pd.concat(texts, ignore_index=True))
    owner = np.concatenate(owners)[codes >= 0]
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(book) + 1))
    return Terms(found.tolist(), starts, codes[codes >= 0][order])


def _products(lines: pd.DataFrame) -> pd.Series[Any]:
    """Write what a line says of its product as one text."""
    parts: list[Any] = []
    for name in OF_LINES:
        if name in lines:
            parts += ["\n", lines[name]]
    return join_text(*parts[1:])
