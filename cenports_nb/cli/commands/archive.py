"""Commands that update an archive, show it, ask it in SQL, and forget months."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Annotated

import typer

import cenports_nb as cn
from cenports_nb.cli.options import EnvironmentOption, OptionalOutOption, ProfilesOption, StartOption, YesOption
from cenports_nb.cli.terminal import is_interactive, print_status, print_text, stop_command
from cenports_nb.errors import (
    ConfigurationError,
    IncompleteWarning,
    InvalidRequestError,
    RejectedRowsWarning,
)
from cenports_nb.exit_codes import DONE, FAILED, INCOMPLETE
from cenports_nb.rendering.text import format_count
from cenports_nb.rendering.text_table import format_table

if TYPE_CHECKING:
    from cenports_nb.archive.archive import Archive

ArchiveOption = Annotated[str, typer.Option("--archive", help="The archive's folder, or s3://bucket/prefix.")]
DEFAULT_FOLDER = "archive"


def show_archive(archive: ArchiveOption = DEFAULT_FOLDER) -> None:
    """Show what is archived, month by month, and when it was read last."""
    opened = _open_existing(archive)
    contents = opened.contents()
    print_text(format_table(contents))
    print_text(
        f"{format_count(int(contents['rows'].sum()), 'row')}, {contents['bytes'].sum() / 2**20:.1f} MiB in {archive}"
    )


def update_archive(
    archive: ArchiveOption = DEFAULT_FOLDER,
    env: EnvironmentOption = None,
    profile: ProfilesOption = None,
    start: StartOption = None,
    personal: Annotated[
        str | None, typer.Option("--personal", help="Of a new archive: mask (the default), drop or keep.")
    ] = None,
) -> None:
    """Read what may have changed, and archive it; for every night."""
    profiles: list[str | None] = list(profile or ()) or [None]
    with contextlib.ExitStack() as stack, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clients = [stack.enter_context(cn.connect(env, profile=name)) for name in profiles]
        changed = cn.open_archive(archive, personal=personal).update(clients, start=start)
    for warning in caught:
        print_status(str(warning.message))
    print_text(format_table(changed))
    kinds = [warning.category for warning in caught]
    is_incomplete = any(issubclass(kind, IncompleteWarning) for kind in kinds)
    has_rejects = any(issubclass(kind, RejectedRowsWarning) for kind in kinds)
    code = INCOMPLETE if is_incomplete else FAILED if has_rejects else DONE
    if code:
        raise typer.Exit(code)


def query_archive(
    query: Annotated[str, typer.Argument(help='Such as "SELECT month, count(*) FROM orders GROUP BY month".')],
    archive: ArchiveOption = DEFAULT_FOLDER,
    out: OptionalOutOption = None,
) -> None:
    """Run SQL of DuckDB over the archive; it can't touch files."""
    from cenports_nb.frames.export.files import check_path  # noqa: PLC0415

    if out is not None:
        check_path(out)
    found = _open_existing(archive).sql(query)
    print_text(format_table(found))
    if out is not None:
        cn.export(found, out)


def forget_months(
    before: Annotated[str, typer.Option("--before", help="A day; its month is the first that stays.")],
    archive: ArchiveOption = DEFAULT_FOLDER,
    yes: YesOption = False,
) -> None:
    """Remove the months before a day for good, from every version."""
    opened = _open_existing(archive)
    if not yes:
        if not is_interactive():
            raise InvalidRequestError("Nothing was removed: there is no terminal to confirm on. Pass --yes.")
        if not typer.confirm(f"Remove everything before the month of {before} from {archive} for good?", err=True):
            stop_command("Stopped: nothing was removed.", FAILED)
    print_text(format_table(opened.forget(before=before)))


def _open_existing(folder: str) -> Archive:
    """Open an archive that is there; only an update makes one."""
    from cenports_nb.archive.storage.format import read_format  # noqa: PLC0415

    if read_format(folder) is None:
        raise ConfigurationError(
            f"There is no archive in {folder}: `cenports-nb archive update --archive {folder}` makes one."
        )
    return cn.open_archive(folder)
