"""Commands that load frames and write them into files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cenports_nb.cli.options import (
    ChannelsOption,
    EndOption,
    EnvironmentOption,
    LastOption,
    MaskOption,
    OutOption,
    ProfileOption,
    StartOption,
    TimeZoneOption,
)
from cenports_nb.cli.terminal import stop_command
from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.api.client import Client


def _dated_command(name: str, loader: str, about: str) -> Callable[..., None]:
    """Make a command that writes what a loader of the package returns for some days."""

    def command(
        out: OutOption,
        env: EnvironmentOption = None,
        profile: ProfileOption = None,
        start: StartOption = None,
        end: EndOption = None,
        last: LastOption = None,
        channel: ChannelsOption = None,
        mask: MaskOption = False,
        time_zone: TimeZoneOption = None,
    ) -> None:
        import cenports_nb as cn  # noqa: PLC0415

        load = getattr(cn, loader)
        _load_and_write(
            OutputFile(out, mask, time_zone),
            env,
            profile,
            {name: lambda client: load(client, start, end, last=last, channel_id=channel or None)},
        )

    command.__doc__ = about
    return command


orders = _dated_command("orders", "load_orders", "Write orders into a file.")
line_items = _dated_command("line items", "load_line_items", "Write order lines into a file.")


def shipments(
    out: OutOption,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    start: StartOption = None,
    end: EndOption = None,
    last: LastOption = None,
    channel: ChannelsOption = None,
    mask: MaskOption = False,
    time_zone: TimeZoneOption = None,
    items: Annotated[bool, typer.Option("--items", help="A row for each line of a shipment.")] = False,
) -> None:
    """Write shipments, or what was in them, into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    load = cn.load_shipment_items if items else cn.load_shipments
    _load_and_write(
        OutputFile(out, mask, time_zone),
        env,
        profile,
        {"shipments": lambda client: load(client, start, end, last=last, channel_id=channel or None)},
    )


def stock(
    out: OutOption,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    available: Annotated[
        bool, typer.Option("--available", help="Units for sale by channel, not units on the shelf.")
    ] = False,
    channel: ChannelsOption = None,
    mask: MaskOption = False,
) -> None:
    """Write actual stock, or available stock, into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    if channel and not available:
        raise InvalidRequestError("--channel goes with --available: actual stock is the same for every channel.")
    _load_and_write(
        OutputFile(out, mask),
        env,
        profile,
        {"stock": lambda client: cn.load_available_stock(client, channel or None)}
        if available
        else {"stock": cn.load_actual_stock},
    )


def channels(
    out: OutOption, env: EnvironmentOption = None, profile: ProfileOption = None, mask: MaskOption = False
) -> None:
    """Write the sales channels into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    _load_and_write(OutputFile(out, mask), env, profile, {"channels": cn.load_channels})


def export_all(
    out: Annotated[Path, typer.Option("--out", help="The workbook: .xlsx.")],
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    start: StartOption = None,
    end: EndOption = None,
    last: LastOption = None,
    channel: ChannelsOption = None,
    mask: MaskOption = False,
    time_zone: TimeZoneOption = None,
) -> None:
    """Write orders, line items, shipments and actual stock into one workbook, a sheet each."""
    import cenports_nb as cn  # noqa: PLC0415

    if out.suffix.lower() != ".xlsx":
        raise InvalidRequestError(f"{out.name!r} holds one frame at most: four sheets need a file that ends in .xlsx.")
    days: dict[str, Any] = {"start": start, "end": end, "last": last, "channel_id": channel or None}
    _load_and_write(
        OutputFile(out, mask, time_zone),
        env,
        profile,
        {
            "orders": lambda client: cn.load_orders(client, **days),
            "line items": lambda client: cn.load_line_items(client, **days),
            "shipments": lambda client: cn.load_shipments(client, **days),
            "stock": cn.load_actual_stock,
        },
    )


@dataclass(frozen=True)
class OutputFile:
    """A file that was asked for: where, whether people are pseudonyms in it, the zone of its instants."""

    path: Path
    mask: bool = False
    time_zone: str | None = None


def _load_and_write(
    file: OutputFile, env: str | None, profile: str | None, loads: Mapping[str, Callable[[Client], pd.DataFrame]]
) -> None:
    """Load frames and write them; rejected records are told and change the exit code."""
    import pandas as pd  # noqa: PLC0415

    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.frames.dates import parse_time_zone  # noqa: PLC0415
    from cenports_nb.frames.export import check_path  # noqa: PLC0415

    check_path(file.path)
    parse_time_zone(file.time_zone or "UTC")
    with cn.connect(env, profile=profile) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", cn.errors.RejectedRowsWarning)  # told below, once
        frames = {name: load(client) for name, load in loads.items()}
    # An order that can't be read is missing from orders and line items alike: it is told once.
    rejects = pd.concat([cn.rejected(frame) for frame in frames.values()]).drop_duplicates(ignore_index=True)
    masked = {name: cn.mask_pii(frame) if file.mask else frame for name, frame in frames.items()}
    cn.export(masked, file.path, time_zone=file.time_zone)
    counts = [f"{len(frame):,} {name if len(frames) > 1 else 'rows'}" for name, frame in frames.items()]
    typer.echo(f"{', '.join(counts)} in {file.path}")
    if len(rejects):
        rejected_path = file.path.with_name(f"{file.path.stem}-rejected.csv")
        cn.export(cn.mask_pii(rejects) if file.mask else rejects, rejected_path)
        stop_command(f"{format_count(len(rejects), 'record')} can't be read; see {rejected_path}.", 1)
