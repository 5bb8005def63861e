"""Metadata of a plan: the stock it was made from, as a small JSON text in the frame's `attrs`."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pandas as pd

from cenports_nb.frames.provenance import Provenance, provenance

ATTRS_KEY = "cenports_nb_plan"


class Coverage(msgspec.Struct, frozen=True):
    """How much of a warehouse was counted.

    Attributes:
        stocked: The number of its SKUs with more than 0 units.
        counted: The number of those that are in the counts.
    """

    stocked: int
    counted: int


class UnsettledSkus(msgspec.Struct, frozen=True):
    """The unknown SKUs of a warehouse's count that nobody settled, and what is set to 0 beside them.

    Attributes:
        number: The number of unknown SKUs.
        closest: Some of them, each with the most similar uncounted SKU.
        zeroed: Uncounted SKUs that are set to 0: any of them may have been counted under another name.
    """

    number: int
    closest: dict[str, str]
    zeroed: list[str]


class OpenLinesQuery(msgspec.Struct, frozen=True):
    """The query of the open lines that a plan added back, to read the same ones again.

    Attributes:
        first_day: The first day of their orders, `YYYY-MM-DD`; None if unknown.
        closed: The statuses that close a line; None for the default.
        channel_id: Their sales channels; None for all.
    """

    first_day: str | None = None
    closed: list[str] | None = None
    channel_id: list[str] | None = None


class PlanMetadata(msgspec.Struct, frozen=True):
    """What a plan was made from, for the guards, which can't see it in its rows.

    Attributes:
        environment: The environment of its stock; None if that has no provenance.
        partner_id: The account of that stock.
        as_of: When that stock was loaded, UTC.
        at_count: Whether the counts are compared with the stock of an earlier time.
        compared_as_of: When the stock that the counts are compared with was loaded: that earlier one, or `as_of`.
        basis: As given to `build_true_up`; None for a plan without counts.
        missing: As given to `build_true_up`.
        warehouses: How much of each warehouse was counted.
        open_as_of: When the open lines were loaded, UTC; None if the plan uses none.
        open_quantities: Open units that were added back, by warehouse and SKU, of rows that have any.
        parent_fingerprint: The fingerprint of the plan that this is a part of; None if it is a whole plan.
        open_lines: How to load these lines again; None if they have no provenance, or if the stock at the count is
            compared, so that orders which ship later change nothing.
        reversal_of: The submission that the plan undoes; None if it undoes none.
        settled: What a person said each unknown SKU of the count is.
        remembered: Settlements of earlier counts that were applied.
        unsettled: Unsettled SKUs by warehouse, if others are set to 0 beside them.
    """

    environment: str | None = None
    partner_id: str | None = None
    as_of: datetime | None = None
    at_count: bool = False
    compared_as_of: datetime | None = None
    basis: str | None = None
    missing: str | None = None
    warehouses: dict[str, Coverage] = {}
    parent_fingerprint: str | None = None
    open_as_of: datetime | None = None
    open_quantities: dict[str, dict[str, int]] = {}
    open_lines: OpenLinesQuery | None = None
    reversal_of: str | None = None
    settled: dict[str, str] = {}
    remembered: dict[str, str] = {}
    unsettled: dict[str, UnsettledSkus] = {}


def describe_sources(
    actual: pd.DataFrame | None, at_count: pd.DataFrame | None = None, open_items: pd.DataFrame | None = None
) -> PlanMetadata:
    """Describe the stock and the open lines that a plan is made from."""
    origin = None if actual is None else provenance(actual)
    compared = origin if at_count is None else provenance(at_count)
    lines = None if open_items is None else provenance(open_items)
    return PlanMetadata(
        environment=origin.environment if origin else None,
        partner_id=origin.partner_id if origin else None,
        as_of=origin.as_of if origin else None,
        at_count=at_count is not None,
        compared_as_of=compared.as_of if compared else None,
        open_as_of=lines.as_of if lines else None,
        open_lines=None if lines is None or at_count is not None else _describe_query(lines),
    )


def write_metadata(plan: pd.DataFrame, metadata: PlanMetadata) -> pd.DataFrame:
    """Write the metadata of a plan into its `attrs`, and return the plan."""
    plan.attrs = {**plan.attrs, ATTRS_KEY: msgspec.json.encode(metadata).decode()}
    return plan


def _describe_query(lines: Provenance) -> OpenLinesQuery | None:
    """Describe how open lines were loaded, from their provenance."""
    if lines.as_of is None:
        return None
    start, last = lines.params.get("start"), lines.params.get("last")
    first_day = str(start)[:10] if start else None
    if last:
        today = lines.as_of.astimezone(ZoneInfo(lines.params.get("time_zone") or "UTC")).date()
        first_day = (today - timedelta(days=int(last.rstrip("D")) - 1)).isoformat()
    return OpenLinesQuery(first_day, lines.params.get("closed"), lines.params.get("channel_id"))


def mark_as_part(part: pd.DataFrame, fingerprint: str) -> pd.DataFrame:
    """Write the fingerprint of the whole plan into a part of it, and return the part."""
    metadata = read_metadata(part) or PlanMetadata()
    return write_metadata(part, msgspec.structs.replace(metadata, parent_fingerprint=fingerprint))


def read_metadata(updates: pd.DataFrame) -> PlanMetadata | None:
    """Read the metadata of a plan; None if it is missing or can't be read."""
    text = updates.attrs.get(ATTRS_KEY)
    if not isinstance(text, str):
        return None
    try:
        return msgspec.json.decode(text, type=PlanMetadata)
    except msgspec.MsgspecError:
        return None
