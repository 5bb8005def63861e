"""A fingerprint of an update frame: equal for equal changes, in whatever order."""

from __future__ import annotations

import hashlib

import pandas as pd


def fingerprint(updates: pd.DataFrame) -> str:
    """Hash keys, types and quantities."""
    names = ["warehouse_code", "product_sku", "type", "quantity"]
    rows = updates[names].astype("str").sort_values(names[:2])
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        digest.update("\0".join(rows[name]).encode())
    return digest.hexdigest()
