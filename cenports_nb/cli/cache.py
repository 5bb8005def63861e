"""Commands that tell of the cache, and delete it."""

from __future__ import annotations

import typer

from cenports_nb.errors import ConfigurationError


def cache_info() -> None:
    """Show what the cache holds, account by account."""
    from cenports_nb.api.http.cache import list_accounts  # noqa: PLC0415
    from cenports_nb.settings import home_folder  # noqa: PLC0415

    home = home_folder()
    accounts = list_accounts(home)
    for account in accounts:
        address, _, partner = account.account.rpartition("|")
        typer.echo(
            f"{partner} at {address}: {account.answers:,} answers, {account.size / 2**20:.1f} MiB, "
            f"from {account.oldest:%Y-%m-%d %H:%M} to {account.newest:%Y-%m-%d %H:%M} UTC"
        )
    typer.echo(f"{sum(account.answers for account in accounts):,} answers in {home}")


def cache_clear() -> None:
    """Delete the cache of all accounts; the journal of writes stays."""
    from cenports_nb.api.http.cache import clear_cache  # noqa: PLC0415
    from cenports_nb.settings import home_folder  # noqa: PLC0415

    home = home_folder()
    try:
        freed = clear_cache(home)
    except OSError as error:
        raise ConfigurationError(f"The cache in {home} can't be deleted ({error}): close what uses it.") from None
    typer.echo(f"{freed / 2**20:.1f} MiB freed in {home}")
