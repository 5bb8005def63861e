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
from cenports_nb.notebook.explorer.order_index import OrderIndex

LINE_COLUMNS = ("product_sku", "retailer_sku", "product_name")
ORDER_COLUMNS = ("channel_id", "customer_order_no")
SHIPMENT_COLUMNS = ("tracking_number",)
PEOPLE_COLUMNS = ("customer_name", "contact_name", "ship_to_name", "bill_to_name")


@dataclass(frozen=True)
class SearchIndex:
    """What orders are found by.

    Attributes:
        texts: Each once.
        starts: Where the text numbers of each order begin; one more than there are orders.
        text_numbers: Places in `texts`.
    """

    texts: list[str]
    starts: IntArray
    text_numbers: IntArray

    def to_buffers(self) -> list[bytes]:
        """Write it as the page reads it: JSON, then two arrays of little-endian 32-bit numbers."""
        return [
            msgspec.json.encode(self.texts),
            *(part.astype("<i4").tobytes() for part in (self.starts, self.text_numbers)),
        ]


def build_search_index(index: OrderIndex, *, show_pii: bool = False) -> SearchIndex:
    """List what each order is found by.

    Args:
        index: The orders.
        show_pii: Whether people's names are among it.
    """
    everyone = np.arange(len(index))
    owners, texts = (
        [np.repeat(everyone, index.lines_by_order.counts)],
        [_join_product_text(index.lines).take(index.lines_by_order.sorted)],
    )
    for name in ORDER_COLUMNS:
        if name in index.orders:
            owners.append(everyone)
            texts.append(index.orders[name])
    shipments = index.shipments
    for name in SHIPMENT_COLUMNS:
        if shipments is not None and name in shipments:
            owners.append(np.repeat(everyone, index.shipments_by_order.counts))
            texts.append(shipments[name].take(index.shipments_by_order.sorted))
    given = index.select_given(slice(None), PEOPLE_COLUMNS if show_pii else ())
    for name in PEOPLE_COLUMNS:
        if name in given.columns:
            owners.append(everyone)
            texts.append(given[name].astype("str"))
    codes, found = pd.factorize(pd.concat(texts, ignore_index=True))
    owner = np.concatenate(owners)[codes >= 0]
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(index) + 1))
    return SearchIndex(found.tolist(), starts, codes[codes >= 0][order])


def _join_product_text(lines: pd.DataFrame) -> pd.Series[Any]:
    """Write what a line says of its product as one text."""
    parts: list[Any] = []
    for name in LINE_COLUMNS:
        if name in lines:
            parts += ["\n", lines[name]]
    return join_text(*parts[1:])
