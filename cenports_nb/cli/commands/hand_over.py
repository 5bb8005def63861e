"""The command that hands orders over to the warehouse."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import cenports_nb as cn
from cenports_nb.cli.options import ChannelsOption, EnvironmentOption, ProfileOption, parse_pairs
from cenports_nb.cli.terminal import print_text, stop_command
from cenports_nb.errors import ReadOnlyError
from cenports_nb.exit_codes import FAILED, IN_DOUBT, USAGE
from cenports_nb.rendering.text import format_count


def hand_over(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The file to write: .csv or .xlsx. It must not exist yet.")
    ],
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    channel: ChannelsOption = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column", metavar="HEADER=COLUMN", help="A column of the file, such as Order=order_no; repeatable."
        ),
    ] = None,
    resend: Annotated[
        str | None, typer.Option("--resend", metavar="ID", help="Write the file of an earlier hand-over again.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Also acknowledge in production.")] = False,
) -> None:
    """Write unacknowledged orders to a file for the warehouse, then acknowledge exactly those."""
    layout = parse_pairs("--column", column, "Order=order_no")
    with cn.connect(env, profile=profile, read_only=False if yes else None) as client:
        try:
            made = cn.hand_over(client, out, channel_id=channel or None, layout=layout, resend=resend)
        except ReadOnlyError:
            stop_command(
                f"This would acknowledge orders in {client.settings.environment}: nothing was sent. To do it, add --yes.",
                USAGE,
            )
    if made.path is None:
        print_text("There are no orders to hand over.")
    else:
        print_text(
            f"{format_count(made.orders, 'order')}, {format_count(made.lines, 'line')} in {made.path}; "
            f"{made.acknowledged:,} acknowledged"
        )
        print_text(
            f"Hand-over {made.handover_id}: `cenports-nb hand-over --out FILE --resend {made.handover_id}` repeats it"
        )
    if len(made.repeated):
        print_text(
            f"Acknowledged again, from earlier hand-overs and not in this file: {format_count(len(made.repeated), 'order')}"
        )
    unknown = made.unknown + int((made.repeated["outcome"] == "unknown").sum())
    if unknown:
        stop_command(
            f"It is not known whether {format_count(unknown, 'order')} reached Cenports as acknowledged. Run the command again "
            "to find out.",
            IN_DOUBT,
        )
    if made.refused or len(made.rejected):
        stop_command(
            f"Cenports refused to acknowledge {format_count(made.refused, 'order')}; {format_count(len(made.rejected), 'order')} "
            "left out of the file.",
            FAILED,
        )
