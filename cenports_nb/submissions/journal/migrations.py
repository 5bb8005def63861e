"""The journal's format: its tables, and how an older file becomes a newer one, in one transaction.

Every change of a row's or batch's state is kept by a trigger, with its time: no code path can forget it.
"""

from __future__ import annotations

import sqlite3

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

TABLES = """
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
CREATE INDEX row_open ON row (outcome) WHERE outcome IN ('pending', 'in_doubt', 'unconfirmed');
CREATE TABLE event (
    submission_id TEXT NOT NULL, at TEXT NOT NULL, item INTEGER NOT NULL, batch INTEGER NOT NULL,
    row INTEGER NOT NULL, outcome TEXT NOT NULL, message TEXT, made_by TEXT);
CREATE INDEX event_by_submission ON event (submission_id);
CREATE TABLE batch_event (
    submission_id TEXT NOT NULL, at TEXT NOT NULL, batch INTEGER NOT NULL, state TEXT NOT NULL, status TEXT,
    errors TEXT);
CREATE INDEX batch_event_by_submission ON batch_event (submission_id);
"""

TRIGGERS = (
    """
CREATE TRIGGER row_changed AFTER UPDATE ON row
WHEN OLD.outcome IS NOT NEW.outcome OR OLD.message IS NOT NEW.message OR OLD.batch IS NOT NEW.batch
BEGIN
    INSERT INTO event VALUES (NEW.submission_id, coalesce(NEW.changed_at, ''), NEW.item, NEW.batch, NEW.row,
        NEW.outcome, NEW.message, NEW.changed_by);
END
""",
    """
CREATE TRIGGER batch_changed AFTER UPDATE ON batch
WHEN OLD.state IS NOT NEW.state OR OLD.status IS NOT NEW.status
BEGIN
    INSERT INTO batch_event VALUES (NEW.submission_id, coalesce(NEW.changed_at, ''), NEW.batch, NEW.state,
        NEW.status, NEW.errors);
END
""",
)

FORMAT_VERSION = 2


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables of an empty journal; the caller holds the transaction."""
    _execute_script(connection, TABLES)
    for trigger in TRIGGERS:
        connection.execute(trigger)
    connection.execute(f"PRAGMA user_version={FORMAT_VERSION}")


def migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring an older journal to the newest format; the caller holds the transaction."""
    if version == 1:
        for name in ("submission", "batch", "row"):
            connection.execute(f"ALTER TABLE {name} RENAME TO {name}_v1")
        create_tables(connection)
        _execute_script(connection, _FROM_V1)


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


def _execute_script(connection: sqlite3.Connection, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        connection.execute(statement)
