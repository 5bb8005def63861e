"""The command that hands orders over to the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.cli.options import ChannelsOption, EnvironmentOption, ProfileOption, parse_pairs
from cenports_nb.cli.terminal import print_text, stop_command
from cenports_nb.errors import ReadOnlyError
from cenports_nb.exit_codes import FAILED, IN_DOUBT, USAGE


def hand_over(
    out: Annotated[Path, typer.Option("--out", help="The file, .csv or .xlsx; it must not exist yet.")],
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    channel: ChannelsOption = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help='A column of the file, such as "Order=order_no"; may repeat.')
    ] = None,
    resend: Annotated[
        str | None, typer.Option("--resend", metavar="ID", help="Write the file of this hand-over again.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Acknowledge in production too.")] = False,
) -> None:
    """Write the unacknowledged orders into a file for the warehouse, then acknowledge exactly those orders."""
    import cenports_nb as cn  # noqa: PLC0415

    layout = parse_pairs("--column", column, "Order=order_no")
    with cn.connect(env, profile=profile, read_only=False if yes else None) as client:
        try:
            made = cn.hand_over(client, out, channel_id=channel or None, layout=layout, resend=resend)
        except ReadOnlyError:
            stop_command(
                f"It would acknowledge orders in {client.settings.environment}: nothing was sent. If that is meant, add "
                "--yes.",
                USAGE,
            )
    if made.path is None:
        print_text("There is nothing to hand over.")
    else:
        print_text(f"{made.orders:,} orders, {made.lines:,} lines in {made.path}; {made.acknowledged:,} acknowledged")
        print_text(
            f"Hand-over {made.handover_id}: `cenports-nb hand-over --out FILE --resend {made.handover_id}` repeats it"
        )
    if len(made.repeated):
        print_text(
            f"{len(made.repeated):,} orders of earlier hand-overs were acknowledged again; they are not in this file"
        )
    unknown = made.unknown + int((made.repeated["outcome"] == "unknown").sum())
    if unknown:
        stop_command(
            f"It is not known whether {unknown:,} orders are acknowledged: run it again, and it looks.", IN_DOUBT
        )
    if made.refused or len(made.rejected):
        stop_command(
            f"{made.refused:,} orders were not taken as acknowledged by Cenports, {len(made.rejected):,} were left out "
            "of the file.",
            FAILED,
        )
