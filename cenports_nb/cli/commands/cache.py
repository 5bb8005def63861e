"""Commands that show and clear the cache."""

from __future__ import annotations

import typer

from cenports_nb.account import split_account
from cenports_nb.errors import ConfigurationError
from cenports_nb.rendering.text import format_count
from cenports_nb.settings import home_folder


def show_cache() -> None:
    """Show what the cache holds, by account."""
    from cenports_nb.api.http.cache import list_accounts  # noqa: PLC0415

    home = home_folder()
    accounts = list_accounts(home)
    for entry in accounts:
        address, partner = split_account(entry.account)
        typer.echo(
            f"{partner} at {address}: {format_count(entry.answers, 'answer')}, {entry.size / 2**20:.1f} MiB, "
            f"from {entry.oldest:%Y-%m-%d %H:%M} to {entry.newest:%Y-%m-%d %H:%M} UTC"
        )
    typer.echo(f"{format_count(sum(entry.answers for entry in accounts), 'answer')} in {home}")


def clear_all_caches() -> None:
    """Delete the cache of all accounts; the journal of writes is kept."""
    from cenports_nb.api.http.cache import clear_cache  # noqa: PLC0415

    home = home_folder()
    try:
        freed = clear_cache(home)
    except OSError as error:
        raise ConfigurationError(f"The cache in {home} can't be deleted ({error}): close what uses it.") from None
    typer.echo(f"{freed / 2**20:.1f} MiB freed in {home}")
