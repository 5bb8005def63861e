"""What was asked for when a submission was made, kept in its head for whenever it is sent."""

from __future__ import annotations

from typing import Any

import msgspec

from cenports_nb.stock.guards.thresholds import DEFAULTS, Thresholds
from cenports_nb.stock.plans.metadata import OpenLinesQuery
from cenports_nb.submissions.journal.write_kinds import get_write_kind
from cenports_nb.submissions.rules.decide import Policy
from cenports_nb.submissions.rules.models import Head

LIMITS = ("max_drop", "max_drop_from")
"""The thresholds of guards that look again just before a row leaves."""

OPEN_LINES_DETAIL = "open_lines"
"""The detail of a submission whose plan added open demand back: which open lines it is compared with."""


def read_open_lines_query(head: Head) -> OpenLinesQuery | None:
    """Read which open lines are compared before rows of a submission leave; None if none are."""
    found = head.get_detail(OPEN_LINES_DETAIL)
    return None if found is None else msgspec.convert(found, OpenLinesQuery)


def list_limits(thresholds: Thresholds) -> dict[str, Any]:
    """List the thresholds that a submission keeps: those that are not the default."""
    return {name: getattr(thresholds, name) for name in LIMITS if getattr(thresholds, name) != getattr(DEFAULTS, name)}


def read_policy(head: Head) -> Policy:
    """Read the policy of a submission."""
    limits = {name: getattr(DEFAULTS, name) for name in LIMITS} | (head.get_detail("limits") or {})
    return Policy(
        on_stale=head.on_stale,
        is_repeatable=get_write_kind(head).is_repeatable,
        compares_stock=head.kind == "stock",
        **limits,
    )
