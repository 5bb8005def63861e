"""Default thresholds of the guards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any

import pandas as pd

from cenports_nb.errors import InvalidRequestError


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of the guards; `check_updates(thresholds={"max_drop": 0.3})` changes some of them.

    Attributes:
        max_drop: The share of a SKU's stock that it may lose.
        max_drop_from: The minimum units of a SKU that `max_drop` checks.
        max_total_drop: The share of a warehouse's units that it may lose, net over the frame.
        partial_count: The share of a warehouse's stocked SKUs that must be counted before the others are set to 0.
        old_count: How much older a count may be than the stock that it is compared with.
        max_rows: The maximum number of rows in a frame.
        basis: The share of counts of reserved SKUs that may equal available stock.
        basis_from: The minimum number of such SKUs.
        repeated: How long after a submission the same one counts as a mistake.
    """

    max_drop: float = 0.5
    max_drop_from: int = 20
    max_total_drop: float = 0.2
    partial_count: float = 0.8
    old_count: str = "1h"
    max_rows: int = 20_000
    basis: float = 0.5
    basis_from: int = 3
    repeated: str = "24h"


DEFAULTS = Thresholds()


def read_thresholds(given: Mapping[str, Any] | Thresholds | None) -> Thresholds:
    """Parse thresholds: shares from 0 to 1, whole numbers of 0 or more, durations such as "90min"."""
    if given is None:
        return DEFAULTS
    if isinstance(given, Thresholds):
        given = asdict(given)
    if not isinstance(given, Mapping):
        raise InvalidRequestError(f'thresholds={given!r} must be a mapping, such as {{"max_drop": 0.3}}.')
    kinds = {field.name: str(field.type) for field in fields(Thresholds)}
    for name, value in given.items():
        if name not in kinds:
            near = get_close_matches(str(name), kinds, n=1, cutoff=0)[0]
            raise InvalidRequestError(
                f"There is no threshold {name!r}, the closest is {near!r}; all of them: {', '.join(kinds)}."
            )
        flaw = _FLAW_FINDERS[kinds[name]](value)
        if flaw:
            raise InvalidRequestError(f"thresholds: {name}={value!r} must be {flaw}.")
    return replace(DEFAULTS, **given)


def format_percent(share: float) -> str:
    """Format a share as a percentage."""
    return f"{share * 100:g}%"


def _find_share_flaw(value: Any) -> str:
    is_share = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
    return "" if is_share else "a share from 0 to 1, such as 0.3"


def _find_count_flaw(value: Any) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return "" if is_number else "a whole number of 0 or more"


def _find_duration_flaw(value: Any) -> str:
    try:
        fine = not isinstance(value, int | float) and pd.Timedelta(value) >= pd.Timedelta(0)
    except (ValueError, TypeError):
        fine = False
    return "" if fine else 'a duration, such as "90min"'


_FLAW_FINDERS = {"float": _find_share_flaw, "int": _find_count_flaw, "str": _find_duration_flaw}
