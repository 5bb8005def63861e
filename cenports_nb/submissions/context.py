"""What the submissions of one client share: journal, locks, poller, and which of them are open."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from cenports_nb.errors import InvalidRequestError
from cenports_nb.submissions.gateway import ClientGateway
from cenports_nb.submissions.journal.locks import SubmissionLocks
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.ports import Gateway
from cenports_nb.submissions.rules.models import Head, get_user_name
from cenports_nb.submissions.tracking.poller import Poller

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


class OpenSubmission(Protocol):
    """A submission that is held in memory."""

    submission_id: str

    def notify(self) -> None:
        """Call its listeners with a snapshot."""


@dataclass(frozen=True)
class SubmissionContext:
    """What the submissions of one client share."""

    journal: Journal
    locks: SubmissionLocks
    gateway: Gateway
    poller: Poller
    open: weakref.WeakSet[OpenSubmission] = field(default_factory=weakref.WeakSet)


def require_one_client(client: Client, function: str) -> Client:
    """Return the client of a function that works with one account.

    Raises:
        InvalidRequestError: It isn't a client.
    """
    if not hasattr(client, "settings"):
        raise InvalidRequestError(f"{function} takes one client from connect, not {type(client).__name__}.")
    return client


def get_context(client: Client) -> SubmissionContext:
    """Return a client's context; its journal is opened at first use and closed with the client.

    Raises:
        JournalError: The journal can't be used.
    """

    def build() -> SubmissionContext:
        runtime = client.runtime
        journal: Journal = (runtime.open_journal or Journal)(client.home)
        client.resources.callback(journal.close)
        gateway = ClientGateway(client)
        locks = SubmissionLocks(client.home, runtime.try_lock, client.clock)
        return SubmissionContext(journal, locks, gateway, Poller(client, journal, gateway))

    return client.component(SubmissionContext, build)


def build_dry_run_context(client: Client, journal: Journal) -> SubmissionContext:
    """Build the context of a dry run, which has its own journal in memory."""
    return replace(
        get_context(client),
        journal=journal,
        poller=Poller(client, journal, ClientGateway(client)),
        open=weakref.WeakSet(),
    )


def create_head(client: Client, kind: str, details: dict[str, Any] | None = None) -> Head:
    """Build the head of a new submission of a client's account."""
    now = client.clock.now()
    return Head(
        submission_id=f"{now:%Y%m%d-%H%M%S}-{client.runtime.new_id()[:8]}",
        kind=kind,
        environment=client.settings.environment,
        account=client.settings.account,
        partner_id=client.settings.partner_id,
        created_at=now.isoformat(),
        made_by=get_user_name(),
        details=msgspec.json.encode(details).decode() if details else None,
    )


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
