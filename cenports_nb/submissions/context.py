"""The desk of a client: its journal and its poller, shared by all submissions that it has open."""

from __future__ import annotations

import getpass
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.tracking.poller import Poller

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.submissions.submission import Submission


@dataclass(frozen=True)
class Desk:
    """What the submissions of one client share.

    Attributes:
        open: The submissions that somebody holds.
    """

    journal: Journal
    poller: Poller
    open: weakref.WeakSet[Submission] = field(default_factory=weakref.WeakSet)


def desk_of(client: Client) -> Desk:
    """Return a client's desk; its journal is opened at first use and closed with the client.

    Raises:
        JournalError: The journal can't be used.
    """

    def build() -> Desk:
        journal = Journal(client.home)
        client.resources.callback(journal.close)
        return Desk(journal, Poller(client, journal))

    return client.component(Desk, build)


def user() -> str:
    """Name the user of this machine, for the journal."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may have a user without a name
        return "unknown"
