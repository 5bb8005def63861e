"""The command that checks the set-up and asks the live account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.cli.options import EnvironmentOption, ProfileOption


def doctor(
    env: EnvironmentOption = None,
    profile: ProfileOption = None,
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
