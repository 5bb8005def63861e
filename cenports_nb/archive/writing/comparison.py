"""Compare two readings of a month, and find keys that several months share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cenports_nb.frames.arrow_columns import fill_blanks, repeat_text

Hashes = np.ndarray[Any, np.dtype[np.uint64]]

KEYS_AT_ONCE = 2_000_000
"""Maximum keys compared in memory at once."""


@dataclass(frozen=True)
class Change:
    """How a reading differs from the previous one.

    Attributes:
        added: Rows with a new key.
        changed: Keys with other values.
        removed: Rows whose key is gone.
    """

    added: int
    changed: int
    removed: int

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __add__(self, other: Change) -> Change:
        return Change(self.added + other.added, self.changed + other.changed, self.removed + other.removed)


def compare(before: pd.DataFrame, after: pd.DataFrame, key: Sequence[str]) -> Change:
    """Compare two readings by key, whatever the order of their rows; a column that one lacks is null there."""
    if before.equals(after):
        return Change(0, 0, 0)
    columns = [*after.columns, *(name for name in before.columns if name not in after.columns)]
    earlier, later = (_group_rows(_align(frame, columns), key) for frame in (before, after))
    joined = earlier.add_suffix("_before").join(later.add_suffix("_after"), how="outer")
    gone, new = joined["rows_after"].isna(), joined["rows_before"].isna()
    differs = (joined["rows_before"] != joined["rows_after"]) | (joined["values_before"] != joined["values_after"])
    return Change(
        int(joined["rows_after"][new].sum()),
        int((differs & ~gone & ~new).sum()),
        int(joined["rows_before"][gone].sum()),
    )


def drop_shared_shipments(own: pd.DataFrame, neighbor: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Assign each shipment to one of two months that have it, because the API's windows share a day.

    An identical copy stays where it is; of two differing copies the one of `own`, the newer reading, stays.
    """
    keys = [_key_shipments(frame) for frame in (own, neighbor)]
    mine_keys, their_keys = (hash_rows(key) for key in keys)
    if not np.isin(mine_keys, their_keys).any():
        return own, neighbor
    columns = [*own.columns, *(name for name in neighbor.columns if name not in own.columns)]
    mine, theirs = (
        _group_rows(_align(frame, columns).assign(_key=key["_key"]), ["_key"])
        for frame, key in zip((own, neighbor), keys, strict=True)
    )
    shared = mine.add_suffix("_mine").join(theirs.add_suffix("_theirs"), how="inner")
    same = (shared["rows_mine"] == shared["rows_theirs"]) & (shared["values_mine"] == shared["values_theirs"])
    return (
        own[~np.isin(mine_keys, shared.index[same].to_numpy(np.uint64))].reset_index(drop=True),
        neighbor[~np.isin(their_keys, shared.index[~same].to_numpy(np.uint64))].reset_index(drop=True),
    )


def find_shared_keys(
    months: Sequence[str], read_keys: Callable[[str], pd.DataFrame], rows: int
) -> Iterator[pd.DataFrame]:
    """Find keys that more than one month has, some millions at a time.

    `read_keys` reads the key columns of a month.

    Yields:
        The key columns and `month`, one row per copy.
    """
    parts = max(1, -(-rows // KEYS_AT_ONCE))
    for part in range(parts):
        hashes, owners = [], []
        for position, month in enumerate(months):
            found = hash_rows(read_keys(month))
            found = found[found % np.uint64(parts) == part]
            hashes.append(found)
            owners.append(np.full(len(found), position))
        everything = np.concatenate([np.zeros(0, np.uint64), *hashes])
        _, first, count = np.unique(everything, return_inverse=True, return_counts=True)
        shared = count[first] > 1
        if shared.any():
            wanted = np.unique(everything[shared])
            holders = np.unique(np.concatenate(owners)[shared])
            copies = []
            for position in holders.tolist():
                keys = read_keys(months[position])
                copies.append(keys[np.isin(hash_rows(keys), wanted)].assign(month=months[position]))
            found_copies = pd.concat(copies, ignore_index=True)
            yield found_copies[found_copies.duplicated(list(found_copies.columns[:-1]), keep=False)]


def hash_rows(frame: pd.DataFrame, columns: Sequence[str] | None = None) -> Hashes:
    """Hash each row of some columns to 64 bits; only for comparing within one process."""
    chosen = frame if columns is None else frame[list(columns)]
    hashes: Any = pd.util.hash_pandas_object(chosen, index=False, categorize=False).to_numpy()
    found: Hashes = hashes.astype(np.uint64)
    return found


def _group_rows(frame: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Count the rows of each key, and sum their hashes, independently of their order."""
    hashed = pd.DataFrame({"key": hash_rows(frame, key), "rows": 1, "values": hash_rows(frame)})
    return hashed.groupby("key").sum()


def _align(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame with these columns, in this order; missing ones are null text."""
    lacking = {name: repeat_text(None, len(frame)).set_axis(frame.index) for name in columns if name not in frame}
    return frame.assign(**lacking)[list(columns)]


def _key_shipments(frame: pd.DataFrame) -> pd.DataFrame:
    """Identify each shipment by its tracking number or, without one, by its day."""
    day = frame["ship_date"].dt.strftime("%Y-%m-%d").astype("str")
    number = fill_blanks(frame["tracking_number"], day)
    parts = [frame["channel_id"].fillna(""), frame["order_no"], number.fillna("")]
    return (parts[0] + "\0" + parts[1] + "\0" + parts[2]).to_frame("_key")
