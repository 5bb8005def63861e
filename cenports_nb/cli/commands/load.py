"""Commands that load frames and write them to files."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import cenports_nb as cn
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
    choose_period,
)
from cenports_nb.cli.terminal import stop_command
from cenports_nb.errors import InvalidRequestError
from cenports_nb.exit_codes import FAILED
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    import pandas as pd

    Load = Callable[[cn.Client], pd.DataFrame]

NOUNS = {"orders": "order", "line items": "line item", "shipments": "shipment", "stock": "stock row"}


def _dated_command(name: str, loader: str, about: str) -> Callable[..., None]:
    """Build a command that writes what a loader returns for some days."""

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
        load = partial(
            getattr(cn, loader), start=start, end=end, last=choose_period(start, end, last), channel_id=channel or None
        )
        _write(out, env, profile, {name: load}, mask=mask, time_zone=time_zone)

    command.__doc__ = about
    return command


orders = _dated_command("orders", "load_orders", "Write orders to a file.")
line_items = _dated_command("line items", "load_line_items", "Write order lines to a file.")


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
    items: Annotated[bool, typer.Option("--items", help="Write a row for each line of a shipment.")] = False,
) -> None:
    """Write shipments, or their lines, to a file."""
    loader = cn.load_shipment_items if items else cn.load_shipments
    load = partial(loader, start=start, end=end, last=choose_period(start, end, last), channel_id=channel or None)
    _write(out, env, profile, {"shipments": load}, mask=mask, time_zone=time_zone)


def stock(
    out: OutOption,
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    available: Annotated[
        bool, typer.Option("--available", help="Available stock by channel instead of actual stock.")
    ] = False,
    channel: ChannelsOption = None,
    mask: MaskOption = False,
) -> None:
    """Write actual stock, or available stock, to a file."""
    if channel and not available:
        raise InvalidRequestError("--channel goes with --available: actual stock is the same for every channel.")
    load = partial(cn.load_available_stock, channel_id=channel or None) if available else cn.load_actual_stock
    _write(out, env, profile, {"stock": load}, mask=mask)


def channels(
    out: OutOption, env: EnvironmentOption = None, profile: ProfileOption = None, mask: MaskOption = False
) -> None:
    """Write the sales channels to a file."""
    _write(out, env, profile, {"channels": cn.load_channels}, mask=mask)


def export_all(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The workbook to write: .xlsx.")],
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    start: StartOption = None,
    end: EndOption = None,
    last: LastOption = None,
    channel: ChannelsOption = None,
    mask: MaskOption = False,
    time_zone: TimeZoneOption = None,
) -> None:
    """Write orders, line items, shipments and actual stock to one workbook, a sheet each."""
    if out.suffix.lower() != ".xlsx":
        raise InvalidRequestError(f"{out.name!r} holds one table only: four sheets need a file that ends in .xlsx.")
    filters: dict[str, Any] = {
        "start": start,
        "end": end,
        "last": choose_period(start, end, last),
        "channel_id": channel or None,
    }
    loads: dict[str, Load] = {
        "orders": partial(cn.load_orders, **filters),
        "line items": partial(cn.load_line_items, **filters),
        "shipments": partial(cn.load_shipments, **filters),
        "stock": cn.load_actual_stock,
    }
    _write(out, env, profile, loads, mask=mask, time_zone=time_zone)


def _write(
    path: Path,
    env: str | None,
    profile: str | None,
    loads: Mapping[str, Load],
    *,
    mask: bool,
    time_zone: str | None = None,
) -> None:
    """Load frames and write them; report rejected records, which change the exit code."""
    import pandas as pd  # noqa: PLC0415

    from cenports_nb.frames.dates import parse_time_zone  # noqa: PLC0415
    from cenports_nb.frames.export.files import check_path  # noqa: PLC0415

    check_path(path)
    parse_time_zone(time_zone or "UTC")
    with cn.connect(env, profile=profile) as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", cn.errors.RejectedRowsWarning)  # reported below, once
        frames = {name: load(client) for name, load in loads.items()}
    # A rejected order is missing from both orders and line items: report it once.
    rejects = pd.concat([cn.rejected(frame) for frame in frames.values()]).drop_duplicates(ignore_index=True)
    masked = {name: cn.mask_pii(frame) if mask else frame for name, frame in frames.items()}
    cn.export(masked, path, time_zone=time_zone)
    counts = [format_count(len(frame), NOUNS[name] if len(frames) > 1 else "row") for name, frame in frames.items()]
    typer.echo(f"{', '.join(counts)} in {path}")
    if len(rejects):
        rejected_path = path.with_name(f"{path.stem}-rejected.csv")
        cn.export(cn.mask_pii(rejects) if mask else rejects, rejected_path)
        stop_command(f"{format_count(len(rejects), 'record')} can't be read; see {rejected_path}.", FAILED)
