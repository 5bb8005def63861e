"""Update frames -> batches -> sent: check, look at the stock again, write down, send, write down."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pandas as pd

from cenports_nb.errors import (
    GuardRailError,
    InvalidRequestError,
)
from cenports_nb.frames.export import export
from cenports_nb.frames.loaders.stock import load_actual_stock
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.rendering.text import format_count, pluralize
from cenports_nb.stock.demand import STOCK_KEYS
from cenports_nb.stock.guards.registry import GUARDS
from cenports_nb.stock.plans.fingerprint import fingerprint
from cenports_nb.submissions.context import desk_of, user
from cenports_nb.submissions.exclusions import left_out_of, rest_of
from cenports_nb.submissions.journal.locks import planning, sending
from cenports_nb.submissions.journal.models import Head
from cenports_nb.submissions.journal.store import MEMORY, Journal
from cenports_nb.submissions.objections import doubts_all, objections_to
from cenports_nb.submissions.plan import Plan, plan
from cenports_nb.submissions.sending import canary as canaries
from cenports_nb.submissions.sending.staleness import MODES, OnStale, Shelf, fresh_frame, last_look
from cenports_nb.submissions.submission import Submission

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnObjection = Literal["raise", "hold"]
HELD_FOLDER = "held"


def submit_updates(
    client: Client,
    updates: pd.DataFrame,
    *,
    batch_size: int = 500,
    on_stale: OnStale = "raise",
    on_objection: OnObjection = "raise",
    allow: Sequence[str] | pd.DataFrame = (),
    left_out: pd.DataFrame | None = None,
    thresholds: Mapping[str, Any] | None = None,
    available: pd.DataFrame | None = None,
    canary: int = 0,
    dry_run: bool = False,
    progress: bool | None = None,
) -> Submission:
    """Send an update frame to PATCH /inventories, a warehouse a batch.

    The frame is validated, the guards look at it, actual stock is read again, and the whole submission is
    in the journal before its first byte leaves. After that nothing raises: every row has its outcome.
    Best effort, and said so: up to 15 minutes lie between the last look at the stock and the change.

    Args:
        client: A client that is not read-only; a dry run takes any.
        updates: From `build_true_up`, `build_differential` or `build_reversal`.
        batch_size: Rows of one request at most.
        on_stale: What to do with TRUE_UP rows whose stock moved since the frame was built: `"raise"`, `"rebase"`
            (keep the difference: new stock + change), `"drop"` (leave them out), `"force"` (send as is).
        on_objection: `"hold"` sends what no guard objects to; the rest is `held`, in `.held` and in a file. Guards that
            doubt the whole frame stop everything.
        allow: Guards whose objections are accepted, by name; or a part of what `check_updates` returns, to accept these
            very objections and no others.
        left_out: Rows that a person decided not to send, `warehouse_code product_sku reason`: they are `held` with
            your name and the reason, guards look at the rest alone, and `retry()` and `resume()` never send them.
        thresholds: Other thresholds of guards, as `check_updates` takes them.
        available: Available stock, for the guards that need it (`below_reserved`, `basis`); they are silent without.
        canary: So many rows go first, are waited for and read back; the rest follows only if stock says what was sent.
        dry_run: Do everything but send, and keep nothing of it on disk.
        progress: Show a bar of batches; by default only when it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: A row that can't be sent.
        GuardRailError: A guard objects; `.objections` says to what.
        StaleStockError: Stock moved; `.stale` says where.
        JournalError: The journal can't be written.
        All of them: nothing was sent.
    """
    if not dry_run:
        client.check_writable("submit_updates")
    _check_arguments(batch_size, on_stale, on_objection, allow, canary)
    rows = check_rows(updates)
    left = left_out_of(rows, left_out, user())
    desk = desk_of(client)
    desk.journal.check()
    with contextlib.ExitStack() as locks:
        with planning(client.home, client.settings.account):
            at = client.clock.now()  # a moment too early is on the safe side
            actual = load_actual_stock(client, refresh=True)
            rest = rest_of(updates, left)
            objections = objections_to(client, rest, actual, at, available=available, thresholds=thresholds)
            rows = _guarded(rows, objections, allow, on_objection)
            rows = rows.assign(held=rows["held"].fillna(left))
            rows = _fresh(rows, actual, on_stale)
            submission_id = f"{at:%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}"
            planned = plan(
                submission_id,
                rows,
                batch_size=batch_size,
                canary=canary,
                before_at=at.isoformat(),
                dry_run=dry_run,
            )
            file = None if dry_run else _write_held(client.home, submission_id, rows)
            head = _head(client, updates, planned, on_stale, at, file)
            journal = Journal(MEMORY) if dry_run else desk.journal
            if not dry_run:
                locks.enter_context(sending(client.home, submission_id))
            journal.add(head, planned.batches, planned.rows())
        if dry_run:
            client.resources.callback(journal.close)
            return Submission(client, submission_id, journal)
        submission = Submission(client, submission_id)
        shelf = Shelf.of(client, actual, at, sorted(set(rows["warehouse_code"])))
        canaries.send(client, journal, submission, prepare=last_look(head, shelf), progress=progress)
    return submission


def _check_arguments(
    batch_size: int, on_stale: str, on_objection: str, allow: Sequence[str] | pd.DataFrame, canary: int
) -> None:
    for name, value, least in (("batch_size", batch_size, 1), ("canary", canary, 0)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise InvalidRequestError(f"{name}={value!r} must be a whole number of {least} or more.")
    if on_stale not in MODES:
        raise InvalidRequestError(f"on_stale={on_stale!r} must be one of {', '.join(map(repr, MODES))}.")
    if on_objection not in ("raise", "hold"):
        raise InvalidRequestError(f"on_objection={on_objection!r} must be 'raise' or 'hold'.")
    if isinstance(allow, pd.DataFrame):
        lacking = [name for name in (*STOCK_KEYS, "guard") if name not in allow.columns]
        if lacking:
            raise InvalidRequestError(
                f"allow lacks the {pluralize('column', len(lacking))} {', '.join(lacking)}: take rows of check_updates()."
            )
        allow = allow["guard"].tolist()
    unknown = [name for name in allow if name not in GUARDS]
    if isinstance(allow, str) or unknown:
        raise InvalidRequestError(f"allow={allow!r} must be a list of guards: {', '.join(map(repr, GUARDS))}.")


def check_rows(updates: pd.DataFrame) -> pd.DataFrame:
    """Read the columns that are sent, and refuse what can't be."""
    needed = [*STOCK_KEYS, "type", "quantity", "current_quantity"]
    rows = validate_columns(updates, schemas.StockUpdates, "updates", needed, unique=STOCK_KEYS).reset_index(drop=True)
    below = rows.index[(rows["type"] == "TRUE_UP") & (rows["quantity"] < 0)]
    if len(below):
        raise InvalidRequestError(f"A TRUE_UP can't go below 0: row {below[0]} would; mend it and submit again.")
    return rows


def _guarded(
    rows: pd.DataFrame, objections: pd.DataFrame, allow: Sequence[str] | pd.DataFrame, on_objection: str
) -> pd.DataFrame:
    """Write beside each row what a guard holds against it; None where it may go.

    Raises:
        GuardRailError: A guard objects, and its rows are not to be held, or it doubts the whole frame.
    """
    objections = objections[~_accepted(objections, allow)].reset_index(drop=True)
    of_all = doubts_all(objections)
    if len(objections) and (on_objection == "raise" or of_all.any()):
        shown = objections[of_all] if on_objection == "hold" else objections
        names = ", ".join(f'"{name}"' for name in shown["guard"].unique())
        raise GuardRailError(
            f"{format_count(len(objections), 'objection')}, the first: "
            f"{shown['message'].iloc[0].rstrip('.')}. Nothing was sent; mend the frame (the error's .objections has all), "
            f"or accept them with allow=({names},).",
            objections=objections,
        )
    texts = objections["guard"] + ": " + objections["message"]
    held = texts.groupby([objections[name] for name in STOCK_KEYS], sort=False).agg("; ".join).rename("held")
    joined = rows.merge(held.reset_index(), on=STOCK_KEYS, how="left") if len(held) else rows.assign(held=None)
    return joined.assign(held=joined["held"].astype("str"))


def _accepted(objections: pd.DataFrame, allow: Sequence[str] | pd.DataFrame) -> pd.Series[bool]:
    """Tell which objections a person accepts: all of a guard, or these very ones."""
    if not isinstance(allow, pd.DataFrame):
        return objections["guard"].isin(list(allow))
    names = [*STOCK_KEYS, "guard"]
    known = set(allow[names].astype("str").fillna("").itertuples(index=False, name=None))
    given = objections[names].astype("str").fillna("").itertuples(index=False, name=None)
    return pd.Series([each in known for each in given], dtype=bool, index=objections.index)


def _fresh(rows: pd.DataFrame, actual: pd.DataFrame, on_stale: str) -> pd.DataFrame:
    """Write the stock as it is now beside each row, and compare those that are sent."""
    now = (
        rows[STOCK_KEYS].merge(actual[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="left")["quantity"].astype("Int64")
    )
    rows = rows.assign(before_quantity=now)
    sent = rows["held"].isna()
    going, before = fresh_frame(rows[sent].reset_index(drop=True), now[sent].reset_index(drop=True), on_stale)
    going = going.assign(before_quantity=before)
    return pd.concat([going, rows[~sent]], ignore_index=True) if not sent.all() else going


def _write_held(home: Path, submission_id: str, rows: pd.DataFrame) -> Path | None:
    """Write the rows that are held into a file of their own."""
    held = rows[rows["held"].notna()]
    if held.empty:
        return None
    path = home / HELD_FOLDER / f"{submission_id}.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        export(held.rename(columns={"held": "message"}).drop(columns="before_quantity"), path)
        path.chmod(0o600)
    except OSError as error:
        raise InvalidRequestError(f"{path} can't be written ({error}): nothing was sent.", sent=False) from None
    return path


def _head(client: Client, updates: pd.DataFrame, planned: Plan, on_stale: str, at: datetime, held: Path | None) -> Head:
    details: dict[str, Any] = {}
    if planned.canary:
        details["canary"] = planned.canary
    if held is not None:
        details["held_file"] = str(held)
    return Head(
        submission_id=planned.submission_id,
        kind="stock",
        environment=client.settings.environment,
        account=client.settings.account,
        partner_id=client.settings.partner_id,
        created_at=at.isoformat(),
        reason=_first(updates, "reason"),
        reference=_first(updates, "reference"),
        fingerprint=fingerprint(updates),
        on_stale=on_stale,
        made_by=user(),
        details=msgspec.json.encode(details).decode() if details else None,
    )


def _first(updates: pd.DataFrame, name: str) -> str | None:
    if name not in updates.columns:
        return None
    known = updates[name].dropna()
    return str(known.iloc[0]) if len(known) else None
