"""Texts by which the search finds an order besides its row: products of its lines, and tracking numbers.

Each text is stored once, and each order refers to its texts by number: the contents of 100,000 orders take a few MB,
and a search reads each text once. The index is sent to the page by message and never saved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from cenports_nb.frames.arrow_columns import join_text
from cenports_nb.frames.row_keys import IntArray
from cenports_nb.notebook.explorer.order_index import OrderIndex

LINE_COLUMNS = ("product_sku", "retailer_sku", "product_name")
ORDER_COLUMNS = ("channel_id", "customer_order_no")
SHIPMENT_COLUMNS = ("tracking_number",)
PEOPLE_COLUMNS = ("customer_name", "contact_name", "ship_to_name", "bill_to_name")


@dataclass(frozen=True)
class SearchIndex:
    """The texts by which orders are found.

    Attributes:
        texts: The distinct texts.
        starts: Where the text numbers of each order begin, and the end of the last one.
        text_numbers: Positions in `texts`.
    """

    texts: list[str]
    starts: IntArray
    text_numbers: IntArray

    def to_buffers(self) -> list[bytes]:
        """Encode it as the page decodes it: JSON, then two arrays of little-endian 32-bit integers."""
        return [
            msgspec.json.encode(self.texts),
            *(part.astype("<i4").tobytes() for part in (self.starts, self.text_numbers)),
        ]


def build_search_index(index: OrderIndex, *, show_pii: bool = False) -> SearchIndex:
    """Collect the texts by which each order is found.

    Args:
        index: The orders.
        show_pii: Include the names of people.
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
    """Join what a line says about its product into one text."""
    parts: list[Any] = []
    for name in LINE_COLUMNS:
        if name in lines:
            parts += ["\n", lines[name]]
    return join_text(*parts[1:])
