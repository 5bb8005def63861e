"""The journal's format: its tables, and the migration of an older file in one transaction.

The file guards itself: triggers record every change of a row's or batch's state with its time, and refuse changes that are
not in the tables of `rules.states`, so no code can skip the one or do the other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from cenports_nb.account import normalize_account
from cenports_nb.submissions.rules.states import BLOCKING_OUTCOMES, list_batch_pairs, list_outcome_pairs

TABLES_V1 = """
CREATE TABLE submission (
    submission_id TEXT PRIMARY KEY, kind TEXT NOT NULL, environment TEXT NOT NULL, account TEXT NOT NULL,
    partner_id TEXT NOT NULL, created_at TEXT NOT NULL, reason TEXT, reference TEXT);
CREATE TABLE batch (
    submission_id TEXT NOT NULL REFERENCES submission, batch INTEGER NOT NULL, warehouse_code TEXT NOT NULL,
    state TEXT NOT NULL, handle TEXT, status TEXT, sent_at TEXT, submitted_at TEXT, completed_at TEXT,
    last_polled_at TEXT, errors TEXT, PRIMARY KEY (submission_id, batch));
CREATE TABLE row (
    submission_id TEXT NOT NULL, batch INTEGER NOT NULL, row INTEGER NOT NULL, warehouse_code TEXT NOT NULL,
    product_sku TEXT NOT NULL, type TEXT NOT NULL, quantity INTEGER NOT NULL, current_quantity INTEGER,
    before_quantity INTEGER, outcome TEXT NOT NULL, message TEXT, read_back INTEGER, read_back_at TEXT,
    PRIMARY KEY (submission_id, batch, row), FOREIGN KEY (submission_id, batch) REFERENCES batch);
"""

TABLES_V2 = """
CREATE TABLE submission (
    submission_id TEXT PRIMARY KEY, kind TEXT NOT NULL, environment TEXT NOT NULL, account TEXT NOT NULL,
    partner_id TEXT NOT NULL, created_at TEXT NOT NULL, reason TEXT, reference TEXT, fingerprint TEXT,
    on_stale TEXT NOT NULL, made_by TEXT, details TEXT);
CREATE INDEX submission_by_account ON submission (account, created_at);
CREATE TABLE batch (
    submission_id TEXT NOT NULL REFERENCES submission, batch INTEGER NOT NULL, place TEXT NOT NULL,
    rows INTEGER NOT NULL, state TEXT NOT NULL, handle TEXT, status TEXT, sent_at TEXT, submitted_at TEXT,
    completed_at TEXT, last_polled_at TEXT, errors TEXT, changed_at TEXT, PRIMARY KEY (submission_id, batch));
CREATE TABLE row (
    submission_id TEXT NOT NULL, item INTEGER NOT NULL, batch INTEGER NOT NULL, row INTEGER NOT NULL,
    warehouse_code TEXT, product_sku TEXT, type TEXT, quantity INTEGER, current_quantity INTEGER,
    before_quantity INTEGER, before_at TEXT, channel_id TEXT, order_no TEXT, payload TEXT,
    outcome TEXT NOT NULL, message TEXT, read_back INTEGER, read_back_at TEXT, changed_at TEXT, changed_by TEXT,
    PRIMARY KEY (submission_id, item), FOREIGN KEY (submission_id, batch) REFERENCES batch) WITHOUT ROWID;
CREATE INDEX row_by_batch ON row (submission_id, batch, row);
CREATE INDEX row_by_sku ON row (product_sku, warehouse_code) WHERE product_sku IS NOT NULL;
CREATE INDEX row_by_order ON row (order_no, channel_id) WHERE order_no IS NOT NULL;
CREATE TABLE event (
    submission_id TEXT NOT NULL, at TEXT NOT NULL, item INTEGER NOT NULL, batch INTEGER NOT NULL,
    row INTEGER NOT NULL, outcome TEXT NOT NULL, message TEXT, made_by TEXT);
CREATE INDEX event_by_submission ON event (submission_id);
CREATE TABLE batch_event (
    submission_id TEXT NOT NULL, at TEXT NOT NULL, batch INTEGER NOT NULL, state TEXT NOT NULL, status TEXT,
    errors TEXT);
CREATE INDEX batch_event_by_submission ON batch_event (submission_id);
"""

COLUMNS_V3 = """
ALTER TABLE batch ADD COLUMN sent_server_at TEXT;
ALTER TABLE batch ADD COLUMN sent_monotonic REAL;
ALTER TABLE batch ADD COLUMN sent_process TEXT;
ALTER TABLE row ADD COLUMN reason TEXT;
ALTER TABLE row ADD COLUMN reference TEXT;
ALTER TABLE row ADD COLUMN reserved INTEGER;
ALTER TABLE row ADD COLUMN allowed TEXT;
ALTER TABLE row ADD COLUMN exposed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE row ADD COLUMN before_position INTEGER;
CREATE INDEX batch_by_handle ON batch (lower(handle)) WHERE handle IS NOT NULL;
CREATE INDEX row_repeated ON row (exposed) WHERE exposed = 2;
CREATE INDEX row_by_reference ON row (reference) WHERE reference IS NOT NULL;
"""

COLUMNS_V4 = "ALTER TABLE row ADD COLUMN open_quantity INTEGER"

# Queries that name the index `row_blocking` must have exactly this condition. It and the triggers avoid lists after IN,
# which SQLite would rebuild for every row that it writes.
BLOCKING_CONDITION = f"({' OR '.join(f'outcome = {outcome!r}' for outcome in BLOCKING_OUTCOMES)})"


def _build_triggers() -> Iterable[str]:
    """Build the triggers that record every change, and refuse one that is not a transition."""
    outcomes = " ".join(f"{old}>{new}" for old, new in list_outcome_pairs())
    states = " ".join(f"{old}>{new}" for old, new in list_batch_pairs())
    yield """
CREATE TRIGGER row_changed AFTER UPDATE ON row
WHEN OLD.outcome IS NOT NEW.outcome OR OLD.message IS NOT NEW.message OR OLD.batch IS NOT NEW.batch
BEGIN
    INSERT INTO event VALUES (NEW.submission_id, coalesce(NEW.changed_at, ''), NEW.item, NEW.batch, NEW.row,
        NEW.outcome, NEW.message, NEW.changed_by);
END"""
    yield """
CREATE TRIGGER batch_changed AFTER UPDATE ON batch
WHEN OLD.state IS NOT NEW.state OR OLD.status IS NOT NEW.status
BEGIN
    INSERT INTO batch_event VALUES (NEW.submission_id, coalesce(NEW.changed_at, ''), NEW.batch, NEW.state,
        NEW.status, NEW.errors);
END"""
    yield f"""
CREATE TRIGGER row_transition BEFORE UPDATE OF outcome ON row
WHEN OLD.outcome IS NOT NEW.outcome AND instr(' {outcomes} ', ' ' || OLD.outcome || '>' || NEW.outcome || ' ') = 0
BEGIN
    SELECT RAISE(ABORT, 'no such transition of a row');
END"""
    yield f"""
CREATE TRIGGER batch_transition BEFORE UPDATE OF state ON batch
WHEN OLD.state IS NOT NEW.state AND instr(' {states} ', ' ' || OLD.state || '>' || NEW.state || ' ') = 0
BEGIN
    SELECT RAISE(ABORT, 'no such transition of a batch');
END"""
    yield """
CREATE TRIGGER batch_handle BEFORE UPDATE OF handle ON batch
WHEN OLD.handle IS NOT NULL AND OLD.handle IS NOT NEW.handle
BEGIN
    SELECT RAISE(ABORT, 'a batch has one transaction');
END"""
    yield """
CREATE TRIGGER row_kept BEFORE DELETE ON row
BEGIN
    SELECT RAISE(ABORT, 'rows are never deleted');
END"""


FORMAT_VERSION = 5


def create_tables(connection: sqlite3.Connection) -> None:
    """Create the tables of an empty journal; the caller holds the transaction."""
    _execute_script(connection, TABLES_V2)
    _execute_script(connection, COLUMNS_V3)
    _execute_script(connection, COLUMNS_V4)
    _guard(connection)
    connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Migrate an older journal to the current format; the caller holds the transaction."""
    if version < 3:
        _migrate_to_v3(connection, version)
    if version < 4:
        _execute_script(connection, COLUMNS_V4)
    _guard(connection)
    connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")


def _migrate_to_v3(connection: sqlite3.Connection, version: int) -> None:
    if version == 1:
        for name in ("submission", "batch", "row"):
            connection.execute(f"ALTER TABLE {name} RENAME TO {name}_v1")
        _execute_script(connection, TABLES_V2)
        _execute_script(connection, _FROM_V1)
    connection.execute("DROP INDEX IF EXISTS row_open")
    _drop_triggers(connection)
    _execute_script(connection, COLUMNS_V3)
    _execute_script(connection, _FROM_V2)
    _count_canary_rows(connection)
    _normalize_accounts(connection)


def _guard(connection: sqlite3.Connection) -> None:
    """Create the triggers, and the index of blocking rows, replacing those of an older format."""
    _drop_triggers(connection)
    connection.execute("DROP INDEX IF EXISTS row_blocking")
    connection.execute(f"CREATE INDEX row_blocking ON row (outcome) WHERE {BLOCKING_CONDITION}")
    for statement in _build_triggers():
        connection.execute(statement)


def _drop_triggers(connection: sqlite3.Connection) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")


def _count_canary_rows(connection: sqlite3.Connection) -> None:
    """Store the size of a canary as its number of rows, which come first, instead of its number of batches."""
    query = "SELECT submission_id, details FROM submission WHERE details LIKE '%\"canary\"%'"
    for submission_id, text in connection.execute(query).fetchall():
        details = json.loads(text)
        (first,) = connection.execute(
            "SELECT min(item) FROM row WHERE submission_id = ? AND batch = ?", (submission_id, details.pop("canary"))
        ).fetchone()
        (rows,) = connection.execute("SELECT count(*) FROM row WHERE submission_id = ?", (submission_id,)).fetchone()
        details["canary_rows"] = rows if first is None else first
        connection.execute(
            "UPDATE submission SET details = ? WHERE submission_id = ?", (json.dumps(details), submission_id)
        )


def _normalize_accounts(connection: sqlite3.Connection) -> None:
    """Normalize every submission's account, so that guards see earlier submissions under another spelling."""
    query = "SELECT DISTINCT account, environment FROM submission"
    for account, environment in connection.execute(query).fetchall():
        connection.execute(
            "UPDATE submission SET account = ? WHERE account = ? AND environment = ?",
            (normalize_account(account, environment), account, environment),
        )


_FROM_V1 = """
INSERT INTO submission (submission_id, kind, environment, account, partner_id, created_at, reason, reference, on_stale)
    SELECT submission_id, kind, environment, account, partner_id, created_at, reason, reference, 'raise'
    FROM submission_v1 ORDER BY rowid;
INSERT INTO batch (submission_id, batch, place, rows, state, handle, status, sent_at, submitted_at, completed_at,
        last_polled_at, errors)
    SELECT submission_id, batch, warehouse_code,
        (SELECT count(*) FROM row_v1 WHERE row_v1.submission_id = batch_v1.submission_id AND row_v1.batch = batch_v1.batch),
        state, handle, status, sent_at, submitted_at, completed_at, last_polled_at, errors
    FROM batch_v1;
INSERT INTO row (submission_id, item, batch, row, warehouse_code, product_sku, type, quantity, current_quantity,
        before_quantity, outcome, message, read_back, read_back_at)
    SELECT submission_id, row_number() OVER (PARTITION BY submission_id ORDER BY batch, row) - 1, batch, row,
        warehouse_code, product_sku, type, quantity, current_quantity, before_quantity, outcome, message, read_back,
        read_back_at
    FROM row_v1;
DROP TABLE row_v1;
DROP TABLE batch_v1;
DROP TABLE submission_v1;
"""

# Before format 3, a row being sent was in doubt, and only the submission had a reference. What may have been sent is
# exposed; a batch that was about to be sent again waits for resume() in doubt.
_FROM_V2 = """
UPDATE row SET exposed = 1 WHERE outcome = 'in_doubt';
UPDATE batch SET state = 'in_doubt' WHERE state IN ('again', 'sending');
UPDATE batch SET sent_process = 'format 2' WHERE sent_at IS NOT NULL;
UPDATE row SET reason = (SELECT reason FROM submission WHERE submission.submission_id = row.submission_id),
    reference = (SELECT reference FROM submission WHERE submission.submission_id = row.submission_id)
    WHERE product_sku IS NOT NULL;
"""


def _execute_script(connection: sqlite3.Connection, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        connection.execute(statement)
