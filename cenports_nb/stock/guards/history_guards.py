"""Guards that look back: what this account was sent before, and what became of it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cenports_nb.frames.row_keys import Mask, encode_keys, index_first_rows, index_rows
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.text_columns import decode_categories, join_text
from cenports_nb.stock.guards.context import Case, Objections, of_frame
from cenports_nb.stock.plans.fingerprint import fingerprint

UNSETTLED = ("pending", "in_doubt", "unconfirmed")
LIVE = ("applied", *UNSETTLED)
NOTHING_CHANGED = ("rejected", "not_applied")
ADVICE = (
    "it may still land: .wait() for it, then plan again",
    "nobody knows whether it was applied: .verify() it, or .resolve() it",
    "its transaction failed without naming it: .verify() it, or .resolve() it",
)
"""What to do, in the order of UNSETTLED."""


def in_flight(case: Case) -> Objections | None:
    """An earlier update of a SKU may still land: in which order they are applied is not documented."""
    if case.history is None:
        return None
    open_rows = case.history[case.history["outcome"].isin(UNSETTLED)].sort_values("created_at", kind="stable")
    if not len(open_rows):
        return None
    numbered = encode_keys(
        *([frame[name].reset_index(drop=True) for name in STOCK_KEYS] for frame in (case.updates, open_rows))
    )
    latest = index_rows(numbered.rows[1], numbered.size)[numbered.rows[0]]
    rows = np.flatnonzero(latest >= 0)
    if not len(rows):
        return None
    earlier = open_rows.iloc[latest[rows]].reset_index(drop=True)
    since = earlier["created_at"].dt.strftime("%Y-%m-%d %H:%MZ").astype("str")
    which = sum(((earlier["outcome"] == word).to_numpy(dtype=np.int8) * i for i, word in enumerate(UNSETTLED)), start=0)
    sku, code = case.texts("product_sku", rows), case.texts("warehouse_code", rows)
    told = "' has an earlier update in submission ", earlier["submission_id"], ", of ", since, ", that is "
    end = earlier["outcome"], "; ", decode_categories(np.asarray(which), ADVICE)
    return case.object_to(rows, join_text("SKU '", sku, "' in warehouse '", code, *told, *end))


def repeated(case: Case) -> Objections | None:
    """The same was submitted not long ago: a cell that ran twice."""
    if case.history is None:
        return None
    limit = pd.Timedelta(case.limits.repeated)
    recent = case.history[(case.history["age_s"] <= limit.total_seconds()).to_numpy(dtype=bool)]
    if not len(recent):
        return None
    unlike = _of_another_document(case, recent)
    return _same_frame(case, recent[~unlike]) or _same_reference(case, recent) or _same_rows(case, recent[~unlike])


def _of_another_document(case: Case, recent: pd.DataFrame) -> Mask:
    """Tell which rows have a reference that none of this frame's is: two deliveries of ten units are two."""
    if "reference" not in case.updates:
        return np.zeros(len(recent), dtype=bool)
    mine = case.updates["reference"].dropna().unique()
    if not len(mine):
        return np.zeros(len(recent), dtype=bool)
    unlike: Mask = (recent["reference"].notna() & ~recent["reference"].isin(mine)).to_numpy(dtype=bool)
    return unlike


def _same_frame(case: Case, recent: pd.DataFrame) -> Objections | None:
    """The very frame was submitted, and something of it was, or may be, or may yet be applied.

    One of which a person left rows out counts as the whole: ticked otherwise, it is still the same frame.
    """
    own = {fingerprint(case.updates), case.note.whole if case.note else None} - {None}
    same = recent[recent["fingerprint"].isin(list(own)).to_numpy(dtype=bool)]
    mattered = ~same["outcome"].isin(NOTHING_CHANGED)
    ids = same.loc[mattered.to_numpy(), "submission_id"].unique()
    same = same[same["submission_id"].isin(ids).to_numpy()]
    if not len(same):
        return None
    submission, age, counts = _latest(same)
    return of_frame(
        f"The same rows were submitted {age} ago as {submission} ({counts}): this looks like a second run. Go on with that "
        f'one: open_submission(client, "{submission}"), then .resume() what was not sent or .retry() what failed; accept '
        "repeated to send them once more"
    )


def _same_reference(case: Case, recent: pd.DataFrame) -> Objections | None:
    """A document was submitted before, with some of the same SKUs."""
    if "reference" not in case.updates or not case.updates["reference"].notna().any():
        return None
    live = recent[(recent["outcome"].isin(LIVE) & recent["reference"].notna()).to_numpy(dtype=bool)]
    columns = ["reference", *STOCK_KEYS]
    numbered = encode_keys(
        *([frame[name].reset_index(drop=True) for name in columns] for frame in (case.updates, live))
    )
    mine, theirs = numbered.rows
    known = mine >= 0
    again = index_first_rows(np.where(known, mine, -1), numbered.size)[theirs] >= 0
    if not again.any():
        return None
    found = live[again]
    submission, age, counts = _latest(found)
    reference = found.loc[found["submission_id"] == submission, "reference"].iloc[0]
    return of_frame(
        f"Reference '{reference}' was submitted {age} ago as {submission}, with SKUs of this frame ({counts}): this looks "
        f'like a second run. Look at open_submission(client, "{submission}"); give a new document its own reference, or '
        "accept repeated"
    )


def _same_rows(case: Case, recent: pd.DataFrame) -> Objections | None:
    """Every row was sent before, in one submission or several."""
    live = recent[recent["outcome"].isin(LIVE).to_numpy(dtype=bool)]
    if not len(live):
        return None
    columns = [*STOCK_KEYS, "type", "quantity"]
    numbered = encode_keys(
        *([frame[name].reset_index(drop=True) for name in columns] for frame in (case.updates, live))
    )
    mine, theirs = numbered.rows
    if not (index_rows(theirs, numbered.size)[mine] >= 0).all():
        return None
    found = live[index_rows(mine, numbered.size)[theirs] >= 0]
    submission, age, counts = _latest(found)
    return of_frame(
        f"Every row of this frame was already submitted, last {age} ago in {submission} ({counts}): this looks like a "
        f'notebook run twice. Look at open_submission(client, "{submission}"), or accept repeated'
    )


def _latest(rows: pd.DataFrame) -> tuple[str, str, str]:
    """Name the youngest submission, its age, and what became of its rows."""
    age = float(rows["age_s"].min())
    submission = str(rows["submission_id"].iloc[int(rows["age_s"].argmin())])
    outcomes = rows.loc[rows["submission_id"] == submission, "outcome"].value_counts()
    counts = ", ".join(f"{many:,} {word}" for word, many in outcomes.items())
    return submission, f"{age / 3600:.1f} h" if age >= 3600 else f"{age / 60:.0f} min", counts
