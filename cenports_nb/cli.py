"""The command line: arguments in, library calls, one clear line on failure."""

from __future__ import annotations

import sys
import warnings
import webbrowser
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.exceptions import Abort, TyperException

from cenports_nb import __version__
from cenports_nb.errors import CenportsError, ConfigurationError, InvalidRequestError

if TYPE_CHECKING:
    import pandas as pd

    from cenports_nb.api.client import Client

app = typer.Typer(
    name="cenports-nb", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Cenports orders, shipments and stock: reports, exports, and a sandbox to try them on.",
)  # fmt: skip

Env = Annotated[Optional[str], typer.Option("--env", help="sandbox, staging or production.")]  # noqa: UP045 - typer
Profile = Annotated[Optional[str], typer.Option("--profile", help="A named profile.")]  # noqa: UP045
Out = Annotated[Path, typer.Option("--out", help="The file: .csv, .xlsx or .parquet.")]
Start = Annotated[Optional[str], typer.Option("--start", help="First day, YYYY-MM-DD.")]  # noqa: UP045
End = Annotated[Optional[str], typer.Option("--end", help="Last day, YYYY-MM-DD.")]  # noqa: UP045
Last = Annotated[Optional[str], typer.Option("--last", help="A span that ends today, such as 30D.")]  # noqa: UP045
Mask = Annotated[bool, typer.Option("--mask", help="Pseudonyms instead of names, addresses, phones, e-mails.")]
Zone = Annotated[Optional[str], typer.Option("--time-zone", help="Of instants, such as Europe/Berlin; else yours.")]  # noqa: UP045
Channels = Annotated[Optional[list[str]], typer.Option("--channel", help="Only this channel; may repeat.")]  # noqa: UP045


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"cenports-nb {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error; may stand anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Take the options that stand before a command."""


@app.command("report")
def report(
    name: Annotated[str, typer.Argument(help="Such as stock-reconciliation; `cenports-nb reports` lists them.")],
    env: Env = None,
    profile: Profile = None,
    parameters: Annotated[Optional[list[str]], typer.Option("-p", help="name=value; may repeat.")] = None,  # noqa: UP045
    out: Annotated[Path, typer.Option("--out", help="The folder.")] = Path("report"),
    html: Annotated[bool, typer.Option("--html", help="Also write one self-contained HTML page.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open what was written.")] = False,
) -> None:
    """Run a report notebook and write it, executed, into a folder."""
    from cenports_nb.reports import check_parameters, find_report, run_report  # noqa: PLC0415
    from cenports_nb.settings import resolve  # noqa: PLC0415

    given = dict(_pair(text) for text in parameters or [])
    # Unlike a person who runs the notebook cell by cell, a command never falls back to the sandbox by itself.
    given.setdefault("environment", env)
    given.setdefault("profile", profile)
    check_parameters(find_report(name), given)
    resolve(given["environment"], profile=given["profile"])  # better now than in a cell
    typer.echo(f"Running {name} …", err=True)
    run = run_report(name, given, out=out, page=html)
    for path in filter(None, (run.notebook, run.page)):
        typer.echo(str(path))
    if open_:
        webbrowser.open((run.page or run.notebook).absolute().as_uri())
    if run.result.get("in_doubt"):
        _stop(f"{run.result['in_doubt']} rows are in doubt or still pending: see the report.", 4)
    if run.result.get("incomplete"):
        _stop("Data is incomplete: see the report.", 3)
    if run.result.get("rejected") or run.result.get("failed"):
        rejected, failed = run.result["rejected"], run.result["failed"]
        _stop(f"{rejected} records can't be read, {failed} rows failed or are held: see the report.", 1)


@app.command("reports")
def list_reports() -> None:
    """List the reports that ship in the package, with their parameters."""
    from cenports_nb.reports import reports  # noqa: PLC0415

    for item in reports().values():
        typer.echo(f"{item.name}: {item.title}")
        for key, default in item.parameters.items():
            typer.echo(f"    -p {key}={default!r}")


@app.command("sandbox")
def sandbox(
    port: Annotated[int, typer.Option("--port", help="0 takes a free one.")] = 0,
    orders: Annotated[Optional[int], typer.Option("--orders", help="Generate so many orders.")] = None,  # noqa: UP045
    seed: Annotated[int, typer.Option("--seed", help="Of the generated orders.")] = 0,
    data: Annotated[Optional[Path], typer.Option("--data", help="A folder of your own data.")] = None,  # noqa: UP045
    rate_limit: Annotated[int, typer.Option("--rate-limit", help="Requests a minute; 0 switches it off.")] = 60,
    no_shift: Annotated[bool, typer.Option("--no-shift", help="Leave the days of the sample as they are.")] = False,
) -> None:
    """Run the sandbox until Ctrl-C, for clients of other processes."""
    import threading  # noqa: PLC0415

    from cenports_nb.sandbox import Sandbox  # noqa: PLC0415

    try:
        server = Sandbox(
            orders=orders, seed=seed, data=data, shift=not no_shift, rate_limit=rate_limit or None, port=port
        )
        server.start()
    except (ValueError, OSError, OverflowError) as error:
        raise InvalidRequestError(f"The sandbox can't start: {error}") from None
    with server:
        typer.echo(f"{server.url}")
        typer.echo(f'cn.connect("sandbox", base_url="{server.url}")   Ctrl-C stops it', err=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            typer.echo("stopped", err=True)


@app.command("orders")
def orders(
    out: Out,
    env: Env = None,
    profile: Profile = None,
    start: Start = None,
    end: End = None,
    last: Last = None,
    channel: Channels = None,
    mask: Mask = False,
    time_zone: Zone = None,
) -> None:
    """Write orders into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    _write(
        File(out, mask, time_zone),
        env,
        profile,
        {"orders": lambda client: cn.load_orders(client, start, end, last=last, channel_id=channel or None)},
    )


@app.command("line-items")
def line_items(
    out: Out,
    env: Env = None,
    profile: Profile = None,
    start: Start = None,
    end: End = None,
    last: Last = None,
    channel: Channels = None,
    mask: Mask = False,
    time_zone: Zone = None,
) -> None:
    """Write order lines into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    _write(
        File(out, mask, time_zone),
        env,
        profile,
        {"line items": lambda client: cn.load_line_items(client, start, end, last=last, channel_id=channel or None)},
    )


@app.command("shipments")
def shipments(
    out: Out,
    env: Env = None,
    profile: Profile = None,
    start: Start = None,
    end: End = None,
    last: Last = None,
    channel: Channels = None,
    mask: Mask = False,
    time_zone: Zone = None,
    items: Annotated[bool, typer.Option("--items", help="A row for each line of a shipment.")] = False,
) -> None:
    """Write shipments, or what was in them, into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    load = cn.load_shipment_items if items else cn.load_shipments
    _write(
        File(out, mask, time_zone),
        env,
        profile,
        {"shipments": lambda client: load(client, start, end, last=last, channel_id=channel or None)},
    )


@app.command("stock")
def stock(
    out: Out,
    env: Env = None,
    profile: Profile = None,
    available: Annotated[
        bool, typer.Option("--available", help="Units for sale by channel, not units on the shelf.")
    ] = False,
    channel: Channels = None,
    mask: Mask = False,
) -> None:
    """Write actual stock, or available stock, into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    if channel and not available:
        raise InvalidRequestError("--channel goes with --available: actual stock is the same for every channel.")
    _write(
        File(out, mask),
        env,
        profile,
        {"stock": lambda client: cn.load_available_stock(client, channel or None)}
        if available
        else {"stock": cn.load_actual_stock},
    )


@app.command("channels")
def channels(out: Out, env: Env = None, profile: Profile = None, mask: Mask = False) -> None:
    """Write the sales channels into a file."""
    import cenports_nb as cn  # noqa: PLC0415

    _write(File(out, mask), env, profile, {"channels": cn.load_channels})


@app.command("export")
def export_all(
    out: Annotated[Path, typer.Option("--out", help="The workbook: .xlsx.")],
    env: Env = None,
    profile: Profile = None,
    start: Start = None,
    end: End = None,
    last: Last = None,
    channel: Channels = None,
    mask: Mask = False,
    time_zone: Zone = None,
) -> None:
    """Write orders, line items, shipments and actual stock into one workbook, a sheet each."""
    import cenports_nb as cn  # noqa: PLC0415

    if out.suffix.lower() != ".xlsx":
        raise InvalidRequestError(f"{out.name!r} holds one frame at most: four sheets need a file that ends in .xlsx.")
    days: dict[str, Any] = {"start": start, "end": end, "last": last, "channel_id": channel or None}
    _write(
        File(out, mask, time_zone),
        env,
        profile,
        {
            "orders": lambda client: cn.load_orders(client, **days),
            "line items": lambda client: cn.load_line_items(client, **days),
            "shipments": lambda client: cn.load_shipments(client, **days),
            "stock": cn.load_actual_stock,
        },
    )


cache_app = typer.Typer(help="What is kept of Cenports' answers on this machine.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")


@cache_app.command("info")
def cache_info() -> None:
    """Show what the cache holds, account by account."""
    from cenports_nb.api.cache import info  # noqa: PLC0415
    from cenports_nb.settings import home_folder  # noqa: PLC0415

    home = home_folder()
    held = info(home)
    for kept in held:
        address, _, partner = kept.account.rpartition("|")
        typer.echo(
            f"{partner} at {address}: {kept.answers:,} answers, {kept.size / 2**20:.1f} MiB, "
            f"from {kept.oldest:%Y-%m-%d %H:%M} to {kept.newest:%Y-%m-%d %H:%M} UTC"
        )
    typer.echo(f"{sum(kept.answers for kept in held):,} answers in {home}")


@cache_app.command("clear")
def cache_clear() -> None:
    """Delete the cache of all accounts; the journal of writes stays."""
    from cenports_nb.api.cache import clear  # noqa: PLC0415
    from cenports_nb.settings import home_folder  # noqa: PLC0415

    home = home_folder()
    try:
        freed = clear(home)
    except OSError as error:
        raise ConfigurationError(f"The cache in {home} can't be deleted ({error}): close what uses it.") from None
    typer.echo(f"{freed / 2**20:.1f} MiB freed in {home}")


@app.command("doctor")
def doctor(
    env: Env = None,
    profile: Profile = None,
    out: Annotated[Path, typer.Option("--out", help="The shape file: field names and types, no values.")] = Path(
        "cenports-shape.json"
    ),
) -> None:
    """Check the set-up and ask the live account what the reference leaves open: read-only, about ten requests."""
    import msgspec  # noqa: PLC0415

    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.api.doctor import examine  # noqa: PLC0415
    from cenports_nb.settings import save_profile  # noqa: PLC0415

    with cn.connect(env, profile=profile, read_only=True, cache=False) as client:
        settings = client.settings
        typer.echo(f"{settings.environment} at {settings.base_url}, partner {settings.partner_id}")
        found = examine(client)
    for finding in found.findings:
        typer.echo(f"  {finding.question}\n      {finding.answer or 'OPEN'} ({finding.evidence})")
    out.write_bytes(msgspec.json.format(msgspec.json.encode(found.shapes), indent=2) + b"\n")
    typer.echo(f"{found.requests} requests; field names and types, without values, are in {out}")
    if settings.environment == "sandbox" and not profile:
        typer.echo("Nothing saved: a sandbox speaks as it is told to.")
    else:
        path = save_profile(settings.home, settings.profile or "default", {"dialect": found.learnt})
        typer.echo(f"What was learnt is in [{settings.profile or 'default'}.dialect] of {path}")
    questions = [finding.ask for finding in found.findings if finding.ask]
    if questions:
        typer.echo("Ask Cenports' integration team:")
        for question in questions:
            typer.echo(f"  - {question}")


def main() -> None:
    """Run a command; every foreseen error is one line on stderr and an exit code.

    0 done, 1 failed (an error or rejected rows), 2 wrong usage, 3 incomplete data, 4 in doubt.
    """
    arguments = [text for text in sys.argv[1:] if text != "--debug"]
    try:
        code = app(arguments, standalone_mode=False)
    except (CenportsError, TyperException, Abort, KeyboardInterrupt) as error:
        if "--debug" in sys.argv:
            raise
        _say(_line_of(error))
        sys.exit(_code_of(error))
    sys.exit(code if isinstance(code, int) else 0)


def _line_of(error: BaseException) -> str:
    """Say an error in one line."""
    if isinstance(error, TyperException):
        return f"{error.format_message()} (`cenports-nb --help` shows what there is)"
    return str(error) if isinstance(error, CenportsError) else "stopped."


def _code_of(error: BaseException) -> int:
    """Choose the exit code of an error."""
    from cenports_nb.reports import exit_code_of  # noqa: PLC0415

    return error.exit_code if isinstance(error, TyperException) else exit_code_of(error)


@dataclass(frozen=True)
class File:
    """A file that was asked for: where, whether people are pseudonyms in it, the zone of its instants."""

    path: Path
    mask: bool = False
    time_zone: str | None = None


def _write(
    file: File, env: str | None, profile: str | None, loads: Mapping[str, Callable[[Client], pd.DataFrame]]
) -> None:
    """Load frames and write them; rejected records are told and change the exit code."""
    import pandas as pd  # noqa: PLC0415

    import cenports_nb as cn  # noqa: PLC0415
    from cenports_nb.frames.days import zone_of  # noqa: PLC0415
    from cenports_nb.frames.export import check_path  # noqa: PLC0415

    check_path(file.path)
    zone_of(file.time_zone or "UTC")
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
        beside = file.path.with_name(f"{file.path.stem}-rejected.csv")
        cn.export(cn.mask_pii(rejects) if file.mask else rejects, beside)
        one = len(rejects) == 1
        _stop(f"{len(rejects):,} record{'' if one else 's'} can't be read; see {beside}.", 1)


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise InvalidRequestError(f"-p {text!r} is no name=value, such as -p submit=true.")
    return name, value


def _say(text: str) -> None:
    typer.echo(f"cenports-nb: {' '.join(text.split())}", err=True)


def _stop(text: str, code: int) -> None:
    _say(text)
    raise typer.Exit(code)


if __name__ == "__main__":
    main()
