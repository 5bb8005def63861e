"""Arrow columns -> pandas columns: text stays where it is, numbers become arrays that can be written to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from cenports_nb.frames.text_columns import from_arrow

INSTANT = pd.DatetimeTZDtype("us", "UTC")
POOL = pa.system_memory_pool()
"""Where pages are read and columns built, since `give_back` reaches it. Arrow's other pools keep what was given up:
twice the size of the frames, in a load of 60,000 orders."""
FLAG: Any = pd.BooleanDtype()


def to_pandas(array: pa.Array) -> Any:
    """Make a pandas array of the dtype that the frames have."""
    kind = array.type
    if pa.types.is_large_string(kind):
        return from_arrow(array).array
    if pa.types.is_boolean(kind):
        return FLAG.__from_arrow__(array)
    if pa.types.is_timestamp(kind):
        return pd.array(_writable(array.cast(pa.int64())).view("datetime64[us]"), dtype=INSTANT)
    return _writable(array)


def _writable(array: pa.Array) -> np.ndarray:
    """Copy numbers: what pandas shares with Arrow can't be written to."""
    values: np.ndarray = array.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()
