"""The command that runs the sandbox for clients of other processes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.errors import InvalidRequestError


def sandbox(
    port: Annotated[int, typer.Option("--port", help="0 takes a free one.")] = 0,
    orders: Annotated[int | None, typer.Option("--orders", help="The number of orders to generate.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The seed of the generated orders.")] = 0,
    data: Annotated[Path | None, typer.Option("--data", help="A folder of your own data.")] = None,
    rate_limit: Annotated[int, typer.Option("--rate-limit", help="Requests per minute; 0 for no limit.")] = 60,
    recording: Annotated[
        Path | None, typer.Option("--recording", help="Behave like the account that `doctor --write-probe` recorded.")
    ] = None,
    no_shift: Annotated[bool, typer.Option("--no-shift", help="Keep the original days of the sample.")] = False,
) -> None:
    """Run the sandbox until Ctrl-C or SIGTERM, for clients of other processes."""
    import signal  # noqa: PLC0415
    import threading  # noqa: PLC0415

    from cenports_nb.sandbox import Sandbox  # noqa: PLC0415

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
