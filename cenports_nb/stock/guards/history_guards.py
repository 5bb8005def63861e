"""Guards that check earlier submissions of the account and their outcomes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cenports_nb.frames.arrow_columns import decode_categories, join_text
from cenports_nb.frames.row_keys import IntArray, Mask, encode_keys, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.surface import name_method, name_submission
from cenports_nb.stock.guards.context import GuardContext, Objections, object_to_frame
from cenports_nb.stock.plans.update_frame import compute_fingerprint

ADVICE = {
    "pending": "wait for it with {wait}, because it may still take effect, then plan again",
    "in_doubt": "settle it with {verify} or {resolve}, because nobody knows whether it was applied",
    "unconfirmed": "settle it with {verify} or {resolve}, because its transaction ended without naming it",
    "not_sent": "send it with {resume}, or close it with {close}",
}
"""What to do with an earlier submission, by the outcome of its change, which may still take effect or be sent."""
IN_THE_WAY = tuple(ADVICE)
POSSIBLY_APPLIED = ("applied", *IN_THE_WAY)
NOTHING_CHANGED = ("rejected", "not_applied")


def in_flight(context: GuardContext) -> Objections | None:
    """Object to a SKU with an earlier open update: the order in which Cenports applies them is not documented."""
    if context.history is None:
        return None
    is_open = context.history["outcome"].isin(IN_THE_WAY)
    if not is_open.any():
        return None
    names = ["created_at", "submission_id", "outcome"]
    open_rows = context.history.loc[is_open, [*names, *STOCK_KEYS]].sort_values("created_at", kind="stable")
    codes, earlier_codes, size = _encode(STOCK_KEYS, context.updates, open_rows)
    latest = index_rows(earlier_codes, size)[codes]
    rows = np.flatnonzero(latest >= 0)
    if not len(rows):
        return None
    # Many rows share few submissions: build the text of each submission once.
    group_numbers = open_rows.groupby(names, sort=False).ngroup().to_numpy()
    texts = [
        f"' has an earlier update in submission {submission}, of {since:%Y-%m-%d %H:%MZ}, that is {outcome}; "
        + _advise(outcome, submission)
        for since, submission, outcome in open_rows[names].drop_duplicates().itertuples(index=False, name=None)
    ]
    sku, code = context.take_text("product_sku", rows), context.take_text("warehouse_code", rows)
    earlier = decode_categories(group_numbers[latest[rows]], texts)
    return context.object_to_rows(rows, join_text("SKU '", sku, "' in warehouse '", code, earlier))


def _advise(outcome: str, submission: str) -> str:
    calls = {method: name_method(method, submission) for method in ("wait", "verify", "resolve", "resume")}
    return ADVICE[outcome].format(**calls, close=name_method("resolve", submission, 'rows, "not_applied", note'))


def repeated(context: GuardContext) -> Objections | None:
    """Object to what was submitted before: a cell that ran twice, or a document that was already booked.

    A frame may be repeated after a while. A document whose rows change stock by a difference is booked only once.
    """
    if context.history is None or not len(context.history):
        return None
    limit = pd.Timedelta(context.thresholds.repeated)
    is_recent = (context.history["age_s"] <= limit.total_seconds()).to_numpy(dtype=bool)
    is_lasting = (context.history["type"] == "DIFFERENTIAL").to_numpy(dtype=bool)
    recent = context.history[is_recent]
    unrelated = recent[~_has_other_reference(context, recent)]
    return (
        _find_same_frame(context, unrelated)
        or _find_same_reference(context, context.history[is_recent | is_lasting])
        or _find_same_rows(context, unrelated)
    )


def _has_other_reference(context: GuardContext, recent: pd.DataFrame) -> Mask:
    """Mark rows with a reference that this frame lacks: two deliveries of ten units are two documents."""
    references: list[str] = [*context.updates["reference"].dropna().unique()] if "reference" in context.updates else []
    differs: Mask = bool(references) & (recent["reference"].notna() & ~recent["reference"].isin(references)).to_numpy(
        dtype=bool
    )
    return differs


def _find_same_frame(context: GuardContext, recent: pd.DataFrame) -> Objections | None:
    """Object to exactly the same frame, if a row of it was applied or may still be.

    A frame without the rows that a person left out counts as the whole frame.
    """
    own = [compute_fingerprint(context.updates)]
    if context.metadata and context.metadata.parent_fingerprint:
        own.append(context.metadata.parent_fingerprint)
    same = recent[recent["fingerprint"].isin(own).to_numpy(dtype=bool)]
    mattered = ~same["outcome"].isin(NOTHING_CHANGED)
    ids = same.loc[mattered.to_numpy(), "submission_id"].unique()
    same = same[same["submission_id"].isin(ids).to_numpy()]
    if not len(same):
        return None
    submission, age, counts = _describe_latest(same)
    return object_to_frame(
        f"The same rows were submitted {age} ago as {submission} ({counts}): this looks like a second run. Go on with that "
        f"one: {name_method('resume', submission)} sends what was not sent, {name_method('retry', submission)} what failed; "
        "accept repeated to send them once more"
    )


def _find_same_reference(context: GuardContext, recent: pd.DataFrame) -> Objections | None:
    """Object to a document that was submitted before with some of the same SKUs."""
    if "reference" not in context.updates or not context.updates["reference"].notna().any():
        return None
    applied = recent[(recent["outcome"].isin(POSSIBLY_APPLIED) & recent["reference"].notna()).to_numpy(dtype=bool)]
    codes, earlier_codes, size = _encode(["reference", *STOCK_KEYS], context.updates, applied)
    found = applied[index_rows(codes, size)[earlier_codes] >= 0]
    if not len(found):
        return None
    submission, age, counts = _describe_latest(found)
    reference = found.loc[found["submission_id"] == submission, "reference"].iloc[0]
    return object_to_frame(
        f"Reference '{reference}' was submitted {age} ago as {submission}, with SKUs of this frame ({counts}): this looks "
        f"like a second run. Look at {name_submission(submission)}; give a new document its own reference, or accept "
        "repeated"
    )


def _find_same_rows(context: GuardContext, recent: pd.DataFrame) -> Objections | None:
    """Object if every row was sent before, in one or several submissions."""
    applied = recent[recent["outcome"].isin(POSSIBLY_APPLIED).to_numpy(dtype=bool)]
    if not len(applied):
        return None
    codes, earlier_codes, size = _encode([*STOCK_KEYS, "type", "quantity"], context.updates, applied)
    if not (index_rows(earlier_codes, size)[codes] >= 0).all():
        return None
    found = applied[index_rows(codes, size)[earlier_codes] >= 0]
    submission, age, counts = _describe_latest(found)
    return object_to_frame(
        f"Every row of this frame was already submitted, last {age} ago in {submission} ({counts}): this looks like a "
        f"second run. Look at {name_submission(submission)}, or accept repeated"
    )


def _encode(columns: list[str], updates: pd.DataFrame, earlier: pd.DataFrame) -> tuple[IntArray, IntArray, int]:
    """Encode the same columns of both frames; all codes are below the last value."""
    encoded = encode_keys(*([frame[name].reset_index(drop=True) for name in columns] for frame in (updates, earlier)))
    return encoded.rows[0], encoded.rows[1], encoded.size


def _describe_latest(rows: pd.DataFrame) -> tuple[str, str, str]:
    """Describe the latest submission: its id, its age, and the outcomes of its rows."""
    age = float(rows["age_s"].min())
    submission = str(rows["submission_id"].iloc[int(rows["age_s"].argmin())])
    outcomes = rows.loc[rows["submission_id"] == submission, "outcome"].value_counts()
    counts = ", ".join(f"{count:,} {outcome}" for outcome, count in outcomes.items())
    return submission, f"{age / 3600:.1f} h" if age >= 3600 else f"{age / 60:.0f} min", counts
