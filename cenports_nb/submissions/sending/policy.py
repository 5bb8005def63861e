"""The options of a submission, stored in its head for every time that it is sent."""

from __future__ import annotations

from typing import Any

import msgspec

from cenports_nb.stock.guards.thresholds import DEFAULTS, Thresholds
from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.rules.decide import Policy
from cenports_nb.submissions.rules.models import Head

LIMITS = ("max_drop", "max_drop_from")
"""The thresholds of guards that check again just before a row is sent."""

OPEN_LINES_DETAIL = "open_lines"
"""The detail of a submission whose plan added open demand back: the query of the open lines to compare."""


def read_open_lines_query(head: Head) -> OpenLinesQuery | None:
    """Return which open lines are compared before rows of a submission are sent; None if none are."""
    found = head.get_detail(OPEN_LINES_DETAIL)
    return None if found is None else msgspec.convert(found, OpenLinesQuery)


def list_limits(thresholds: Thresholds) -> dict[str, Any]:
    """Return the thresholds that a submission stores: those that are not the default."""
    return {name: getattr(thresholds, name) for name in LIMITS if getattr(thresholds, name) != getattr(DEFAULTS, name)}


def read_policy(head: Head) -> Policy:
    """Return the policy of a submission."""
    limits = {name: getattr(DEFAULTS, name) for name in LIMITS} | (head.get_detail("limits") or {})
    return Policy(
        on_stale=head.on_stale,
        is_repeatable=get_write_kind(head).is_repeatable,
        compares_stock=head.kind == "stock",
        **limits,
    )
