"""Update frames -> batches -> sent: check, look at the stock again, write down, send, write down."""

from __future__ import annotations

import re
import uuid
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pandas as pd
from tqdm.auto import tqdm

from cenports_nb.errors import (
    ApiError,
    AuthenticationError,
    BusinessError,
    CenportsError,
    CenportsWarning,
    GuardRailError,
    InvalidRequestError,
    JournalError,
    RateLimitedError,
    StaleStockError,
    TransportError,
)
from cenports_nb.frames import schemas
from cenports_nb.frames.checks import check
from cenports_nb.frames.stock_loaders import load_actual_stock
from cenports_nb.stock.demand import KEYS
from cenports_nb.stock.guards import GUARDS, check_updates
from cenports_nb.transactions.follow import read_transaction
from cenports_nb.transactions.journal import Batch, Head, Journal, Row
from cenports_nb.transactions.submission import Submission, journal_of

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

OnStale = Literal["raise", "rebase", "drop", "force"]
MODES = ("raise", "rebase", "drop", "force")
DOUBT = "It was sent, and no answer was seen: verify() reads the stock."


def submit_updates(
    client: Client,
    updates: pd.DataFrame,
    *,
    batch_size: int = 500,
    on_stale: OnStale = "raise",
    allow: Sequence[str] = (),
    progress: bool | None = None,
) -> Submission:
    """Send an update frame to PATCH /inventories, a warehouse a batch.

    The frame is validated, the guards look at it, actual stock is read again, and the whole submission is
    in the journal before its first byte leaves. After that nothing raises: every batch has its outcome.
    Best effort, and said so: up to 15 minutes lie between the last look at the stock and the change.

    Args:
        client: A client that is not read-only.
        updates: From `build_true_up`.
        batch_size: Rows of one request at most.
        on_stale: What to do with rows whose stock moved since the frame was built: `"raise"`, `"rebase"`
            (keep the difference: new stock + change), `"drop"` (leave them out), `"force"` (send as is).
        allow: Guards whose objections are accepted, by name.
        progress: Show a bar of batches; by default only when it takes more than two seconds.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: A row that can't be sent.
        GuardRailError: A guard objects; `.objections` says to what.
        StaleStockError: Stock moved; `.stale` says where.
        JournalError: The journal can't be written.
        All of them: nothing was sent.
    """
    client.check_writable("submit_updates")
    _check_arguments(batch_size, on_stale, allow)
    optional = ("known_sku", "reason", "reference")
    updates = check(updates, schemas.StockUpdates, "updates", optional=optional, unique=KEYS).reset_index(drop=True)
    below = updates.index[(updates["type"] == "TRUE_UP") & (updates["quantity"] < 0)]
    if len(below):
        raise InvalidRequestError(f"A TRUE_UP can't go below 0: row {below[0]} would; mend it and submit again.")
    journal = journal_of(client)
    actual = load_actual_stock(client, refresh=True)
    _guard(updates, actual, allow)
    now = updates[KEYS].merge(actual[[*KEYS, "quantity"]], on=KEYS, how="left")["quantity"].astype("Int64")
    updates, now = _fresh(updates, now, on_stale)
    head = Head(
        submission_id=f"{client.clock.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:8]}",
        kind="stock",
        environment=client.settings.environment,
        account=client.settings.account,
        partner_id=client.settings.partner_id,
        created_at=client.clock.now().isoformat(),
        reason=_first(updates.get("reason")),
        reference=_first(updates.get("reference")),
    )
    batches, rows = plan_batches(head.submission_id, updates, now, batch_size)
    journal.add(head, batches, rows)
    _send_all(client, journal, batches, progress)
    return Submission(client, journal, head.submission_id)


def plan_batches(
    submission_id: str, updates: pd.DataFrame, before: pd.Series[Any], batch_size: int
) -> tuple[list[Batch], list[Row]]:
    """Cut a frame into batches of one warehouse each, in frame order."""
    batches: list[Batch] = []
    rows: list[Row] = []
    for part in _parts(updates, batch_size):
        number = len(batches)
        batches.append(Batch(submission_id, number, str(part["warehouse_code"].iloc[0])))
        names = ("warehouse_code", "product_sku", "type", "quantity", "current_quantity")
        values = zip(*(part[name].tolist() for name in names), before[part.index].tolist(), strict=True)
        rows += [
            Row(submission_id, number, place, code, sku, kind, int(quantity), _int(current), _int(now))
            for place, (code, sku, kind, quantity, current, now) in enumerate(values)
        ]
    return batches, rows


def body_of(warehouse_code: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Write a batch as PATCH /inventories takes it."""
    items = [{"productSKU": row.product_sku, "quantity": row.quantity, "type": row.type} for row in rows]
    return {"warehouseCode": warehouse_code, "inventories": items}


def verdict_of(error: CenportsError) -> tuple[str, bool]:
    """Tell what an error means for the batch it answered, and whether sending must stop.

    A refusal changed nothing. What certainly never reached Cenports was not sent. Everything else may or
    may not have been applied, so it is in doubt.
    """
    if not error.reached and not isinstance(error, TransportError):
        return "not_sent", True  # there is no token to send it with
    if isinstance(error, BusinessError) and error.status == 200:
        return "in_doubt", False
    if isinstance(error, InvalidRequestError | BusinessError):
        return "rejected", False
    if isinstance(error, AuthenticationError | RateLimitedError):
        return "not_sent", True
    if isinstance(error, TransportError):
        return ("in_doubt" if error.reached else "not_sent"), False
    if isinstance(error, ApiError):
        return ("rejected" if error.status < 500 else "in_doubt"), False
    return "in_doubt", False


def _send_all(client: Client, journal: Journal, batches: Sequence[Batch], progress: bool | None) -> None:
    """Send the batches in order, until Cenports refuses to listen.

    Raises:
        JournalError: The journal can't be written, and nothing was sent yet; later it is a warning.
    """
    bar = tqdm(total=len(batches), desc="batches", disable=progress is False, delay=0 if progress else 2, leave=False)
    any_left = False
    todo = deque(batches)
    try:
        with bar:
            while todo:
                batch = todo.popleft()
                rows = _begin(client, journal, batch)
                any_left = True
                sent = _send(client, journal, batch, rows)
                if sent == "stop":
                    return
                if sent == "too_large":
                    todo.extendleft(reversed(journal.halve(batch.submission_id, batch.batch)))
                bar.update(sent != "too_large")
    except JournalError as error:
        if not any_left:
            raise
        text = f"Sending stopped: {error} What was sent is in doubt or pending, the rest is not sent."
        warnings.warn(text, CenportsWarning, stacklevel=3)


def _begin(client: Client, journal: Journal, batch: Batch) -> list[Row]:
    """Write down that a batch is about to leave; its rows are in doubt if the process dies from here on."""
    rows = journal.rows(batch.submission_id, batch.batch)
    client.write_started(_write_id(batch))
    sent_at = client.clock.now().isoformat()
    outcomes = _all(rows, "in_doubt", DOUBT)
    journal.set_batch(batch.submission_id, batch.batch, outcomes=outcomes, state="sending", sent_at=sent_at)
    return rows


def _send(client: Client, journal: Journal, batch: Batch, rows: Sequence[Row]) -> Literal["on", "stop", "too_large"]:
    """Send one batch and write down what became of it; say whether to go on."""
    sent_at = client.clock.now().isoformat()
    stop, too_large = False, False
    try:
        answer = client.send("PATCH", "/inventories", body_of(batch.warehouse_code, rows))
        heard = read_transaction(answer.body, "PATCH /inventories")
        outcomes = _all(rows, "pending", None)
        changes: dict[str, Any] = {
            "state": "accepted",
            "handle": str(heard.handle),
            "status": heard.status.strip().upper() or None,
            "submitted_at": heard.submitted_at or sent_at,
        }
    except CenportsError as error:
        state, stop = verdict_of(error)
        too_large = len(rows) > 1 and _is_too_large(error)
        outcomes = _all(rows, state, DOUBT if state == "in_doubt" else str(error))
        errors = error.errors if isinstance(error, InvalidRequestError | BusinessError) else [str(error)]
        changes = {"state": state, "submitted_at": sent_at, "errors": msgspec.json.encode(errors).decode()}
        if state != "in_doubt":
            client.write_ended(_write_id(batch))
    journal.set_batch(batch.submission_id, batch.batch, outcomes=outcomes, **changes)
    return "too_large" if too_large else "stop" if stop else "on"


def _is_too_large(error: CenportsError) -> bool:
    """Tell a refusal of the number of rows from one of the rows themselves."""
    if isinstance(error, InvalidRequestError):
        texts = error.errors.get("inventories", ())
        return any(re.search(r"\d|many|more than|max", text, re.IGNORECASE) for text in texts)
    return isinstance(error, ApiError) and error.status == 413


def _write_id(batch: Batch) -> str:
    return f"{batch.submission_id}/{batch.batch}"


def _all(rows: Sequence[Row], outcome: str, message: str | None) -> list[Row]:
    return [replace(row, outcome=outcome, message=message) for row in rows]


def _parts(updates: pd.DataFrame, batch_size: int) -> Iterator[pd.DataFrame]:
    for _, of_warehouse in updates.groupby("warehouse_code", sort=False):
        for start in range(0, len(of_warehouse), batch_size):
            yield of_warehouse.iloc[start : start + batch_size]


def _check_arguments(batch_size: int, on_stale: str, allow: Sequence[str]) -> None:
    if batch_size < 1:
        raise InvalidRequestError(f"batch_size={batch_size} must be 1 or more.")
    if on_stale not in MODES:
        raise InvalidRequestError(f"on_stale={on_stale!r} must be one of {', '.join(map(repr, MODES))}.")
    unknown = [name for name in allow if name not in GUARDS]
    if isinstance(allow, str) or unknown:
        raise InvalidRequestError(f"allow={allow!r} must be a list of guards: {', '.join(map(repr, GUARDS))}.")


def _guard(updates: pd.DataFrame, actual: pd.DataFrame, allow: Sequence[str]) -> None:
    objections = check_updates(updates, actual)
    objections = objections[~objections["guard"].isin(list(allow))].reset_index(drop=True)
    if len(objections):
        names = ", ".join(f'"{name}"' for name in objections["guard"].unique())
        raise GuardRailError(
            f"{len(objections)} objections, the first: {objections['message'].iloc[0]}. Nothing was sent; mend the "
            f"frame (the error's .objections has all), or accept them with allow=({names},).",
            objections=objections,
        )


def _fresh(updates: pd.DataFrame, now: pd.Series[Any], on_stale: str) -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Compare each TRUE_UP with the stock as it is now, and do what was asked with those that moved."""
    same = (updates["current_quantity"] == now) | (updates["current_quantity"].isna() & now.isna())
    moved = ~same.fillna(value=False).astype(bool) & (updates["type"] == "TRUE_UP")
    if not moved.any() or on_stale == "force":
        return updates, now
    if on_stale == "drop":
        return updates[~moved].reset_index(drop=True), now[~moved].reset_index(drop=True)
    stale = updates.loc[moved, [*KEYS, "current_quantity", "quantity"]].assign(stock_now=now[moved])
    stale = stale[[*KEYS, "current_quantity", "stock_now", "quantity"]].reset_index(drop=True)
    wanted = now + updates["change"]
    lost = moved & (wanted.isna() | (wanted < 0)).fillna(value=True).astype(bool)
    if on_stale == "raise" or lost.any():
        first = stale.iloc[0]
        raise StaleStockError(
            f"The stock of {len(stale)} rows moved since the update frame was built, the first {first['product_sku']} in "
            f"{first['warehouse_code']} from {first['current_quantity']} to {first['stock_now']}. Nothing was sent; build "
            'the frame again, or choose on_stale="rebase", "drop" or "force".',
            stale=stale,
        )
    updates = updates.copy()
    updates.loc[moved, "quantity"] = wanted[moved].astype("int64")
    updates.loc[moved, "current_quantity"] = now[moved]
    return updates, now


def _first(texts: pd.Series[Any] | None) -> str | None:
    if texts is None:
        return None
    known = texts.dropna()
    return str(known.iloc[0]) if len(known) else None


def _int(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)
