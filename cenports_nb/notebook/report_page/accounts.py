"""The accounts of a report: one client or several, whose frames are loaded together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.api.client import connect
from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.loaders.accounts import load_tables

if TYPE_CHECKING:
    from cenports_nb.api.client import Client


@dataclass
class ReportAccounts:
    """The clients of a report.

    Attributes:
        clients: One for each account.
        several: Frames have the column `account`, because accounts were named in a list.
        failures: The accounts that could not be loaded, and why; they are in no frame.
    """

    clients: Sequence[Client]
    several: bool = False
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def loaded(self) -> list[Client]:
        """The clients whose accounts could be loaded, by name."""
        found = [client for client in self.clients if client.settings.account_name not in self.failures]
        return sorted(found, key=lambda client: client.settings.account_name)

    @property
    def names(self) -> list[str]:
        """The names of the loaded accounts, if there are several; they are in the column `account`."""
        return [client.settings.account_name for client in self.loaded] if self.several else []

    def load(self, tables: Mapping[str, Callable[[Client], pd.DataFrame]]) -> dict[str, pd.DataFrame]:
        """Load the tables of all accounts; several accounts load concurrently, each paced by its own rate limit.

        An account of which a table fails is left out of every table, and named in `failures`: a report with its orders
        but without its shipments would be wrong.

        Args:
            tables: Names to functions of one client, such as `functools.partial(cn.load_orders, last="30D")`.

        Raises:
            CenportsError: The only account, or every account, could not be loaded.
        """
        if not self.several:
            return {name: load(self.clients[0]) for name, load in tables.items()}
        frames, failures = load_tables(self.loaded, tables)
        self.failures.update({name: str(error) for name, error in failures.items()})
        return frames

    def require_one(self, what: str) -> Client:
        """Return the only client.

        Args:
            what: What needs one account, such as `"A correction"`.

        Raises:
            InvalidRequestError: There are several.
        """
        if self.several:
            raise InvalidRequestError(f"{what} is for one account: pass profile, not profiles.")
        return self.clients[0]

    def close(self) -> None:
        """Close the clients."""
        for client in self.clients:
            client.close()


def connect_accounts(
    environment: str | None,
    *,
    profile: str | None = None,
    profiles: Sequence[str] = (),
    read_only: bool | None = True,
) -> ReportAccounts:
    """Connect the accounts of a report.

    Args:
        environment: As in `connect`; not used with `profiles`, which have their own.
        profile: The profile of one account.
        profiles: The profiles of several accounts, which are connected read-only.
        read_only: As in `connect`, for one account.

    Raises:
        ConfigurationError: An account isn't configured completely.
        InvalidRequestError: An account is named twice, or both `profile` and `profiles` are given.

    Example:
        >>> accounts = report_page.connect_accounts("sandbox")
        >>> accounts.names
        []
    """
    if not profiles:
        return ReportAccounts([connect(environment, profile=profile, read_only=read_only)])
    if profile:
        raise InvalidRequestError(f"profile={profile!r} and profiles are both given: give one of them.")
    accounts = ReportAccounts([connect(profile=name, read_only=True) for name in profiles], several=True)
    by_account: dict[str, str] = {}
    for name, client in zip(profiles, accounts.clients, strict=True):
        known = by_account.setdefault(client.settings.account, name)
        if known != name:
            accounts.close()
            raise InvalidRequestError(
                f"The profiles {known} and {name} are of one account, which would count twice: name one of them."
            )
    return accounts
