"""`submit_updates`: check an update frame, compare it with the stock, write it into the journal, send it in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pandas as pd

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.export import export
from cenports_nb.frames.loaders.stock import load_actual_stock
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.rendering.text import pluralize
from cenports_nb.stock.guards.registry import GUARDS
from cenports_nb.stock.plans.fingerprint import compute_fingerprint
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.evidence.stock_cache import StockCache
from cenports_nb.submissions.exclusions import explain_exclusions, select_included
from cenports_nb.submissions.journal.locks import hold_planning_lock, hold_sending_lock
from cenports_nb.submissions.journal.models import Head, get_user_name
from cenports_nb.submissions.journal.store import IN_MEMORY, Journal
from cenports_nb.submissions.objections import find_objections, hold_objected_rows
from cenports_nb.submissions.plan import check_whole_number, plan_batches
from cenports_nb.submissions.sending.canary import send_with_canary
from cenports_nb.submissions.sending.staleness import ON_STALE_MODES, OnStale, apply_on_stale, build_stock_check
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
    excluded = explain_exclusions(rows, left_out, get_user_name())
    shared_journal = get_context(client).journal
    shared_journal.check()
    with contextlib.ExitStack() as locks:
        with hold_planning_lock(client.home, client.settings.account):
            head = Head.create(client, "stock")
            at = client.clock.now()  # a moment too early is on the safe side
            actual = load_actual_stock(client, refresh=True)
            included = select_included(updates, excluded)
            objections = find_objections(client, included, actual, at, available=available, thresholds=thresholds)
            rows = hold_objected_rows(rows, objections, allow, on_objection)
            rows = rows.assign(held=rows["held"].fillna(excluded))
            rows = _compare_with_stock(rows, actual, on_stale)
            planned = plan_batches(
                head.submission_id,
                rows,
                batch_size=batch_size,
                canary=canary,
                before_at=at.isoformat(),
                dry_run=dry_run,
            )
            details: dict[str, Any] = {"canary": planned.canary} if planned.canary else {}
            held_file = None if dry_run else _write_held(client.home, head.submission_id, rows)
            if held_file is not None:
                details["held_file"] = str(held_file)
            head = replace(
                head,
                reason=_first_value(updates, "reason"),
                reference=_first_value(updates, "reference"),
                fingerprint=compute_fingerprint(updates),
                on_stale=on_stale,
                details=msgspec.json.encode(details).decode() if details else None,
            )
            journal = Journal(IN_MEMORY) if dry_run else shared_journal
            if not dry_run:
                locks.enter_context(hold_sending_lock(client.home, head.submission_id))
            journal.add(head, planned.batches, planned.rows())
        if dry_run:
            client.resources.callback(journal.close)
            return Submission(client, head.submission_id, journal)
        submission = Submission(client, head.submission_id)
        stock = StockCache.from_frame(client, actual, at, sorted(set(rows["warehouse_code"])))
        last_look = build_stock_check(head, stock)
        send_with_canary(client, journal, head, submission.wait_for, last_look=last_look, progress=progress)
    return submission


def _check_arguments(
    batch_size: int, on_stale: str, on_objection: str, allow: Sequence[str] | pd.DataFrame, canary: int
) -> None:
    check_whole_number("batch_size", batch_size, 1)
    check_whole_number("canary", canary, 0)
    if on_stale not in ON_STALE_MODES:
        raise InvalidRequestError(f"on_stale={on_stale!r} must be one of {', '.join(map(repr, ON_STALE_MODES))}.")
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


def _compare_with_stock(rows: pd.DataFrame, actual: pd.DataFrame, on_stale: str) -> pd.DataFrame:
    """Write the stock as it is now beside each row, and compare those that are sent."""
    now = (
        rows[STOCK_KEYS].merge(actual[[*STOCK_KEYS, "quantity"]], on=STOCK_KEYS, how="left")["quantity"].astype("Int64")
    )
    rows = rows.assign(before_quantity=now)
    sent = rows["held"].isna()
    sent_rows, before = apply_on_stale(rows[sent].reset_index(drop=True), now[sent].reset_index(drop=True), on_stale)
    sent_rows = sent_rows.assign(before_quantity=before)
    return pd.concat([sent_rows, rows[~sent]], ignore_index=True) if not sent.all() else sent_rows


def _write_held(home: Path, submission_id: str, rows: pd.DataFrame) -> Path | None:
    """Write the rows that are held into a file of their own."""
    held = rows[rows["held"].notna()]
    if held.empty:
        return None
    path = home / HELD_FOLDER / f"{submission_id}.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        export(held.rename(columns={"held": "message"}).drop(columns="before_quantity"), path, private=True)
    except (OSError, InvalidRequestError) as error:
        raise InvalidRequestError(
            f"The rows that are held back can't be kept in a file ({str(error).rstrip('.')}): nothing was sent.",
            sent=False,
        ) from None
    return path


def _first_value(updates: pd.DataFrame, name: str) -> str | None:
    if name not in updates.columns:
        return None
    known = updates[name].dropna()
    return str(known.iloc[0]) if len(known) else None
