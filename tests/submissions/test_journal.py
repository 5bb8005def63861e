"""Test the journal's file: private, durable, migrated; a write stops if the journal can't be written."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections import namedtuple
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from msgspec.structs import replace

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import JournalError
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.journal.file import find_network_filesystem
from cenports_nb.submissions.journal.migrations import FORMAT_VERSION, TABLES_V1, TABLES_V2
from cenports_nb.submissions.journal.queries import read_stock_history
from cenports_nb.submissions.journal.row_updates import RowChange
from cenports_nb.submissions.journal.store import Journal, RowsChangedError
from cenports_nb.submissions.rules.decide import Decision
from cenports_nb.submissions.rules.models import Batch, Head, Row
from cenports_nb.submissions.rules.moments import Moment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Mount = namedtuple("Mount", "mountpoint fstype opts")


def pragma(path: Path, name: str) -> object:
    with sqlite3.connect(path) as file:
        found = file.execute(f"PRAGMA {name}").fetchone()[0]
    file.close()
    return found


def test_it_is_private_and_survives_a_power_cut(home: Path) -> None:
    """Files have mode 0600, and the write-ahead log is synced with every commit."""
    journal = Journal(home)
    journal.add(HEAD, [Batch("s", 0, "W", 1)], [Row("s", 0, 0, 0, "W", "A", "TRUE_UP", 1)])
    assert {oct(path.stat().st_mode & 0o777) for path in home.glob("journal.sqlite*")} == {"0o600"}
    assert pragma(journal.path, "journal_mode") == "wal"
    assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    journal.close()


HEAD = Head("s", "stock", "staging", "https://x|P", "P", NOON.isoformat())


def test_on_a_network_it_has_a_rollback_journal(home: Path) -> None:
    """The write-ahead log needs memory shared on one machine; EXTRA syncs the folder too."""
    journal = Journal(home, network="nfs4")
    assert pragma(journal.path, "journal_mode") == "delete"
    assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 3  # EXTRA
    journal.close()


def test_two_that_open_a_new_journal_at_once(home: Path) -> None:
    """Switching to the write-ahead log needs exclusive access, which SQLite wouldn't wait for."""
    home.mkdir(exist_ok=True)
    other = sqlite3.connect(home / "journal.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with ThreadPoolExecutor() as pool:
        opened = pool.submit(Journal, home)
        assert not wait([opened], timeout=0.3).done
        other.execute("ROLLBACK")
        other.close()
        opened.result(240).close()
    assert pragma(home / "journal.sqlite", "journal_mode") == "wal"


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ([Mount("/", "ext4", "rw")], None),
        ([Mount("/", "ext4", "rw"), Mount("/home", "nfs4", "rw")], "nfs4"),
        ([Mount("/", "nfs", "rw"), Mount("/home", "ext4", "rw")], None),
        ([Mount("/", "ext4", "rw"), Mount("/home/ann/cloud", "nfs", "rw")], None),
        ([Mount("/", "ext4", "rw"), Mount("/home", "ext4", "rw"), Mount("/home", "cifs", "rw")], "cifs"),
        ([Mount("/", "NTFS", "rw,remote")], "NTFS"),
        ([Mount("/home", "fuse.sshfs", "rw,nosuid")], "fuse.sshfs"),
        ([], None),
    ],
)
def test_the_file_system_is_that_of_the_nearest_mount(mounts: list[Mount], found: str | None) -> None:
    """Of two mounts in one place the later counts; a drive the system calls remote is remote in any format."""
    assert find_network_filesystem(Path("/home/ann/cenports"), mounts) == found


def old_journal(home: Path) -> None:
    with sqlite3.connect(home / "journal.sqlite") as file:
        file.executescript(TABLES_V1)
        file.execute("PRAGMA user_version=1")
        file.execute(
            "INSERT INTO submission VALUES ('s-1','stock','staging','https://x|P','P',?,'why','C-1')",
            (NOON.isoformat(),),
        )
        batches = [
            ("s-1", n, code, state, handle)
            for n, code, state, handle in [(0, "E", "accepted", "H"), (1, "W", "in_doubt", None)]
        ]
        file.executemany(
            "INSERT INTO batch (submission_id,batch,warehouse_code,state,handle) VALUES (?,?,?,?,?)", batches
        )
        rows = [
            ("s-1", batch, row, code, sku, "TRUE_UP", 5, 4, 4, outcome, "said", None, None)
            for batch, row, code, sku, outcome in [(0, 0, "E", "0012", "pending"), (0, 1, "E", "B", "rejected"), (1, 0, "W", "A", "in_doubt")]
        ]  # fmt: skip
        file.executemany(f"INSERT INTO row VALUES ({', '.join('?' * 13)})", rows)
    file.close()


def test_a_journal_of_the_first_format_is_brought_up_to_date(home: Path) -> None:
    """Nothing is lost, every row has its place, and later changes are recorded."""
    old_journal(home)
    journal = Journal(home)
    assert pragma(journal.path, "user_version") == FORMAT_VERSION
    assert [(r.item, r.batch, r.row, r.product_sku, r.outcome, r.message) for r in journal.rows("s-1")] == [
        (0, 0, 0, "0012", "pending", "said"), (1, 0, 1, "B", "rejected", "said"), (2, 1, 0, "A", "in_doubt", "said"),
    ]  # fmt: skip
    assert [(b.place, b.rows, b.state, b.handle) for b in journal.batches("s-1")] == [
        ("E", 2, "accepted", "H"),
        ("W", 1, "in_doubt", None),
    ]
    head = journal.head("s-1")
    assert (head.reason, head.reference, head.on_stale) == ("why", "C-1", "raise")
    journal.record_poll(journal.batches("s-1")[0], "completed", [RowChange(0, "complete", {})], Moment(NOON))
    events = journal.select("SELECT item, outcome FROM event WHERE submission_id = 's-1'")
    assert [event for part in events for event in part] == [(0, "applied")]
    journal.close()
    assert cn.list_submissions()[["rows", "open", "applied", "rejected", "in_doubt"]].values.tolist() == [
        [3, 0, 1, 1, 1]
    ]


def test_damaged_text_is_an_error_of_the_journal(home: Path) -> None:
    """Bytes that aren't text, in an otherwise readable file."""
    home.mkdir(exist_ok=True)
    old_journal(home)
    with closing(Journal(home)):
        pass
    with sqlite3.connect(home / "journal.sqlite") as file:
        file.execute("UPDATE submission SET reason = CAST(X'ff41' AS TEXT)")
    with closing(Journal(home)) as journal, pytest.raises(JournalError, match=r"journal\.sqlite can't be used"):
        journal.head("s-1")


def test_a_journal_of_the_second_format_is_brought_up_to_date(home: Path) -> None:
    """Open rows can be settled: they are exposed, with their reference, and the account has one spelling."""
    home.mkdir(exist_ok=True)
    at = NOON.isoformat()
    with sqlite3.connect(home / "journal.sqlite") as file:
        file.executescript(TABLES_V2)
        file.execute("PRAGMA user_version=2")
        file.execute(
            "INSERT INTO submission VALUES ('s-2','stock','staging','HTTPS://Shop.example:443/v2/|P','P',?,'why','C-2',"
            "NULL,'raise','eve','{\"canary\":1}')",
            (at,),
        )
        file.executemany(
            "INSERT INTO batch (submission_id, batch, place, rows, state, sent_at) VALUES ('s-2', ?, 'W', 1, ?, ?)",
            [(0, "in_doubt", at), (1, "sending", at), (2, "again", at), (3, "planned", None)],
        )
        file.executemany(
            "INSERT INTO row (submission_id, item, batch, row, warehouse_code, product_sku, type, quantity, outcome) "
            "VALUES ('s-2', ?, ?, 0, 'W', ?, 'TRUE_UP', 5, ?)",
            [(0, 0, "A", "in_doubt"), (1, 1, "B", "in_doubt"), (2, 2, "C", "in_doubt"), (3, 3, "D", "not_sent")],
        )
    file.close()
    journal = Journal(home)
    head = journal.head("s-2")
    assert (head.account, head.get_detail("canary_rows")) == ("https://shop.example/v2|P", 1)
    assert [(row.exposed, row.reference, row.reason) for row in journal.rows("s-2")] == [
        (1, "C-2", "why"), (1, "C-2", "why"), (1, "C-2", "why"), (0, "C-2", "why"),
    ]  # fmt: skip
    assert [batch.state for batch in journal.batches("s-2")] == ["in_doubt", "in_doubt", "in_doubt", "planned"]
    changes = [RowChange(0, "confirm", {}), RowChange(1, "refute", {}), RowChange(2, "resolve_applied", {})]
    assert journal.change_rows("s-2", changes, Moment(NOON)) == 3
    journal.close()


def list_guards(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as file:
        found = file.execute("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index')").fetchall()
    file.close()
    return sorted(each for each in found if each[1])


def test_a_journal_of_the_fourth_format_gets_new_triggers_and_the_index_that_queries_name(home: Path) -> None:
    """Its triggers had lists that SQLite built again for every row."""
    Journal(home).close()
    expected = list_guards(home / "journal.sqlite")
    with sqlite3.connect(home / "journal.sqlite") as file:
        file.execute("DROP INDEX row_blocking")
        file.execute("CREATE INDEX row_blocking ON row (outcome) WHERE outcome IN ('not_sent', 'pending')")
        file.execute("DROP TRIGGER row_transition")
        file.execute("PRAGMA user_version=4")
    file.close()
    journal = Journal(home)
    assert list_guards(journal.path) == expected
    assert len(read_stock_history(journal, lambda _: False, "account", datetime.now(UTC), timedelta(days=1))) == 0
    journal.close()


def test_a_journal_of_the_third_format_is_brought_up_to_date(home: Path) -> None:
    """Its rows have no open demand, so none is compared; later additions are as in a new file."""
    old_journal(home)
    Journal(home).close()
    with sqlite3.connect(home / "journal.sqlite") as file:
        file.execute("ALTER TABLE row DROP COLUMN open_quantity")
        file.execute("PRAGMA user_version=3")
    file.close()
    journal = Journal(home)
    assert pragma(journal.path, "user_version") == FORMAT_VERSION
    assert [(row.product_sku, row.open_quantity) for row in journal.rows("s-1")] == [
        ("0012", None), ("B", None), ("A", None),
    ]  # fmt: skip
    journal.close()


def test_a_journal_of_a_newer_format_is_refused(home: Path) -> None:
    """An older version of the package refuses it."""
    Journal(home).close()
    with sqlite3.connect(home / "journal.sqlite") as file:
        file.execute("PRAGMA user_version=99")
    file.close()
    with pytest.raises(JournalError, match="newer version"):
        Journal(home)


def damage(path: Path) -> None:
    """Overwrite a page in the middle."""
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"garbage!" * 512)


def exchange(path: Path) -> None:
    """Replace the file."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def turn_to_garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 4000)


@pytest.mark.parametrize("harm", [damage, exchange, turn_to_garbage, Path.unlink])
def test_a_harmed_journal_stops_a_write_before_it_is_sent(
    account: Client,
    plan: Callable[..., pd.DataFrame],
    writes: Callable[[], list[list[str]]],
    home: Path,
    harm: Callable[[Path], None],
) -> None:
    """It is damaged, replaced or deleted while open: one clear line, and no write is sent."""
    cn.submit_updates(account, plan("0003")).wait()
    path = home / "journal.sqlite"
    get_context(account).journal._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    updates = plan("0011")
    harm(path)
    with pytest.raises(JournalError, match=r"Nothing was sent|can't be used") as caught:
        cn.submit_updates(account, updates)
    assert "\n" not in str(caught.value)
    assert writes() == [["0003"]]


def test_a_home_that_is_a_file_stops_a_write(
    northwind: Sandbox,
    home: Path,
    writes: Callable[[], list[list[str]]],
    connect: Callable[..., Client],
    plan: Callable[..., pd.DataFrame],
) -> None:
    """The error is that of a folder that can't be written."""
    updates = plan("0003")
    client = connect(cache=False)
    client.home = home / "a-file"
    client.home.write_text("")
    with pytest.raises(JournalError, match="can't be used"):
        cn.submit_updates(client, updates)
    assert writes() == []


FULL_DISK = """
import os, resource, signal, sys, warnings
import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID

def limit(more):
    # Let no file grow beyond the journal's log of now and so many bytes: a full disk.
    size = os.path.getsize(client.home / "journal.sqlite-wal") + more
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
client = cn.connect(
    "staging", base_url=sys.argv[1], partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, cache=False
)
actual = cn.load_actual_stock(client).query("not is_discontinued")
counts = actual[["warehouse_code", "product_sku", "quantity"]].assign(quantity=lambda frame: frame["quantity"] + 1)
updates = cn.build_true_up(counts, actual)
cn.submit_updates(client, updates[:1], dry_run=True)  # the journal is there, and open

limit(4096)
try:
    cn.submit_updates(client, updates)
except cn.errors.JournalError as error:
    print("JournalError", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

class Filling(type(client)):
    # The disk is full when the first answer is there.
    def write(self, *arguments):
        answer = super().write(*arguments)
        limit(0)
        return answer

client.__class__ = Filling
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    submission = cn.submit_updates(client, updates[:6], batch_size=2, progress=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(submission.outcomes["outcome"].tolist(), [str(warning.message) for warning in seen])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes on this system")
@pytest.mark.slow
def test_a_full_disk_stops_a_write(northwind: Sandbox, writes: Callable[[], list[list[str]]]) -> None:
    """Before it is sent: one clear line, and nothing is sent. While it is sent: sent rows are in doubt, the others unsent.

    The second submission is returned with a warning that says why; the first left nothing in its way.
    """
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, northwind.url],
        capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ),
    )  # fmt: skip
    before, while_sending = ran.stdout.splitlines()
    assert before.startswith("JournalError The journal "), ran.stderr
    assert while_sending.startswith("['in_doubt', 'in_doubt', 'not_sent', 'not_sent', 'not_sent', 'not_sent']"), ran
    assert "stopped: The journal " in while_sending
    assert [len(batch) for batch in writes()] == [2]


def test_a_unit_of_work_may_close_its_own_journal(home: Path) -> None:
    """The garbage collector closes an unused client from any thread."""
    journal = Journal(home)
    journal.read_unit(lambda _: journal.close())
    with pytest.raises(JournalError, match="closed"):
        journal.head("s")


def test_every_change_of_a_row_is_kept_with_its_time(home: Path) -> None:
    """Triggers of the file record the history of any change."""
    journal = Journal(home)
    journal.add(
        HEAD, [Batch("s", 0, "W", 2)], [Row("s", i, 0, i, "W", sku, "TRUE_UP", 1) for i, sku in enumerate("AB")]
    )
    (batch,) = journal.batches("s")
    rows = journal.rows("s")
    decision = Decision(send=(rows[0],), withhold=(replace(rows[1], message="moved"),))
    assert journal.claim(batch, rows, decision, Moment(NOON))
    with pytest.raises(RowsChangedError):  # only one may send it
        journal.claim(batch, rows, decision, Moment(NOON))
    assert journal.record_acceptance(batch, "H", "twice", Moment(NOON))
    journal.record_poll(batch, "completed", [RowChange(0, "complete", {})], Moment(NOON))
    journal.close()
    with sqlite3.connect(home / "journal.sqlite") as file:
        events = file.execute("SELECT item, outcome, message, at FROM event ORDER BY rowid").fetchall()
        states = [state for (state,) in file.execute("SELECT state FROM batch_event ORDER BY rowid")]
    file.close()
    at = NOON.isoformat()
    assert events == [
        (1, "not_sent", "moved", at),
        (0, "sending", None, at),
        (0, "pending", None, at),
        (0, "applied", None, at),
    ]
    assert states == ["sending", "accepted", "completed"]
