"""Which views show personal data: those of frames that a person named, or all after `show_pii()`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, overload

import pandas as pd

from cenports_nb.frames.privacy.personal_columns import is_known, personal_kind
from cenports_nb.frames.provenance import check_frame
from cenports_nb.frames.schema.keys import LINE_ITEM_KEYS

UNMASKED_KEY = "cenports_nb_pii"
"""The key in `attrs` of a frame whose views are not masked."""

PEOPLE_KEYS = {*LINE_ITEM_KEYS, "customer_order_no", "tracking_number"}
"""Key columns of frames with people in them: a stranger's frame has none of these."""


@overload
def show_pii(frame: pd.DataFrame) -> pd.DataFrame: ...
@overload
def show_pii(frame: None = None) -> None: ...
def show_pii(frame: pd.DataFrame | None = None) -> pd.DataFrame | None:
    """Return the same frame, with views that show personal data; without a frame, show it in every view.

    A notebook saves what it shows, so its file then contains names and addresses. Copies and filters of the frame
    show them too. After `show_pii()`, views are masked again when the kernel restarts.

    Views in Jupyter are masked if a frame comes from a loader, or has a personal column and a key column of orders or
    shipments, as `pd.concat` and `merge` leave them. `print(frame)` and other front ends, such as marimo's tables, are
    not masked. `mask_pii` masks the data itself.

    Args:
        frame: Any frame; it is not changed.

    Example:
        >>> orders = cn.load_orders(client, last="30D")
        >>> cn.show_pii(orders)[["order_no", "customer_name"]].head(2)
          order_no           customer_name
        0    11007  Princesa Isabel Vinhos
        1    11008            Ernst Handel
    """
    if frame is None:
        _display.is_unmasked = True
        return None
    check_frame("show_pii", frame)
    shown = frame.copy(deep=False)
    shown.attrs[UNMASKED_KEY] = "shown"
    return shown


@dataclass
class _Display:
    """What a person asked for until the process ends."""

    is_unmasked: bool = False


_display = _Display()


def is_unmasked(shown: pd.DataFrame | pd.Series[Any]) -> bool:
    """Return whether a person asked to see the personal data of a frame or column."""
    return _display.is_unmasked or UNMASKED_KEY in shown.attrs


def has_people(frame: pd.DataFrame) -> bool:
    """Return whether a frame has a personal column and a key column of orders or shipments, wherever it comes from."""
    names = {str(name) for name in (*frame.columns, *frame.index.names)}
    return not names.isdisjoint(PEOPLE_KEYS) and any(is_known(name) and personal_kind(name) for name in names)
