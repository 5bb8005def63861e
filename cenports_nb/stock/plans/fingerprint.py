"""The fingerprint of an update frame: equal for frames that would send the same."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from cenports_nb.frames.arrow_columns import take_text, to_arrow
from cenports_nb.frames.row_keys import encode_keys
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns

SENT_COLUMNS = [*STOCK_KEYS, "type", "quantity"]


def compute_fingerprint(updates: pd.DataFrame) -> str:
    """Hash what an update frame would send into 32 hexadecimal digits.

    Only keys, type and quantity count, in the order of the keys: not the order of rows and columns, labels, dtypes,
    the current stock or the reason. The hash covers lengths and bytes of UTF-8 and 64-bit integers, independent of
    versions of pandas and Arrow, so a journal can store it.
    """
    read = validate_columns(updates, schemas.StockUpdates, "updates", SENT_COLUMNS)
    quantity = read["quantity"].to_numpy()
    kind = (read["type"] == "DIFFERENTIAL").to_numpy(dtype=np.int8)
    number = encode_keys([read[name] for name in STOCK_KEYS]).rows[0]
    order = np.lexsort((quantity, kind, number))
    known = hashlib.blake2b(b"cenports updates 1", digest_size=16)
    for name in STOCK_KEYS:
        text = to_arrow(take_text(order, read[name])).combine_chunks()
        known.update(pc.binary_length(text).to_numpy().astype("<i8").tobytes())
        # An Arrow array may be a slice of larger buffers: its own bytes are between its first and last offset.
        offsets = np.frombuffer(text.buffers()[1], dtype=np.int64)[text.offset : text.offset + len(text) + 1]
        if len(text):
            known.update(memoryview(text.buffers()[2])[offsets[0] : offsets[-1]])
    known.update(kind[order].tobytes())
    known.update(quantity[order].astype("<i8").tobytes())
    return known.hexdigest()
