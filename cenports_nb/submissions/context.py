"""What the submissions of one client share: its journal, its poller, and which of them are open."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.journal.models import Head
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.tracking.poller import Poller

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


class OpenSubmission(Protocol):
    """A submission that somebody holds."""

    submission_id: str

    def notify(self) -> None:
        """Call its listeners with a snapshot."""


@dataclass(frozen=True)
class SubmissionContext:
    """What the submissions of one client share.

    Attributes:
        open: The submissions that somebody holds.
    """

    journal: Journal
    poller: Poller
    open: weakref.WeakSet[OpenSubmission] = field(default_factory=weakref.WeakSet)


def get_context(client: Client) -> SubmissionContext:
    """Return a client's context; its journal is opened at first use and closed with the client.

    Raises:
        JournalError: The journal can't be used.
    """

    def build() -> SubmissionContext:
        journal = Journal(client.home)
        client.resources.callback(journal.close)
        return SubmissionContext(journal, Poller(client, journal))

    return client.component(SubmissionContext, build)


def read_own_head(client: Client, submission_id: str, noun: str = "Submission") -> Head:
    """Return one submission of a client's account.

    Raises:
        JournalError: It is not in this machine's journal.
        InvalidRequestError: It belongs to another account.
    """
    head = get_context(client).journal.head(submission_id)
    if head.account != client.settings.account:
        raise InvalidRequestError(
            f"{noun} {submission_id} belongs to partner {head.partner_id} in {head.environment}: connect to that account."
        )
    return head
