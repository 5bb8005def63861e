"""Options that several commands share, and options of the form name=value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cenports_nb.errors import InvalidRequestError

EnvironmentOption = Annotated[str | None, typer.Option("--env", help="sandbox, staging or production.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="A named profile.")]
OutOption = Annotated[Path, typer.Option("--out", help="The file, .csv, .xlsx or .parquet.")]
OptionalOutOption = Annotated[Path | None, typer.Option("--out", help="Also write a file, .csv, .xlsx or .parquet.")]
StartOption = Annotated[str | None, typer.Option("--start", help="First day, YYYY-MM-DD.")]
EndOption = Annotated[str | None, typer.Option("--end", help="Last day, YYYY-MM-DD.")]
LastOption = Annotated[str | None, typer.Option("--last", help="A period that ends today, such as 30D.")]
MaskOption = Annotated[
    bool, typer.Option("--mask", help="Replace names, addresses, phone numbers and e-mail addresses by pseudonyms.")
]
TimeZoneOption = Annotated[
    str | None,
    typer.Option("--time-zone", help="The time zone of instants, such as Europe/Berlin; by default the account's."),
]
ChannelsOption = Annotated[list[str] | None, typer.Option("--channel", help="Only this channel; may repeat.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Send without asking.")]
TimeoutOption = Annotated[str, typer.Option("--timeout", help="How long to wait, such as 20min.")]


def parse_pair(option: str, text: str, example: str, *, at_last: bool = False) -> tuple[str, str]:
    """Split name=value.

    Args:
        option: The option's name.
        text: Its value.
        example: A valid value, for the error message.
        at_last: Split at the last equals sign, as the name may contain some, such as `="0012"`.

    Raises:
        InvalidRequestError: The value has another form.
    """
    name, equals, value = text.rpartition("=") if at_last else text.partition("=")
    if not equals or not name:
        raise InvalidRequestError(f"{option} {text!r} is no name=value, such as {option} {example}.")
    return name, value


def parse_pairs(
    option: str, texts: Sequence[str] | None, example: str, *, at_last: bool = False
) -> dict[str, str] | None:
    """Split several values; None if there are none.

    Raises:
        InvalidRequestError: A value has another form, or a name repeats.
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, value = parse_pair(option, text, example, at_last=at_last)
        if name in found:
            raise InvalidRequestError(f"{option} says {name!r} twice: say it once.")
        found[name] = value
    return found or None
