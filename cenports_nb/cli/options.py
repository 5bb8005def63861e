"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

EnvironmentOption = Annotated[Optional[str], typer.Option("--env", help="sandbox, staging or production.")]  # noqa: UP045 - typer
ProfileOption = Annotated[Optional[str], typer.Option("--profile", help="A named profile.")]  # noqa: UP045
OutOption = Annotated[Path, typer.Option("--out", help="The file: .csv, .xlsx or .parquet.")]
OptionalOutOption = Annotated[Optional[Path], typer.Option("--out", help="A file too: .csv, .xlsx or .parquet.")]  # noqa: UP045
StartOption = Annotated[Optional[str], typer.Option("--start", help="First day, YYYY-MM-DD.")]  # noqa: UP045
EndOption = Annotated[Optional[str], typer.Option("--end", help="Last day, YYYY-MM-DD.")]  # noqa: UP045
LastOption = Annotated[Optional[str], typer.Option("--last", help="A span that ends today, such as 30D.")]  # noqa: UP045
MaskOption = Annotated[bool, typer.Option("--mask", help="Pseudonyms instead of names, addresses, phones, e-mails.")]
TimeZoneOption = Annotated[
    str | None, typer.Option("--time-zone", help="Of instants, such as Europe/Berlin; else yours.")
]
ChannelsOption = Annotated[Optional[list[str]], typer.Option("--channel", help="Only this channel; may repeat.")]  # noqa: UP045
YesOption = Annotated[bool, typer.Option("--yes", help="Send without asking.")]
TimeoutOption = Annotated[str, typer.Option("--timeout", help="How long to wait, such as 20min.")]
