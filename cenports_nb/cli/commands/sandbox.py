"""The command that runs the sandbox for clients of other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.errors import InvalidRequestError


def sandbox(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65_535, metavar="PORT", help="The port; 0 takes a free one.")
    ] = 0,
    orders: Annotated[int | None, typer.Option("--orders", min=0, help="Generate this many orders.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the generated orders.")] = 0,
    data: Annotated[Path | None, typer.Option("--data", metavar="FOLDER", help="A folder of your own data.")] = None,
    rate_limit: Annotated[int, typer.Option("--rate-limit", min=0, help="Requests a minute; 0 switches it off.")] = 60,
    recording: Annotated[
        Path | None,
        typer.Option(
            "--recording", metavar="FILE", help="Behave like the account that `doctor --write-probe` recorded."
        ),
    ] = None,
    no_shift: Annotated[
        bool, typer.Option("--no-shift", help="Keep the dates of the sample data, 1996 to 1998.")
    ] = False,
) -> None:
    """Run the sandbox until Ctrl-C or SIGTERM, for clients of other processes."""
    import signal  # noqa: PLC0415
    import threading  # noqa: PLC0415

    from cenports_nb.sandbox import Sandbox  # noqa: PLC0415

    if orders is not None and data is not None:
        raise InvalidRequestError("--orders generates data and --data reads it: pass one of them.")
    try:
        server = Sandbox(
            orders=orders,
            seed=seed,
            data=data,
            shift=not no_shift,
            rate_limit=rate_limit or None,
            port=port,
            recording=recording,
        )
        server.start()
    except (ValueError, OSError, OverflowError) as error:
        raise InvalidRequestError(f"The sandbox can't start: {error}") from None
    with server:
        typer.echo(f"{server.url}")
        typer.echo(f'cn.connect("sandbox", base_url="{server.url}")   Ctrl-C stops it', err=True)
        # A shell may start background processes with SIGINT ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)
