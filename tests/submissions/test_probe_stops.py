"""Test that a write probe sends only what it should, ends at the first surprise, and can be undone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from support.fake_clock import FakeClock
from support.write_probes import RESERVED_SKU, RESERVED_STOCK, RESERVED_WAREHOUSE, move_units, probe, read_units

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.errors import GuardRailError, InvalidRequestError, ReadOnlyError
from cenports_nb.sandbox import Dialect, Sandbox
from cenports_nb.sandbox.account.transactions import TransactionStore
from cenports_nb.submissions.probe.plan import FAILING_ROW, ONE_MORE, OVERLAP, TAKE_BACK, format_plan, plan_probe

pytestmark = pytest.mark.slow

Writes = Callable[[], list[list[str]]]


@pytest.fixture
def northwind(northwind: Sandbox) -> Sandbox:
    """Start a sandbox whose writes take effect at the second reading."""
    northwind.state.transactions = TransactionStore(0.5)
    return northwind


def _open_named_submission(sentence: str, client: Client) -> cn.Submission:
    return cn.open_submission(client, re.search(r"submissions \w+ (\d{8}-\d{6}-\w{8})", sentence)[1])


def _interrupt_at(step: str) -> Callable[[str], None]:
    """Press Ctrl-C after a step."""

    def interrupt(text: str) -> None:
        if text.startswith(step):
            raise KeyboardInterrupt

    return interrupt


def test_the_plan_says_what_will_be_sent(account: Client, writes: Writes) -> None:
    """It has SKU, warehouse, values, requests and time, and sends no write."""
    text = format_plan(plan_probe(account, RESERVED_SKU))
    assert "SKU '0033' in warehouse 'NW-EAST' of staging (partner SANDBOX), which has 112 units" in text
    assert "1. own value: TRUE_UP 112\n" in text
    assert "3. failing row: DIFFERENTIAL -1 and TRUE_UP 0 of 'CENPORTS-NB-NO-SUCH-SKU'\n" in text
    assert "4. overlap: TRUE_UP 113, right after it TRUE_UP 111\n" in text
    assert "6 to 8 writes, each waited for and read back: usually minutes, at most 2.3 hours" in text
    assert "between 111 and 137" in text  # where TRUE_UP sets available stock, its 25 reserved units come on top
    assert writes() == []


@pytest.mark.parametrize(
    ("sku", "stock", "warehouse", "sentence"),
    [
        ("NOPE", None, None, "SKU 'NOPE' isn't in any warehouse"),
        (RESERVED_SKU, None, "NW-WEST", "SKU '0033' isn't in warehouse 'NW-WEST'"),
        (RESERVED_SKU, 0, None, "has 0 units in warehouse 'NW-EAST'"),
        (RESERVED_SKU, 1, None, "has 1 unit in warehouse 'NW-EAST', and the probe takes one away"),
    ],
)
def test_a_sku_that_can_not_be_probed(
    account: Client,
    northwind: Sandbox,
    writes: Writes,
    sku: str,
    stock: int | None,
    warehouse: str | None,
    sentence: str,
) -> None:
    """One sentence, and nothing is sent."""
    if stock is not None:
        move_units(northwind, stock - RESERVED_STOCK)
    with pytest.raises(InvalidRequestError, match=re.escape(sentence)):
        plan_probe(account, sku, warehouse)
    assert writes() == []


def test_a_sku_of_two_warehouses_needs_one(account: Client, northwind: Sandbox) -> None:
    """The error names them and the option."""
    row = {**northwind.state.stock.get_row(RESERVED_WAREHOUSE, RESERVED_SKU)}
    northwind.state.stock._rows["NW-WEST"][RESERVED_SKU] = row
    northwind.state.stock.quantities["NW-WEST", RESERVED_SKU] = 9
    with pytest.raises(InvalidRequestError, match="NW-EAST, NW-WEST: choose one with --warehouse CODE"):
        plan_probe(account, RESERVED_SKU)
    assert plan_probe(account, RESERVED_SKU, RESERVED_WAREHOUSE).quantity == RESERVED_STOCK


def test_nothing_is_sent_where_a_guard_objects_or_the_client_is_read_only(
    account: Client, connect: Callable[..., Client], northwind: Sandbox, writes: Writes
) -> None:
    """A discontinued SKU may not rise, and a fully reserved one may not fall."""
    with pytest.raises(
        GuardRailError, match="guard discontinued in its step 'one more', so nothing was sent: SKU '0001'"
    ):
        plan_probe(account, "0001")
    move_units(northwind, 25 - RESERVED_STOCK)
    with pytest.raises(GuardRailError, match="below_reserved"):
        plan_probe(account, RESERVED_SKU)
    with pytest.raises(ReadOnlyError):
        plan_probe(connect(read_only=True), RESERVED_SKU)
    assert writes() == []


def test_a_sku_with_an_open_change_is_refused(account: Client, plan: Callable[..., object], writes: Writes) -> None:
    """The error names the command that settles it."""
    submission = cn.submit_updates(account, plan(RESERVED_SKU))
    with pytest.raises(InvalidRequestError, match=f"submissions wait {submission.submission_id}"):
        plan_probe(account, RESERVED_SKU)
    assert len(writes()) == 1


def test_it_stops_when_another_system_changes_the_stock(account: Client, northwind: Sandbox, writes: Writes) -> None:
    """The message has the stock; the next probe takes back only its own unit."""

    def sell_after_one_more(text: str) -> None:
        if text.startswith("one more"):
            move_units(northwind, -3)

    found = probe(account, on_step=sell_after_one_more, steps=(ONE_MORE, FAILING_ROW))
    assert found.result.exit_code == 1
    assert found.result.stopped == (
        "The write probe stopped at its step 'one more': the stock is 110 instead of 113, so something else moved it. SKU "
        "'0033' in warehouse 'NW-EAST' had 112 and was last seen with 110; run `cenports-nb doctor --write-probe 0033 "
        "--warehouse NW-EAST`, which first takes back what is left of the probe, or count it."
    )
    assert len(writes()) == 1
    again = plan_probe(account, RESERVED_SKU)
    assert (again.quantity, again.steps[0].name) == (109, "take back")
    assert "1. take back: DIFFERENTIAL -1" in format_plan(again)
    assert probe(account, steps=(TAKE_BACK,)).result.stopped is None
    assert read_units(northwind) == 109
    assert plan_probe(account, RESERVED_SKU).steps[0].name == "own value"  # what was put back is no concern of the next


def test_an_interrupt_leaves_what_the_journal_shows_and_a_reversal_undoes(
    account: Client, northwind: Sandbox, stock: Callable[[str], int]
) -> None:
    """A note has the state; the journal has the submission, and its reversal restores the stock."""

    with pytest.raises(KeyboardInterrupt) as caught:
        probe(account, on_step=_interrupt_at(ONE_MORE), steps=(ONE_MORE,))
    assert "had 112 and was last seen with 113" in caught.value.__notes__[-1]
    listed = cn.list_submissions()
    assert listed["reference"].str.fullmatch(r"write probe \w{8} \d: one more").all()
    assert plan_probe(account, RESERVED_SKU).steps[0].name == "take back"
    last = cn.open_submission(account, listed["submission_id"].iloc[-1])
    cn.submit_updates(account, cn.build_reversal(last)).wait()
    assert read_units(northwind) == RESERVED_STOCK
    assert plan_probe(account, RESERVED_SKU).steps[0].name == "own value"


def test_an_interrupted_overlap_is_put_back_by_the_stock(account: Client, northwind: Sandbox) -> None:
    """The journal lacks the order of two writes; a stock that neither explains is reported."""
    northwind.dialect = Dialect(application_order="reverse")

    with pytest.raises(KeyboardInterrupt):
        probe(account, on_step=_interrupt_at(OVERLAP), steps=(OVERLAP,))
    assert read_units(northwind) == 113
    assert plan_probe(account, RESERVED_SKU).quantity == RESERVED_STOCK
    move_units(northwind, -5)
    with pytest.raises(
        InvalidRequestError, match="interrupted at its step 'overlap' and had started from 112; the stock is 108"
    ):
        plan_probe(account, RESERVED_SKU)


def test_a_lost_answer_stops_it_in_doubt(account: Client, northwind: Sandbox, clock: FakeClock) -> None:
    """Once it is settled, the next probe takes back what was applied."""
    northwind.faults.add("lost", "PATCH /inventories")
    found = probe(account, steps=(ONE_MORE,))
    assert found.result.exit_code == 4
    assert "'one more': nobody knows what became of a write" in found.result.stopped
    with pytest.raises(InvalidRequestError, match="that is in_doubt"):
        plan_probe(account, RESERVED_SKU)
    clock.sleep(1)
    _open_named_submission(found.result.stopped, account).verify()
    assert plan_probe(account, RESERVED_SKU).steps[0].name == "take back"


def test_a_transaction_that_does_not_end_stops_it(account: Client, northwind: Sandbox) -> None:
    """It is pending after the settling time."""
    northwind.state.transactions = TransactionStore(10_000.0)
    account.dialect = type(account.dialect)(settle_minutes=1)
    found = probe(account)
    assert found.result.exit_code == 4
    assert "'own value': its transaction has not ended after 1 minute" in found.result.stopped


def test_a_write_that_is_not_sent_leaves_a_known_stock(account: Client, northwind: Sandbox) -> None:
    """The stock is restored at once, and nothing stays open in the journal."""
    northwind.faults.add("too_many", "PATCH /inventories", after=1, times=8)  # as many as the sender repeats a write
    found = probe(account, steps=(ONE_MORE, FAILING_ROW))
    assert (found.result.exit_code, found.result.last_step) == (1, "failing row")
    assert "'failing row': a write was not sent" in found.result.stopped
    assert found.result.stopped.endswith("had 112 and was last seen with 112; nothing is left to put back.")
    assert cn.list_submissions()["open"].sum() == 0
    assert plan_probe(account, RESERVED_SKU).steps[0].name == "own value"


def test_a_batch_that_is_sent_again_in_halves_tells_nothing_of_its_rows(account: Client, northwind: Sandbox) -> None:
    """Its good row is applied by its own request."""
    northwind.dialect = Dialect(batch_most=1)
    found = probe(account, steps=(ONE_MORE, FAILING_ROW))
    assert found.result.stopped is None
    assert read_units(northwind) == RESERVED_STOCK
    assert "failed_applies" not in found.read(account)


def test_two_transactions_with_one_handle_stop_it(account: Client, northwind: Sandbox) -> None:
    """The probe finds that handles repeat, and ignores what such a transaction says."""
    northwind.dialect = Dialect(handle_reuse=True)
    found = probe(account, steps=(OVERLAP,))
    assert found.result.exit_code == 4
    assert "Cenports named one transaction for two batches" in found.result.stopped
    assert found.read(account)["handle_reuse"] is True
