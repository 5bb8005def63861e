"""The command that checks the set-up, examines the live account, and probes how it carries out writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import cenports_nb as cn
from cenports_nb.cli.options import EnvironmentOption, ProfileOption
from cenports_nb.cli.submission_progress import interruptible
from cenports_nb.cli.terminal import is_interactive, print_status, print_text, stop_command
from cenports_nb.errors import CenportsError, InvalidRequestError
from cenports_nb.profiles import save_profile
from cenports_nb.rendering.text import format_count
from cenports_nb.settings import Settings

if TYPE_CHECKING:
    from cenports_nb.api.client import Client
    from cenports_nb.api.doctor import Finding
    from cenports_nb.submissions.probe.exchanges import ExchangeLog


def doctor(
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The shape file to write: field names and types, no values.")
    ] = Path("cenports-shape.json"),
    offline: Annotated[
        bool, typer.Option("--offline", help="Send nothing; show what is known, assumed and contradicted.")
    ] = False,
    write_probe: Annotated[
        str | None,
        typer.Option(
            "--write-probe",
            metavar="SKU",
            help="Find out how writes work with a few small writes to this SKU; its stock is restored.",
        ),
    ] = None,
    warehouse: Annotated[
        str | None,
        typer.Option("--warehouse", metavar="CODE", help="The warehouse of --write-probe, if several have the SKU."),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(
            "--recording",
            metavar="FILE",
            help="The recording of --write-probe, without values; cenports-recording.json by default. "
            "`cenports-nb sandbox --recording FILE` replays it.",
        ),
    ] = None,
) -> None:
    """Check the setup and find out how the account answers what the API reference leaves open: about ten read requests.

    It ends with what is known of the account, assumed, or contradicted since; --offline shows only that.

    With --write-probe it also writes: it prints its plan first, and restores the stock at the end. In production a person
    must type the SKU.
    """
    from cenports_nb.submissions.probe.exchanges import ExchangeLog  # noqa: PLC0415

    if offline:
        if write_probe is not None:
            raise InvalidRequestError("--offline sends nothing, and --write-probe writes: leave one of them out.")
        with cn.connect(env, profile=profile, read_only=True, offline=True) as client:
            _print_reading_states(client)
        return
    _check_file("--out", out)
    if write_probe is None:
        if warehouse is not None or recording is not None:
            raise InvalidRequestError(
                "--warehouse and --recording belong to --write-probe SKU: add it, or leave them out."
            )
        with cn.connect(env, profile=profile, read_only=True, cache=False) as client:
            findings = _examine(client, out, profile)
            _print_reading_states(client, {name for finding in findings for name in finding.learned})
        _print_questions(findings)
        return
    recording = recording or Path("cenports-recording.json")
    _check_file("--recording", recording)
    with _connect_for_writing(env, profile) as client:
        log = ExchangeLog.start(client)
        with client.session.observe(log.add):
            findings = _examine(client, out, profile)
        _probe(client, write_probe, warehouse, recording, log, profile, findings)


def _check_file(option: str, path: Path) -> None:
    """Check where a file goes before anything is asked of Cenports.

    Raises:
        InvalidRequestError: It is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise InvalidRequestError(f"{option} {path} is a folder: name a file in it. Nothing was sent.")
    if not path.parent.is_dir():
        raise InvalidRequestError(f"{option} {path}: there is no folder {path.parent}. Nothing was sent.")


def _connect_for_writing(env: str | None, profile: str | None) -> Client:
    """Connect for a probe; in production only where a person can be asked.

    Raises:
        ReadOnlyError: The client is read-only for another reason than being in production.
        InvalidRequestError: It is production, and there is no terminal.
    """
    client = cn.connect(env, profile=profile, cache=False)
    try:
        if client.settings.environment != "production":
            client.check_writable("The write probe")
            return client
        if not is_interactive():
            raise InvalidRequestError(
                "Nothing was sent: a write probe in production needs a person who types the SKU. Run it in a terminal, or "
                "probe the staging account with --env staging."
            )
    except CenportsError:
        client.close()
        raise
    client.close()
    return cn.connect(env, profile=profile, cache=False, read_only=False)


def _examine(client: Client, out: Path, profile: str | None) -> tuple[Finding, ...]:
    """Examine the account without writing; print, save and return the findings."""
    import msgspec  # noqa: PLC0415

    from cenports_nb.api.doctor import examine  # noqa: PLC0415

    settings = client.settings
    typer.echo(f"{settings.environment} at {settings.base_url}, partner {settings.partner_id}")
    found = examine(client)
    client.dialect = found.dialect
    _print_findings(found.findings)
    try:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(found.shapes), indent=2) + b"\n")
    except OSError as error:
        raise InvalidRequestError(f"--out {out} can't be written ({error.strerror}): choose another file.") from None
    typer.echo(f"{format_count(found.requests, 'request')}; field names and types, without values, are in {out}")
    _save_learned(settings, profile, found.learned)
    return found.findings


def _probe(
    client: Client,
    sku: str,
    warehouse: str | None,
    path: Path,
    log: ExchangeLog,
    profile: str | None,
    earlier: Sequence[Finding],
) -> None:
    """Probe how the account carries out writes; print, save and record the findings."""
    from cenports_nb.submissions.probe.findings import list_findings  # noqa: PLC0415
    from cenports_nb.submissions.probe.plan import format_plan, plan_probe  # noqa: PLC0415
    from cenports_nb.submissions.probe.recording import build_recording, write_recording  # noqa: PLC0415
    from cenports_nb.submissions.probe.run import run_probe  # noqa: PLC0415

    with client.session.observe(log.add):
        plan = plan_probe(client, sku, warehouse)
    print_text(format_plan(plan))
    if client.settings.environment == "production":
        _ask_consent(sku, plan.account)
    with interruptible():
        result = run_probe(client, plan, print_status, log)
    findings = list_findings(plan, result, client.dialect)
    _print_findings(findings)
    _save_learned(client.settings, profile, {name: value for each in findings for name, value in each.learned.items()})
    write_recording(path, build_recording(plan, result, client.dialect))
    typer.echo(f"The recording, without values, is {path}: `cenports-nb sandbox --recording {path}` speaks like it.")
    _print_questions([*earlier, *findings])
    if result.stopped is not None:
        stop_command(result.stopped, result.exit_code)
    typer.echo(f"The stock of {plan.product_sku} is {plan.quantity} again.")


def _ask_consent(sku: str, account: str) -> None:
    """Let a person type the SKU, which nobody types by habit; anything else ends the command."""
    typed = typer.prompt(
        f"Type the SKU ({sku}) to write to {account}, anything else to stop", default="", show_default=False, err=True
    )
    if typed.strip() != sku:
        stop_command("Stopped: nothing was sent.", 1)


def _print_findings(findings: Sequence[Finding]) -> None:
    for finding in findings:
        typer.echo(f"  {finding.question}\n      {finding.answer or 'OPEN'} ({finding.evidence})")


def _save_learned(settings: Settings, profile: str | None, learned: Mapping[str, Any]) -> None:
    """Save the findings to the profile."""
    if settings.environment == "sandbox" and not profile:
        typer.echo("Nothing saved: a sandbox has no profile.")
        return
    path = save_profile(settings.home, settings.profile or "default", {"dialect": learned})
    typer.echo(f"What was learned is in [{settings.profile or 'default'}.dialect] of {path}")


def _print_reading_states(client: Client, learned: Collection[str] = ()) -> None:
    """Print how certain each reading is."""
    from cenports_nb.submissions.probe.reading_states import format_reading_states, list_reading_states  # noqa: PLC0415

    print_text(f"How {client.settings.environment} (partner {client.settings.partner_id}) is read:")
    print_text(format_reading_states(list_reading_states(client, learned)))


def _print_questions(findings: Sequence[Finding]) -> None:
    questions = [finding.ask for finding in findings if finding.ask]
    if questions:
        typer.echo("Ask Cenports' integration team:")
        for question in questions:
            typer.echo(f"  - {question}")
