"""The last step of every loader: sort, validate, attach the provenance, warn or raise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import pandera.pandas as pa

from cenports_nb import __version__
from cenports_nb.api.retrieval.results import MissingWindow, Retrieval
from cenports_nb.errors import (
    IncompleteError,
    IncompleteWarning,
    RejectedRowsError,
    RejectedRowsWarning,
    UnexpectedAnswerError,
    UnknownFieldsWarning,
)
from cenports_nb.frames.choices import check_choice
from cenports_nb.frames.provenance import QUOTED_VALUE, Provenance, Reject, attach, build_account_key, rejects_frame
from cenports_nb.frames.schema.schemas import get_loader_dtype
from cenports_nb.frames.user_warnings import warn_user
from cenports_nb.rendering.surface import choose_wording
from cenports_nb.rendering.text import format_count

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnReject = Literal["warn", "raise"]


@dataclass(frozen=True)
class LoadOptions:
    """The parameters for the provenance, and what to do with incomplete or rejected data.

    Attributes:
        params: The parameters of the load, for the provenance.
        allow_partial: Return an incomplete frame with a warning.
        on_reject: `"warn"`, or `"raise"` if a record can't be read.
    """

    params: dict[str, Any] = field(default_factory=dict)
    allow_partial: bool = False
    on_reject: OnReject = "warn"

    def __post_init__(self) -> None:
        """Refuse another word for `on_reject`."""
        check_choice("on_reject", self.on_reject, ("warn", "raise"))


def build_frame(
    columns: dict[str, Any],
    model: type[pa.DataFrameModel],
    choose: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame,
) -> pd.DataFrame:
    """Build and validate a frame from columns whose rows are in order."""
    frame = pd.DataFrame({name: columns[name] for name in model.to_schema().columns}, copy=False)
    return validate(choose(frame).reset_index(drop=True), model)


def sort_frame(frame: pd.DataFrame, by: list[str], model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Sort rows, order columns, and validate."""
    frame = frame.sort_values(by, kind="stable", ignore_index=True)
    return validate(frame[list(model.to_schema().columns)], model)


def validate(frame: pd.DataFrame, model: type[pa.DataFrameModel]) -> pd.DataFrame:
    """Validate a frame that was just built; a failure is a bug here or a change at Cenports."""
    dtypes, other_rules = _split_schema(model)
    is_exact = list(frame.columns) == list(dtypes) and list(frame.dtypes) == list(dtypes.values())
    try:
        return other_rules.validate(frame, lazy=True) if is_exact else model.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as failed:
        first = failed.failure_cases.iloc[0]
        raise UnexpectedAnswerError(
            f"The answers don't fit {model.__name__}: {first['column']} fails {first['check']} "
            f"({format_count(len(failed.failure_cases), 'case')}). Please report this with the package version, {__version__}."
        ) from None


@cache
def _split_schema(model: type[pa.DataFrameModel]) -> tuple[dict[str, Any], pa.DataFrameSchema]:
    """Split a schema into the dtypes of its columns, in order, and the columns with further rules.

    pandera takes 0.2 ms for a column without rules: 6 ms for a frame of orders.
    """
    schema = model.to_schema()
    dtypes = {name: get_loader_dtype(column.dtype) for name, column in schema.columns.items()}
    free = [name for name, column in schema.columns.items() if column.nullable and not (column.checks or column.unique)]
    free = [name for name in free if name not in (schema.unique or ())]
    other_rules = schema.remove_columns(free)
    other_rules.strict = other_rules.ordered = False
    return dtypes, other_rules.update_columns({name: {"dtype": None} for name in other_rules.columns})


def finalize(
    client: Client,
    source: str,
    retrieval: Retrieval,
    frame: pd.DataFrame,
    rejects: tuple[Reject, ...],
    options: LoadOptions,
    *,
    outside: int = 0,
    filter_doubt: str = "",
    unknown_fields: Collection[str] = (),
) -> pd.DataFrame:
    """Attach the provenance, and warn or raise if records are missing, unreadable or in doubt.

    Args:
        client: The account.
        source: The end point.
        retrieval: What was retrieved.
        frame: The resulting frame; changed in place.
        rejects: Records that could not become rows.
        options: What to do about them.
        outside: The number of rows outside the requested days.
        filter_doubt: Evidence that the filter by days means another date.
        unknown_fields: Received fields that no frame has.
    """
    found = Provenance(
        source=source,
        params={name: value for name, value in options.params.items() if value is not None},
        environment=client.settings.environment,
        partner_id=client.settings.partner_id,
        as_of=retrieval.oldest,
        requests=retrieval.requests,
        cached=retrieval.cached,
        complete=not (retrieval.missing or filter_doubt),
        rows=len(frame),
        rejected=len(rejects),
        outside=outside,
        package_version=__version__,
    )
    attach(frame, found, rejects)
    new = sorted(name for name in set(unknown_fields) if f"{source} {name}" not in client.reported_fields)
    if new:
        client.reported_fields.update(f"{source} {name}" for name in new)
        fields = "a field" if len(new) == 1 else f"{len(new)} fields"
        warn_user(
            f"{source} sends {fields} that no frame has: {', '.join(new)}. Nothing else is lost; please report "
            "it, so that the next version has a column.",
            UnknownFieldsWarning,
        )
    if rejects:
        first = rejects[0]
        # The value that a reason quotes may be personal, and notebooks and logs keep warnings.
        reason = QUOTED_VALUE.sub(r"\1", first.reason)
        where = choose_wording(python=" See cenports_nb.rejected(frame).", terminal="")
        text = (
            f"{format_count(len(rejects), 'record')} from {source} can't be read, the first "
            f"({first.key or 'no key'}) because: {reason}.{where}"
        )
        if options.on_reject == "raise":
            account = build_account_key(found.environment, found.partner_id)
            raise RejectedRowsError(text, rejected=rejects_frame(rejects, account))
        warn_user(text, RejectedRowsWarning)
    if retrieval.missing:
        missing = build_missing_frame(source, retrieval.missing)
        text = f"{source} is incomplete in {format_count(len(missing), 'window')}, the first: {retrieval.missing[0].reason}."
        if not options.allow_partial:
            details = (
                f"The error's .partial has {format_count(len(frame), 'row')} that did arrive, .missing the windows that "
                "did not."
            )
            raise IncompleteError(
                f"{text} {choose_wording(python=details, terminal='Run it again later.')}",
                partial=frame,
                missing=missing,
            )
        warn_user(text, IncompleteWarning)
    if filter_doubt:
        warn_user(f"{filter_doubt}. Ask for more days on both sides.", IncompleteWarning)
    return frame


def build_missing_frame(source: str, missing: Sequence[MissingWindow]) -> pd.DataFrame:
    """Build the frame of what is missing: `source channel_id start end reason`."""
    windows = [each.window for each in missing]
    return pd.DataFrame(
        {
            "source": pd.Series([source] * len(missing), dtype="str"),
            "channel_id": pd.Series([window.channel_id for window in windows], dtype="str"),
            "start": pd.Series([window.start for window in windows], dtype="datetime64[us]"),
            "end": pd.Series([window.end for window in windows], dtype="datetime64[us]"),
            "reason": pd.Series([each.reason for each in missing], dtype="str"),
        }
    )
