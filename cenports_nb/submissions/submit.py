"""`submit_updates`: check an update frame, compare it with the stock, record it in the journal, send it in batches."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pandas as pd
from msgspec.structs import replace

from cenports_nb.errors import IncompleteError, InvalidRequestError, StockWarning
from cenports_nb.frames.choices import check_choice, suggest_choice
from cenports_nb.frames.export.files import export
from cenports_nb.frames.loaders.stock import load_actual_stock
from cenports_nb.frames.row_keys import list_keys
from cenports_nb.frames.schema import schemas
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.frames.schema.validation import validate_columns
from cenports_nb.frames.sku_settlements import save_settlements
from cenports_nb.rendering.surface import choose_wording, name_argument
from cenports_nb.rendering.text import pluralize
from cenports_nb.stock.guards.registry import GUARDS
from cenports_nb.stock.guards.thresholds import read_thresholds
from cenports_nb.stock.plans.metadata import read_metadata
from cenports_nb.stock.plans.update_frame import compute_fingerprint
from cenports_nb.submissions.context import create_head, get_context, require_one_client
from cenports_nb.submissions.final_rows import (
    ON_STALE_MODES,
    OnStale,
    add_open_quantities,
    add_reserved,
    compare_with_stock,
    explain_exclusions,
    refuse_stale,
    select_final_rows,
)
from cenports_nb.submissions.gateway import FrameLevels
from cenports_nb.submissions.journal.file import IN_MEMORY
from cenports_nb.submissions.journal.queries import REVERSAL_DETAIL
from cenports_nb.submissions.journal.store import Journal
from cenports_nb.submissions.objections import find_objections, hold_objected_rows
from cenports_nb.submissions.plan import check_whole_number, plan_batches
from cenports_nb.submissions.rules.models import get_user_name
from cenports_nb.submissions.sending.canary import CANARY_DETAIL, send_with_canary
from cenports_nb.submissions.sending.look import OPEN_LINES_DETAIL, StockLook, StockReading, read_open_quantities
from cenports_nb.submissions.sending.sender import Sender, list_limits, list_parcels
from cenports_nb.submissions.submission import Submission

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnObjection = Literal["raise", "hold"]
HELD_FOLDER = "held"
MAX_NAMED_VALUES = 3


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
    """Send an update frame to PATCH /inventories, one warehouse per batch.

    The frame is validated and checked by the guards, actual stock is read again (and the open lines, if the plan added
    their demand back), and the whole submission is in the journal before its first byte is sent. After that nothing
    raises: every row has its outcome. It is best effort: up to 15 minutes pass between the last look at the stock and
    the change.

    Args:
        client: A client that is not read-only; any client for a dry run.
        updates: From `build_true_up`, `build_differential` or `build_reversal`. Settlements in `unknown` are remembered
            for the account.
        batch_size: Maximum rows of one request.
        on_stale: What to do with TRUE_UP rows whose stock, or open demand that was added back, changed since planning:
            `"raise"`, `"rebase"` (keep the change: new stock + change), `"drop"` (leave them out), `"force"` (send them
            unchanged). `"rebase"` raises too if stock and open demand did not fall equally.
        on_objection: `"hold"` sends rows that no guard objects to; the others are `held`, in `.held` and in a file.
            Objections to the whole frame stop everything.
        allow: Guards whose objections are accepted, by name; or rows of `check_updates`, to accept exactly these
            objections.
        left_out: Rows that a person decided not to send, `warehouse_code product_sku reason`: they are `held` with your
            name and the reason, guards check only the others, and `retry()` and `resume()` never send them.
        thresholds: Thresholds of guards that replace the defaults, as in `check_updates`.
        available: Available stock, for the guards `below_reserved` and `basis`, which don't run without it.
        canary: The number of rows to send first and read back; the rest is sent only if the stock is as sent.
        dry_run: Do everything but send, and keep nothing of it on disk.
        progress: Show a progress bar; by default at once for 25 batches or more, else after two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: A row can't be sent.
        GuardRailError: A guard objects; `.objections` has the objections.
        StaleStockError: Stock or open demand changed; `.stale` has the rows.
        IncompleteError: The stock could not be read completely, and lacks a row that is to change.
        JournalError: The journal can't be written.
        All of them: nothing was sent.

    Example:
        >>> counts = pd.DataFrame({"warehouse_code": ["NW-EAST"], "product_sku": ["0003"], "quantity": [15]})
        >>> updates = cn.build_true_up(counts, cn.load_actual_stock(client))
        >>> submission = cn.submit_updates(client, updates)
        >>> submission.wait().outcomes[["product_sku", "quantity", "outcome"]]
          product_sku  quantity  outcome
        0        0003        15  applied
    """
    require_one_client(client, "submit_updates")
    if not dry_run:
        client.check_writable("submit_updates")
    _check_arguments(batch_size, on_stale, on_objection, allow, canary)
    rows = _refuse_true_ups(client, check_rows(updates))
    excluded = explain_exclusions(rows, left_out, get_user_name())
    context = get_context(client)
    context.journal.check()
    metadata = read_metadata(updates)
    open_lines = metadata.open_lines if metadata is not None and on_stale != "force" else None
    open_quantities = read_open_quantities(context.gateway, open_lines)
    with contextlib.ExitStack() as locks:
        with context.locks.hold_planning(client.settings.account):
            began, position = context.gateway.now(), context.journal.position()
            actual = _load_stock(client, rows)
            rows = add_open_quantities(rows.assign(excluded=excluded), metadata, open_quantities)
            rows = compare_with_stock(rows, actual, on_stale)
            final = select_final_rows(updates, rows, excluded)
            objections = find_objections(client, final, actual, began.wall, available=available, thresholds=thresholds)
            rows = hold_objected_rows(rows, objections, allow, on_objection)
            refuse_stale(rows)
            rows = add_reserved(rows, actual, available)
            head = create_head(client, "stock")
            planned = plan_batches(
                head.submission_id,
                rows,
                batch_size=batch_size,
                canary=canary,
                before_at=began.wall.isoformat(),
                before_position=position,
                dry_run=dry_run,
            )
            held_file = None if dry_run else _write_held(client.home, head.submission_id, rows)
            possible: dict[str, Any] = {
                CANARY_DETAIL: planned.canary_rows or None,
                OPEN_LINES_DETAIL: open_lines,
                REVERSAL_DETAIL: metadata.reversal_of if metadata is not None else None,
                "limits": list_limits(read_thresholds(thresholds)) or None,
                "held_file": None if held_file is None else str(held_file),
            }
            details = {name: value for name, value in possible.items() if value is not None}
            head = replace(
                head,
                reason=_describe_values(updates, "reason"),
                reference=_describe_values(updates, "reference"),
                fingerprint=compute_fingerprint(updates),
                on_stale=on_stale,
                details=msgspec.json.encode(details).decode() if details else None,
            )
            if not dry_run and metadata is not None:
                _remember_settlements(client, metadata.settled)
            journal = Journal(IN_MEMORY) if dry_run else context.journal
            if not dry_run:
                locks.enter_context(context.locks.hold_sending(head.submission_id))
            journal.add(head, planned.batches, planned.rows())
        if dry_run:
            client.resources.callback(journal.close)
            return Submission(client, head.submission_id, journal)
        submission = Submission(client, head.submission_id)
        checked = StockReading(FrameLevels(actual), began, position, open_quantities)
        look = StockLook(context.gateway, journal, head, rows["warehouse_code"].unique(), open_lines, checked)
        sender = Sender(context.gateway, journal, head, look)
        send_with_canary(sender, partial(list_parcels, journal, head), submission.wait_for, progress)
    return submission


def _check_arguments(
    batch_size: int, on_stale: str, on_objection: str, allow: Sequence[str] | pd.DataFrame, canary: int
) -> None:
    check_whole_number("batch_size", batch_size, 1)
    check_whole_number("canary", canary, 0)
    check_choice("on_stale", on_stale, ON_STALE_MODES)
    check_choice("on_objection", on_objection, ("raise", "hold"))
    if isinstance(allow, pd.DataFrame):
        lacking = [name for name in (*STOCK_KEYS, "guard") if name not in allow.columns]
        if lacking:
            raise InvalidRequestError(
                f"allow lacks the {pluralize('column', len(lacking))} {', '.join(lacking)}: take rows of check_updates()."
            )
        allow = allow["guard"].tolist()
    unknown = [name for name in allow if name not in GUARDS] if isinstance(allow, Iterable) else [str(allow)]
    if isinstance(allow, str) or unknown:
        named = choose_wording(
            python=f"allow={allow!r} must be a list of guards:",
            terminal=f"{name_argument('allow', allow)}: unknown guard. Guards are",
        )
        raise InvalidRequestError(f"{named} {', '.join(map(repr, GUARDS))}{suggest_choice(unknown, GUARDS) or '.'}")


def _refuse_true_ups(client: Client, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows; refuse counts of actual stock if a TRUE_UP sets available stock."""
    if client.dialect.true_up_sets == "available" and (rows["type"] == "TRUE_UP").any():
        raise InvalidRequestError(
            "A TRUE_UP of this account sets available stock (true_up_sets of its dialect), and a count is of actual stock: "
            "nothing was sent. Submit the changes instead, with "
            f"{choose_wording(python='build_differential()', terminal='a file of changes and --differential')}.",
            sent=False,
        )
    return rows


def check_rows(updates: pd.DataFrame) -> pd.DataFrame:
    """Validate the columns that are sent or recorded, and refuse rows that can't be sent."""
    kept = ["reason", "reference"]
    needed = [*STOCK_KEYS, "type", "quantity", "current_quantity", *kept]
    rows = validate_columns(updates, schemas.StockUpdates, "updates", needed, optional=kept, unique=STOCK_KEYS)
    rows = rows.reset_index(drop=True)
    below = rows.index[(rows["type"] == "TRUE_UP") & (rows["quantity"] < 0)]
    if len(below):
        raise InvalidRequestError(f"A TRUE_UP can't go below 0: row {below[0]} would; fix it and submit again.")
    return rows


def _load_stock(client: Client, rows: pd.DataFrame) -> pd.DataFrame:
    """Load actual stock; incomplete stock is accepted if it has the rows that change.

    Raises:
        IncompleteError: It lacks one of them.
    """
    try:
        return load_actual_stock(client, refresh=True)
    except IncompleteError as error:
        levels = FrameLevels(error.partial, error)
        for key in list_keys(rows, STOCK_KEYS):
            levels.get(key)
        return error.partial


def _write_held(home: Path, submission_id: str, rows: pd.DataFrame) -> Path | None:
    """Write the held rows to a file."""
    held = rows[rows["outcome"] == "held"]
    if held.empty:
        return None
    path = home / HELD_FOLDER / f"{submission_id}.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        export(held[[*STOCK_KEYS, "type", "quantity", "current_quantity", "message"]], path, private=True)
    except (OSError, InvalidRequestError) as error:
        raise InvalidRequestError(
            f"The rows that are held back can't be kept in a file ({str(error).rstrip('.')}): nothing was sent.",
            sent=False,
        ) from None
    return path


def _remember_settlements(client: Client, settled: Mapping[str, str]) -> None:
    """Remember what unknown SKUs are; a failure only means that they are asked for again."""
    try:
        save_settlements(client.home, client.settings.account, settled)
    except OSError as error:
        warnings.warn(
            f"What {name_argument('unknown')} says can't be remembered ({error.strerror}): say it again with the next count.",
            StockWarning,
            stacklevel=3,
        )


def _describe_values(updates: pd.DataFrame, name: str) -> str | None:
    """Summarize the reasons or references of a frame, for a list of submissions; each row keeps its own."""
    if name not in updates.columns:
        return None
    known = updates[name].dropna().astype("str").unique().tolist()
    more = f" and {len(known) - MAX_NAMED_VALUES:,} more" if len(known) > MAX_NAMED_VALUES else ""
    return ", ".join(known[:MAX_NAMED_VALUES]) + more if known else None
