"""Loaders of several accounts: each account is loaded by itself, concurrently, and `account` comes in front."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar, cast

import pandas as pd

from cenports_nb.api.concurrency import run_concurrently
from cenports_nb.errors import CenportsError, IncompleteError, IncompleteWarning, InvalidRequestError, RejectedRowsError
from cenports_nb.frames.account_column import add_account
from cenports_nb.frames.arrow_columns import build_text, repeat_text
from cenports_nb.frames.loaders.finalize import build_missing_frame
from cenports_nb.frames.provenance import ACCOUNTS_PARAM, Provenance, Reject, attach, list_rejects, provenance
from cenports_nb.frames.user_warnings import CollectedWarning, collect_warnings, warn_user
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

    Clients: TypeAlias = Client | Sequence[Client]
    """One account, or several."""

MAX_CONCURRENT_ACCOUNTS = 16

P = ParamSpec("P")
Loaded = TypeVar("Loaded")


def for_accounts(load: Callable[P, pd.DataFrame]) -> Callable[P, pd.DataFrame]:
    """Let a loader, whose first parameter is a client, take a list of clients too."""

    @functools.wraps(load)
    def loader(*args: P.args, **kwargs: P.kwargs) -> pd.DataFrame:
        client: Any = args[0] if args else kwargs.get("client")
        if not isinstance(client, list | tuple):
            return load(*args, **kwargs)

        def load_one(one: Client) -> pd.DataFrame:
            given: dict[str, Any] = {name: value for name, value in kwargs.items() if name != "client"}
            return cast("Callable[..., pd.DataFrame]", load)(one, *args[1:], **given)

        return load_accounts(client, load_one, allow_partial=bool(kwargs.get("allow_partial")))

    return loader


def require_client(client: Clients) -> Client:
    """Return the client that a loader of one account works with.

    Raises:
        InvalidRequestError: It isn't a client.
    """
    if not hasattr(client, "settings"):
        raise InvalidRequestError(f"{client!r} isn't a client: pass one from connect, or a list of them.")
    return cast("Client", client)


def load_accounts(
    clients: Sequence[Client], load: Callable[[Client], pd.DataFrame], *, allow_partial: bool
) -> pd.DataFrame:
    """Load several accounts concurrently, each paced by its own rate limit.

    Args:
        clients: One per account.
        load: Loads one account.
        allow_partial: Return the accounts that could be loaded, with a warning.

    Returns:
        `account`, then the columns of the loader; ordered by account, then as the loader orders them.

    Raises:
        InvalidRequestError: There is no client, or two clients have the same account name.
        IncompleteError: An account could not be loaded; `.partial` has the others, `.missing` names it.
        CenportsError: No account could be loaded; the first account's error.
    """
    found, failures = _load_concurrently(clients, load, fatal=RejectedRowsError)
    incomplete = {name: error.partial for name, error in failures.items() if isinstance(error, IncompleteError)}
    frames = {**found, **incomplete}
    if not frames:
        raise failures[min(failures)]
    frame = _combine(frames, is_complete=not failures)
    if failures:
        first = min(failures)
        text = (
            f"{len(failures)} of {format_count(len(clients), 'account')} could not be loaded completely, the first, "
            f"{first}: {failures[first]}"
        )
        if not allow_partial:
            raise IncompleteError(text, partial=frame, missing=_build_missing_frame(failures))
        warn_user(text, IncompleteWarning)
    return frame


def load_tables(
    clients: Sequence[Client], tables: Mapping[str, Callable[[Client], pd.DataFrame]]
) -> tuple[dict[str, pd.DataFrame], dict[str, CenportsError]]:
    """Load several tables of several accounts; an account of which one fails is in no table.

    Args:
        clients: One per account.
        tables: Names to functions that load one account.

    Returns:
        The tables, with `account` in front, and the errors of the accounts that failed.

    Raises:
        InvalidRequestError: There is no client, or two clients have the same account name.
        CenportsError: No account could be loaded; the first account's error.
    """
    found, failures = _load_concurrently(
        clients, lambda client: {table: load(client) for table, load in tables.items()}
    )
    if not found:
        raise failures[min(failures)]
    combined = {
        table: _combine({name: frames[table] for name, frames in found.items()}, is_complete=not failures)
        for table in tables
    }
    return combined, failures


def _load_concurrently(
    clients: Sequence[Client], load: Callable[[Client], Loaded], *, fatal: type[CenportsError] | tuple[()] = ()
) -> tuple[dict[str, Loaded], dict[str, CenportsError]]:
    """Load each account on a thread; return results and errors by account, and give the user the warnings of the results.

    Raises:
        Exception: An error of the type `fatal`, or one that isn't of this package.
    """
    by_name = _name_accounts(clients)
    warnings: dict[str, list[CollectedWarning]] = {}
    found: dict[str, Loaded] = {}
    failures: dict[str, CenportsError] = {}

    def work(name: str) -> Loaded:
        with collect_warnings() as warnings[name]:
            return load(by_name[name])

    for name, result in run_concurrently(work, sorted(by_name), MAX_CONCURRENT_ACCOUNTS):
        if isinstance(result, CenportsError) and not isinstance(result, fatal):
            failures[name] = result
        elif isinstance(result, Exception):
            result.add_note(f"Account {name}.")
            raise result
        else:
            found[name] = result
    for name in sorted(found):
        for warning in warnings[name]:
            warn_user(f"{name}: {warning.text}", warning.category)
    return found, failures


def _name_accounts(clients: Sequence[Client]) -> dict[str, Client]:
    if not clients:
        raise InvalidRequestError("The list of clients is empty: pass a client from connect for each account.")
    by_name: dict[str, Client] = {}
    for client in map(require_client, clients):
        name = client.settings.account_name
        if name in by_name:
            raise InvalidRequestError(
                f"Two clients are named {name!r}: pass each account once, and give accounts profiles to tell them apart."
            )
        by_name[name] = client
    return by_name


def _combine(frames: Mapping[str, pd.DataFrame], *, is_complete: bool) -> pd.DataFrame:
    """Put frames of several accounts one after the other, with one provenance."""
    origins = {name: origin for name, frame in frames.items() if (origin := provenance(frame)) is not None}
    columns = list(dict.fromkeys(name for frame in frames.values() for name in frame.columns))
    parts, rejects = [], list[Reject]()
    for name in sorted(frames):
        frame = frames[name]
        rejects += [replace(reject, key=f"{name}: {reject.key}") for reject in list_rejects(frame)]
        part = frame.copy(deep=False)
        part.attrs = {}
        for column in columns:  # shipments have the columns that their records have
            if column not in part.columns:
                part[column] = repeat_text(None, len(part)).array
        parts.append(add_account(part[columns], name))
    found = pd.concat(parts, ignore_index=True)
    ordered = [origins[name] for name in sorted(origins)]
    if not ordered:
        return found
    keys = {name: origin.account_key for name, origin in sorted(origins.items())}
    return attach(found, _join_origins(ordered, keys, len(found), is_complete=is_complete), tuple(rejects))


def _join_origins(
    origins: Sequence[Provenance], accounts: Mapping[str, str], rows: int, *, is_complete: bool
) -> Provenance:
    """Describe where a frame of several accounts comes from."""
    times = [origin.as_of for origin in origins if origin.as_of is not None]
    return replace(
        origins[0],
        params={**origins[0].params, ACCOUNTS_PARAM: dict(accounts)},
        environment=", ".join(sorted({origin.environment for origin in origins})),
        partner_id=", ".join(dict.fromkeys(origin.partner_id for origin in origins)),
        as_of=min(times, default=None),
        requests=sum(origin.requests for origin in origins),
        cached=sum(origin.cached for origin in origins),
        complete=is_complete and all(origin.complete for origin in origins),
        rows=rows,
        rejected=sum(origin.rejected for origin in origins),
        outside=sum(origin.outside for origin in origins),
    )


def _build_missing_frame(failures: Mapping[str, CenportsError]) -> pd.DataFrame:
    """Build the frame of what is missing: `account source channel_id start end reason`."""
    parts = []
    for name, error in sorted(failures.items()):
        if isinstance(error, IncompleteError):
            part = error.missing.copy(deep=False)
        else:
            part = build_missing_frame("", ()).reindex([0]).assign(reason=build_text([str(error)]))
        parts.append(add_account(part, name))
    return pd.concat(parts, ignore_index=True)
