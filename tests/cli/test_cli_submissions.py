"""Test `cenports-nb submissions`: reading the journal without credentials, and every way to continue."""

from __future__ import annotations

import pandas as pd
import pytest
from support.cli_shop import Shop

pytestmark = pytest.mark.slow

NAMES = ("CENPORTS_CLIENT_ID", "CENPORTS_CLIENT_SECRET", "CENPORTS_PARTNER_ID", "CENPORTS_ENVIRONMENT")


@pytest.fixture
def pending(shop: Shop) -> str:
    """Make a submission of two rows that Cenports has received but not processed."""
    shop.run("submit", shop.count({"0022": 105, "0047": 37}), "--yes", "--no-wait", "--reason", "weekly count")
    return shop.newest()


@pytest.fixture
def doubtful(shop: Shop) -> str:
    """Make a submission of one row that was applied, but whose answer was lost."""
    shop.sandbox.faults.add("lost", "PATCH /inventories")
    shop.run("submit", shop.count({"0022": 105}), "--yes")
    return shop.newest()


def test_the_journal_is_read_without_credentials(shop: Shop, pending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """list, show and history send nothing."""
    for name in NAMES:
        monkeypatch.delenv(name)
    shop.sandbox.requests.clear()
    for command in (["list"], ["show", pending], ["history", pending], ["history", "--sku", "0022"]):
        code, out, err = shop.run("submissions", *command)
        assert (code, err, pending in out or "history" in command) == (0, "", True)
    assert shop.sandbox.requests == []


@pytest.mark.parametrize(("group", "word"), [("submissions", "list"), ("cache", "info")])
def test_a_group_alone_does_its_first_command(shop: Shop, pending: str, group: str, word: str) -> None:
    """`cenports-nb submissions` lists submissions, `cenports-nb cache` shows the cache."""
    assert shop.run(group) == shop.run(group, word)


def test_no_command_shows_the_commands(shop: Shop) -> None:
    """Without a command only the help is shown."""
    code, out, err = shop.run()
    assert (code, err) == (2, "")
    assert "submissions" in out


def test_nothing_submitted_is_said(shop: Shop) -> None:
    """Reading doesn't create a journal."""
    code, out, _ = shop.run("submissions", "list")
    assert (code, "No submissions" in out) == (0, True)
    code, _, err = shop.run("submissions", "show", "2026")
    assert (code, "nothing was submitted from there" in err) == (1, True)
    assert not (shop.folder / "home" / "journal.sqlite").exists()


def test_one_is_shown_with_its_reason_and_rows(shop: Shop, pending: str) -> None:
    """It shows who, when, why, batches and rows, and can write them to a file."""
    code, out, _ = shop.run("submissions", "show", pending, "--rows", "--out", "rows.xlsx")
    assert code == 0
    assert out.startswith("stock in staging, partner SANDBOX, by ")
    assert "reason: weekly count\nreference: counts.csv " in out
    assert out.splitlines()[-1] == "2 rows in rows.xlsx"
    assert pd.read_excel(shop.folder / "rows.xlsx", dtype=str)["product_sku"].tolist() == ["0022", "0047"]


def test_one_sku_is_followed_through_its_submissions(shop: Shop, pending: str) -> None:
    """The history has old and new quantity, outcome and reason."""
    shop.run("submissions", "wait", pending)
    shop.run("submit", shop.count({"0022": 106}, "second.csv"), "--yes")
    code, _, _ = shop.run("submissions", "history", "--sku", "0022", "--out", "h.csv")
    history = pd.read_csv(shop.folder / "h.csv", dtype=str)
    applied = history[history["outcome"] == "applied"]
    assert code == 0
    assert applied[["before_quantity", "quantity"]].values.tolist() == [["104", "105"], ["105", "106"]]
    assert history["reference"].str.partition(" ")[0].unique().tolist() == ["counts.csv", "second.csv"]


def test_lists_are_filtered(shop: Shop, pending: str, doubtful: str) -> None:
    """Filters are SKU, environment and open submissions."""
    assert shop.run("submissions", "list", "--sku", "0047")[1].count("counts.csv") == 1
    assert "0 submissions" in shop.run("submissions", "list", "--env", "production")[1]
    shop.run("submissions", "wait", pending)
    open_ones = shop.run("submissions", "list", "--open")[1]
    assert (pending in open_ones, doubtful in open_ones) == (False, doubtful != pending)


def test_a_list_has_a_column_for_each_outcome(shop: Shop, pending: str) -> None:
    """Outcomes that no listed submission has are left out."""
    assert shop.run("submissions", "list")[1].splitlines()[0].split()[-4:] == ["rows", "pending", "reason", "reference"]
    shop.run("submissions", "wait", pending)
    shop.sandbox.faults.add("failed_rows", "PATCH /inventories", rows=(0,))
    shop.run("submit", shop.count({"0047": 38, "0059": 80}), "--yes")
    head, first, second = shop.run("submissions", "list")[1].splitlines()[:3]
    assert head.split()[-6:] == ["rows", "applied", "rejected", "unconfirmed", "reason", "reference"]
    numbers = [[word for word in line.split() if word.isdigit()][:4] for line in (first, second)]
    assert numbers[1] == ["2", "0", "1", "1"]
    assert numbers[0][2:] == ["0", "0"]


def test_waiting_for_all_of_an_account_needs_no_id(shop: Shop, pending: str) -> None:
    """Exit code 0 when every row is applied; afterwards there is nothing to wait for."""
    code, out, _ = shop.run("submissions", "wait")
    assert (code, shop.stock("0022")) == (0, 105)
    assert f"Submission {pending}: all 2 rows applied" in out
    assert shop.run("submissions", "wait")[1] == "Nothing of staging (partner SANDBOX) is pending.\n"


def test_the_environment_of_a_submission_need_not_be_named(
    shop: Shop, pending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal has the environment."""
    monkeypatch.delenv("CENPORTS_ENVIRONMENT")
    assert shop.run("submissions", "wait", pending)[0] == 0


def test_a_wait_that_ends_before_cenports_does_is_exit_code_4(shop: Shop) -> None:
    """One line says that nothing is lost."""
    shop.sandbox.state.transactions._life = pd.Timedelta("1h").to_pytimedelta()
    code, _, err = shop.run("submit", shop.count({"0022": 105}), "--yes", "--timeout", "0")
    assert code == 4
    assert "still has 1 row pending: nothing is lost" in err


def test_rows_in_doubt_are_verified(shop: Shop, doubtful: str) -> None:
    """The stock shows that the row was applied: exit code 0, and nothing is written."""
    writes = shop.writes
    assert shop.run("submissions", "verify", doubtful)[0] == 0
    assert shop.writes == writes


def test_rows_that_the_stock_cannot_decide_stay_in_doubt(shop: Shop, doubtful: str) -> None:
    """Exit code 4 and the time to try again; `resolve` closes it."""
    shop.sell("0022", 5)
    code, out, _ = shop.run("submissions", "verify", doubtful)
    assert (code, "verify again after" in out) == (4, True)
    close = ["submissions", "resolve", doubtful, "--sku", "0022", "--outcome", "applied", "--note", "seen on the shelf"]
    assert shop.run(*close)[0] == 0
    assert "says: seen on the shelf" in shop.run("submissions", "history", doubtful)[1].replace("  ", " ")


def test_a_row_of_one_warehouse_is_resolved(shop: Shop, doubtful: str) -> None:
    """--warehouse selects one of two rows; an unknown one is refused."""
    close = ["submissions", "resolve", doubtful, "--sku", "0022", "--outcome", "not_applied", "--note", "looked"]
    code, _, err = shop.run(*close, "--warehouse", "NW-WEST")
    assert (code, "0022 in NW-WEST is not in this submission" in err) == (2, True)
    assert shop.run(*close, "--warehouse", "NW-EAST")[0] == 1


def test_unsent_rows_are_resumed(shop: Shop) -> None:
    """Exit code 1 while requests are refused, then 0."""
    shop.sandbox.faults.add("too_many", "PATCH /inventories", times=None, retry_after=900)
    code, out, _ = shop.run("submit", shop.count({"0022": 105}), "--yes")
    assert (code, shop.stock("0022")) == (1, 104)
    assert f"1 not_sent (nothing of them left):\n    cenports-nb submissions resume {shop.newest()}\n" in out
    shop.sandbox.faults.clear()
    pacing = shop.folder / "home" / "pacing.sqlite"
    pacing.unlink()  # the 429 asked for a quarter of an hour
    assert shop.run("submissions", "resume", shop.newest(), "--yes")[0] == 0
    assert shop.stock("0022") == 105


def test_rejected_rows_are_retried(shop: Shop) -> None:
    """Exit code 1 with Cenports' message, then 0; without --yes nothing is sent."""
    shop.sandbox.faults.add("failed_rows", "PATCH /inventories", rows=(0,), message="No such bin.")
    code, out, _ = shop.run("submit", shop.count({"0022": 105}), "--yes")
    submission = shop.newest()
    assert (code, "0022: No such bin." in out) == (1, True)
    assert (shop.run("submissions", "retry", submission)[0], shop.writes) == (2, 1)
    code, out, _ = shop.run("submissions", "retry", submission, "--yes")
    assert (code, shop.stock("0022")) == (0, 105)


def test_nothing_to_send_again_is_said(shop: Shop, pending: str) -> None:
    """The command asks for no confirmation."""
    shop.run("submissions", "wait", pending)
    code, out, _ = shop.run("submissions", "resume", pending)
    assert (code, out.startswith("No row can be sent again with resume.")) == (0, True)


def test_a_submission_of_another_account_is_refused(shop: Shop, pending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 2; the message names its account."""
    monkeypatch.setenv("CENPORTS_PARTNER_ID", "OTHER")
    code, _, err = shop.run("submissions", "wait", pending)
    assert (code, "belongs to partner SANDBOX in staging" in err) == (2, True)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["history"], "Say which"),
        (["history", "X", "--sku", "Y"], "Say which"),
        (["resolve", "X", "--outcome", "applied", "--note", "n"], "--sku, or --order"),
        (["resolve", "X", "--outcome", "lost", "--note", "n", "--sku", "1"], "--outcome"),
        (["wait", "--timeout", "soon"], "isn't a duration"),
        (["wait", "--env", "sandbox"], "A sandbox's journal is deleted with its client"),
        (["show"], "Missing argument"),
        (["show", "X", "--out", "x.doc"], "no known ending"),
    ],
)
def test_wrong_usage_is_one_line(shop: Shop, command: list[str], words: str) -> None:
    """Exit code 2."""
    code, _, err = shop.run("submissions", *command)
    assert (code, err.count("\n")) == (2, 1)
    assert words in err
