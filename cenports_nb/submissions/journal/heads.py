"""The head of a new submission: its name, and whose it is."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from cenports_nb.submissions.context import user
from cenports_nb.submissions.journal.models import Head

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


def new_head(client: Client, kind: str, details: dict[str, Any] | None = None) -> Head:
    """Name a submission of a client's account that is made now."""
    now = client.clock.now()
    return Head(
        submission_id=f"{now:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}",
        kind=kind,
        environment=client.settings.environment,
        account=client.settings.account,
        partner_id=client.settings.partner_id,
        created_at=now.isoformat(),
        made_by=user(),
        details=None if details is None else msgspec.json.encode(details).decode(),
    )
