"""The end of every loader: order, validate, attach the origin, speak up about what is missing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pandera.pandas as pa

from cenports_nb import __version__
from cenports_nb.api.retrieval.retrieve import MissingWindow, Retrieval
from cenports_nb.errors import (
    IncompleteError,
    IncompleteWarning,
    RejectedRowsError,
    RejectedRowsWarning,
    UnexpectedAnswerError,
    UnknownFieldsWarning,
)
from cenports_nb.frames.provenance import QUOTED, Provenance, Reject, account_name, attach, rejects_frame
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnReject = Literal["warn", "raise"]


@dataclass(frozen=True)
class Handling:
    """What to do with a frame that is not perfect."""

    params: dict[str, Any]
    allow_partial: bool = False
    on_reject: OnReject = "warn"


def framed(
    columns: dict[str, Any],
    model: type[pa.DataFrameModel],
    choose: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
) -> pd.DataFrame:
    """Make a frame of columns that are in their order already, and validate."""
    frame = pd.DataFrame({name: columns[name] for name in model.to_schema().columns}, copy=False)
    return validated(choose(frame).reset_index(drop=True), model)


def ordered(frame: pd.DataFrame, by: list[str], model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Put rows and columns into their order, and validate."""
    frame = frame.sort_values(by, kind="stable", ignore_index=True)
    return validated(frame[list(model.to_schema().columns)], model)


def validated(frame: pd.DataFrame, model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Check a frame that was just built; a failure is a bug here or news from Cenports."""
    try:
        return model.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as failed:
        first = failed.failure_cases.iloc[0]
        raise UnexpectedAnswerError(
            f"The answers don't fit {model.__name__}: {first['column']} fails {first['check']} "
            f"({len(failed.failure_cases)} cases). Please report this with the package version, {__version__}."
        ) from None


def finish(
    client: Client,
    source: str,
    read: Retrieval,
    frame: pd.DataFrame,
    rejects: tuple[Reject, ...],
    handling: Handling,
    outside: int = 0,
    doubt: str = "",
    unknown: Collection[str] = (),
) -> pd.DataFrame:
    """Attach the origin, and speak up about what is missing, unreadable or in doubt."""
    found = Provenance(
        source=source,
        params={name: value for name, value in handling.params.items() if value is not None},
        environment=client.settings.environment,
        partner_id=client.settings.partner_id,
        as_of=read.oldest,
        requests=read.requests,
        cached=read.cached,
        complete=not (read.missing or doubt),
        rows=len(frame),
        rejected=len(rejects),
        outside=outside,
        package_version=__version__,
    )
    attach(frame, found, rejects)
    new = sorted(name for name in set(unknown) if f"{source} {name}" not in client.reported_fields)
    if new:
        client.reported_fields.update(f"{source} {name}" for name in new)
        fields = "a field" if len(new) == 1 else f"{len(new)} fields"
        warnings.warn(
            f"{source} sends {fields} that no frame has: {', '.join(new)}. Nothing else is lost; please report "
            "it, so that the next version has a column.",
            UnknownFieldsWarning,
            stacklevel=3,
        )
    if rejects:
        first = rejects[0]
        # The value that a reason quotes may be personal, and warnings are kept in notebooks and logs.
        reason = QUOTED.sub(r"\1", first.reason)
        text = (
            f"{format_count(len(rejects), 'record')} from {source} can't be read, the first "
            f"({first.key or 'no key'}) because: {reason}. See cenports_nb.rejected(frame)."
        )
        if handling.on_reject == "raise":
            account = account_name(found.environment, found.partner_id)
            raise RejectedRowsError(text, rejected=rejects_frame(rejects, account))
        warnings.warn(text, RejectedRowsWarning, stacklevel=3)
    if read.missing:
        missing = _missing_frame(source, read.missing)
        text = f"{source} is incomplete in {format_count(len(missing), 'window')}, the first: {read.missing[0].reason}."
        if not handling.allow_partial:
            raise IncompleteError(
                f"{text} The error's .partial has {format_count(len(frame), 'row')} that did arrive, .missing the windows that did not.",
                partial=frame,
                missing=missing,
            )
        warnings.warn(text, IncompleteWarning, stacklevel=3)
    if doubt:
        warnings.warn(f"{doubt}. Ask for more days on both sides.", IncompleteWarning, stacklevel=3)
    return frame


def _missing_frame(source: str, missing: Sequence[MissingWindow]) -> pd.DataFrame:
    """Make a frame of holes: `source channel_id start end reason`."""
    windows = [hole.window for hole in missing]
    return pd.DataFrame(
        {
            "source": pd.Series([source] * len(missing), dtype="str"),
            "channel_id": pd.Series([window.channel_id for window in windows], dtype="str"),
            "start": pd.Series([window.start for window in windows], dtype="datetime64[us]"),
            "end": pd.Series([window.end for window in windows], dtype="datetime64[us]"),
            "reason": pd.Series([hole.reason for hole in missing], dtype="str"),
        }
    )
