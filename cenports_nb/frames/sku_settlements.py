"""Settled unknown SKUs of each account: a small file, and an entry in the frame of its actual stock."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import msgspec
import pandas as pd

from cenports_nb.private_files import write_private_file

SETTLEMENTS_FOLDER = "settled_skus"
SETTLEMENTS_KEY = "cenports_nb_settled_skus"
"""The key in `attrs` of a frame of actual stock."""


class _Settlements(msgspec.Struct):
    """The file: its account, and what each SKU is, `new` or another SKU."""

    account: str
    skus: dict[str, str]


def load_settlements(home: Path, account: str) -> dict[str, str]:
    """Load an account's settled SKUs; empty if there is no readable file."""
    try:
        return msgspec.json.decode(_name_file(home, account).read_bytes(), type=_Settlements).skus
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}


def save_settlements(home: Path, account: str, skus: Mapping[str, str]) -> None:
    """Add settled SKUs of an account. The caller must prevent that another process does so at the same time.

    Raises:
        OSError: The file can't be written.
    """
    known = load_settlements(home, account)
    if not skus or known | dict(skus) == known:
        return
    path = _name_file(home, account)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    settled = {sku: target for sku, target in known.items() if sku not in skus} | dict(skus)
    write_private_file(path, msgspec.json.encode(_Settlements(account, settled)))


def attach_settlements(actual: pd.DataFrame, skus: Mapping[str, str]) -> pd.DataFrame:
    """Store settled SKUs in a frame of actual stock, if there are any."""
    if skus:
        actual.attrs[SETTLEMENTS_KEY] = msgspec.json.encode(dict(skus)).decode()
    return actual


def read_settlements(actual: pd.DataFrame) -> dict[str, str]:
    """Return the settled SKUs of a frame of actual stock."""
    try:
        return msgspec.json.decode(actual.attrs.get(SETTLEMENTS_KEY, "{}"), type=dict[str, str])
    except (msgspec.MsgspecError, TypeError):
        return {}


def _name_file(home: Path, account: str) -> Path:
    return home / SETTLEMENTS_FOLDER / f"{blake2b(account.encode(), digest_size=8).hexdigest()}.json"
