"""Options that several commands share, and options of the form name=value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.errors import InvalidRequestError

ARGUMENT_OPTIONS = {
    "allow": "--allow",
    "at_count": "--at-count",
    "basis": "--basis",
    "batch_size": "--batch-size",
    "by": "--by",
    "canary": "--canary",
    "channel_id": "--channel",
    "columns": "--column",
    "duplicates": "--duplicates",
    "encoding": "--encoding",
    "end": "--end",
    "environment": "--env",
    "hidden_rows": "--hidden-rows",
    "last": "--last",
    "layout": "--column",
    "missing": "--missing",
    "note": "--note",
    "notify_on": "--notify-on",
    "on_objection": "--on-objection",
    "on_stale": "--on-stale",
    "out": "--out",
    "outcome": "--outcome",
    "resend": "--resend",
    "sheet": "--sheet",
    "start": "--start",
    "time_zone": "--time-zone",
    "timeout": "--timeout",
    "unknown": "--unknown",
    "warehouse_code": "--warehouse",
    "warehouse_map": "--warehouse-map",
}
"""Arguments that messages of the package name -> the options that stand for them."""

EnvironmentOption = Annotated[
    str | None, typer.Option("--env", metavar="ENVIRONMENT", help="The account: sandbox, staging or production.")
]
ProfileOption = Annotated[str | None, typer.Option("--profile", metavar="NAME", help="A profile in profiles.toml.")]
ProfilesOption = Annotated[
    list[str] | None, typer.Option("--profile", metavar="NAME", help="A profile; repeatable, for several accounts.")
]
OutOption = Annotated[Path, typer.Option("--out", metavar="FILE", help="The file to write: .csv, .xlsx or .parquet.")]
OptionalOutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Also write a file: .csv, .xlsx or .parquet.")
]
StartOption = Annotated[str | None, typer.Option("--start", metavar="DAY", help="First day, YYYY-MM-DD.")]
EndOption = Annotated[str | None, typer.Option("--end", metavar="DAY", help="Last day, YYYY-MM-DD.")]
LastOption = Annotated[
    str | None,
    typer.Option("--last", metavar="PERIOD", help="The days up to today, such as 90D; 30D if no days are given."),
]
MaskOption = Annotated[
    bool, typer.Option("--mask", help="Replace names, addresses, phones and e-mails with pseudonyms.")
]
TimeZoneOption = Annotated[
    str | None,
    typer.Option("--time-zone", metavar="ZONE", help="Time zone of instants, such as Europe/Berlin; else yours."),
]
ChannelsOption = Annotated[
    list[str] | None, typer.Option("--channel", metavar="ID", help="Only this channel; repeatable.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Send without asking for confirmation.")]
TimeoutOption = Annotated[str, typer.Option("--timeout", metavar="PERIOD", help="How long to wait, such as 20min.")]


DEFAULT_PERIOD = "30D"


def choose_period(start: str | None, end: str | None, last: str | None) -> str | None:
    """Return the period to load: the one that was given, or the default if no days are given."""
    return DEFAULT_PERIOD if start is None and end is None and last is None else last


def parse_pairs(
    option: str, texts: Sequence[str] | None, example: str, *, at_last: bool = False
) -> dict[str, str] | None:
    """Split values of the form name=value; None if there are none.

    Args:
        option: The option's name.
        texts: Its values.
        example: A valid value, for the error message.
        at_last: Split at the last equals sign, as a name may contain some, such as `="0012"`.

    Raises:
        InvalidRequestError: A value has another form, or a name repeats.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.rpartition("=") if at_last else text.partition("=")
        if not equals or not name:
            raise InvalidRequestError(f"{option} {text!r} is not name=value, such as {option} {example}.")
        if name in found:
            raise InvalidRequestError(f"{option} has {name!r} twice: give it once.")
        found[name] = value
    return found or None
