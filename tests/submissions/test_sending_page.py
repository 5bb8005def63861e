"""Test that the page on sending shows the real output and numbers of a sandbox."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.fake_clock import FakeClock

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import StaleStockError
from cenports_nb.exit_codes import OUTCOME_CODES
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.rules.answers import REFUSAL_EVENTS
from cenports_nb.submissions.rules.states import BATCH_TRANSITIONS, list_outcome_pairs

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "guides" / "sending.md"
SKU, CODE = "0022", "NW-EAST"
MOVED = {"3 sold": (-3, 7), "5 delivered": (5, 15)}
"""What happened between 08:00 and 11:00, and what is on the shelf then."""


def table(first: str) -> list[dict[str, str]]:
    """Read the page's table whose first column has that header."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, *lines = re.search(rf"^\| {re.escape(first)} \|.*\n(\|.*\n)+", text, re.MULTILINE)[0].splitlines()
    cells = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in (head, *lines)]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


@pytest.fixture
def move(northwind: Sandbox) -> Callable[[int], None]:
    """Change a SKU's units on the shelf and in the books."""

    def by(units: int) -> None:
        with northwind.state.lock:
            northwind.state.settle()
            northwind.state.stock.quantities[CODE, SKU] += units

    return by


def test_the_page_shows_what_comes_out(
    account: Client, northwind: Sandbox, clock: FakeClock, move: Callable[[int], None]
) -> None:
    """Each example runs on Northwind and prints the output on the page."""
    text = PAGE.read_text(encoding="utf-8").replace("\n```\n", "\n\n")  # a fence would be taken for output
    names = {
        "client": account,
        "sandbox": northwind,
        "sell": lambda units: move(-units),
        "later": lambda minutes: clock.advance(60 * minutes),
    }
    example = doctest.DocTestParser().get_doctest(text, names, PAGE.name, str(PAGE), 0)
    with pd.option_context("display.width", 110, "display.max_columns", 20):
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(example)
    assert result.attempted > 30
    assert result.failed == 0


def case() -> list[tuple[str, str, str, str, str, str]]:
    return [
        (row["plan made"], row["at_count"], mode, moved, sent, after)
        for row in table("plan made")
        for mode in (("raise", "rebase", "drop", "force") if row["on_stale"] == "any" else (row["on_stale"],))
        for moved in MOVED
        for sent, after in [(row[f"{moved}: sent"], row[f"stock, of {MOVED[moved][1]} there"])]
    ]


@pytest.mark.parametrize(("made", "at_count", "mode", "moved", "sent", "after"), case())
def test_a_count_of_eight_sent_at_eleven(
    account: Client, stock: Callable[[str], int], move: Callable[[int], None],
    made: str, at_count: str, mode: str, moved: str, sent: str, after: str,
) -> None:  # fmt: skip
    """Each line of the table has the quantity sent, the resulting stock, and the difference to the shelf."""
    units, there = MOVED[moved]
    move(12 - stock(SKU))
    eight = cn.load_actual_stock(account, refresh=True)
    counts = pd.DataFrame({"warehouse_code": [CODE], "product_sku": [SKU], "quantity": [10]})
    early = cn.build_true_up(counts, eight)
    move(units)
    eleven = cn.load_actual_stock(account, refresh=True)
    late = cn.build_true_up(counts, eleven, at_count=eight if at_count else None)
    try:
        submission = cn.submit_updates(account, early if made == "08:00" else late, on_stale=mode)
        rows = submission.wait().outcomes.query("outcome != 'dropped'")
    except StaleStockError:
        rows = pd.DataFrame({"quantity": []})
    off = stock(SKU) - there
    far = f"{abs(off)} too {'many' if off > 0 else 'few'}" if off else "right"
    quantities = ", ".join(map(str, rows["quantity"])) or "nothing"
    assert (quantities, f"{stock(SKU)}: {far}") == (sent, after)


@pytest.mark.parametrize("row", table("sent at 11:00"), ids=lambda row: row["sent at 11:00"])
def test_a_sale_between_the_last_look_and_the_change(
    account: Client, stock: Callable[[str], int], move: Callable[[int], None], row: dict[str, str]
) -> None:
    """A TRUE_UP overwrites it, a DIFFERENTIAL doesn't; both are applied."""
    kind, units = row["sent at 11:00"].split()
    move(9 - stock(SKU))
    frame = pd.DataFrame({"warehouse_code": [CODE], "product_sku": [SKU], "quantity": [int(units)]})
    now = cn.load_actual_stock(account, refresh=True)
    updates = cn.build_true_up(frame, now) if kind == "TRUE_UP" else cn.build_differential(frame, now)
    submission = cn.submit_updates(account, updates)
    move(-1)
    outcome = submission.wait().outcomes["outcome"].tolist()
    off = stock(SKU) - 6
    assert outcome == ["applied"]
    assert (row["stock at 11:10"], row["there"], row[""]) == (
        str(stock(SKU)), "6", f"{off} too many" if off else "right",
    )  # fmt: skip


def test_the_page_covers_every_outcome_and_exit_code() -> None:
    """Each outcome has a line with its exit code."""
    assert {row["outcome"]: int(row["exit code"]) for row in table("outcome")} == OUTCOME_CODES


def test_the_page_covers_every_state() -> None:
    """Each state of a batch has a line."""
    known = {state for _, *states in BATCH_TRANSITIONS for state in states} | {"held", "dropped", "dry_run"}
    assert {row["state"] for row in table("state")} == known


def test_the_page_has_every_transition() -> None:
    """The page lists exactly the transitions between outcomes."""
    shown = {(row["from"], name.strip(" `")) for row in table("from") for name in row["to"].split(",")}
    assert shown == set(list_outcome_pairs())


def test_the_page_has_what_every_refusal_proves() -> None:
    """It lists refusals that reject, and those after which rows may be sent again."""
    rows = {row["answer"]: row["the rows"] for row in table("answer")}
    found = {
        int(status): "refuse" if outcome.startswith("rejected") else "return"
        for answer, outcome in rows.items()
        if outcome.startswith(("rejected", "not_sent"))
        for status in re.findall(r"\b\d{3}\b", answer)
    }
    assert found == dict(REFUSAL_EVENTS)
