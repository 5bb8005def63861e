"""Test `cenports-nb hand-over`, and changes of stock from a file."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from support.cli_shop import Shop


def test_orders_are_handed_over_and_acknowledged(shop: Shop) -> None:
    """The file has the channel's open orders; the next hand-over has none."""
    columns = ("Order=order_no", "SKU=product_sku", "Pieces=quantity")
    reported = [word for column in columns for word in ("--column", column)]
    code, out, err = shop.run("hand-over", "--out", "orders.csv", "--channel", "NW-NA", *reported)
    assert (code, err) == (0, "")
    assert re.match(r"5 orders, 31 lines in \S*orders\.csv; 5 acknowledged\n", out)
    assert pd.read_csv(shop.folder / "orders.csv", dtype=str)["Order"].nunique() == 5
    assert shop.run("hand-over", "--out", "next.csv", "--channel", "NW-NA")[:2] == (
        0,
        "There are no orders to hand over.\n",
    )


def test_a_file_is_repeated(shop: Shop) -> None:
    """--resend writes the same bytes again and sends nothing."""
    _, out, _ = shop.run("hand-over", "--out", "orders.csv", "--channel", "NW-NA")
    handover_id = re.search(r"Hand-over (\S+):", out)[1]
    shop.sandbox.requests.clear()
    assert shop.run("hand-over", "--out", "again.csv", "--resend", handover_id)[0] == 0
    assert (shop.folder / "again.csv").read_bytes() == (shop.folder / "orders.csv").read_bytes()
    assert shop.sandbox.requests == []


def test_production_takes_a_yes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --yes: exit code 2, and nothing is acknowledged."""
    monkeypatch.setenv("CENPORTS_ENVIRONMENT", "production")
    command = ["hand-over", "--out", "orders.csv", "--channel", "NW-NA"]
    code, _, err = shop.run(*command)
    assert (code, shop.writes, "add --yes" in err) == (2, 0, True)
    assert shop.run(*command, "--yes")[0] == 0


def test_an_acknowledgement_that_is_lost_is_exit_code_4_or_looked_into(shop: Shop) -> None:
    """The file exists, and the next run verifies what is unknown."""
    shop.sandbox.faults.add("too_many", "PATCH /orders/acknowledge", times=None, retry_after=900)
    code, _, err = shop.run("hand-over", "--out", "orders.csv", "--channel", "NW-NA")
    assert (code, (shop.folder / "orders.csv").exists()) == (4, True)
    assert "Run the command again" in err


def test_changes_from_a_file_move_the_stock(shop: Shop) -> None:
    """--differential adds the quantities, so sales in between stay subtracted."""
    (shop.folder / "moves.csv").write_text("warehouse_code,product_sku,quantity\nNW-EAST,0022,-3\nNW-EAST,0047,+5\n")
    shop.sell("0022", 4)
    code, out, _ = shop.run("submit", "moves.csv", "--yes", "--differential")
    assert (code, shop.stock("0022"), shop.stock("0047")) == (0, 97, 41)
    assert "NW-EAST    0022  100   97      -3\n" in out


def test_changes_that_are_sent_twice_are_stopped(shop: Shop) -> None:
    """A file sent twice would change the stock twice."""
    (shop.folder / "moves.csv").write_text("warehouse_code,product_sku,quantity\nNW-EAST,0022,-3\n")
    shop.run("submit", "moves.csv", "--yes", "--differential")
    code, out, _ = shop.run("submit", "moves.csv", "--yes", "--differential")
    assert (code, shop.stock("0022")) == (1, 101)
    assert "repeated: " in out


def test_a_change_in_doubt_is_never_sent_again_by_resume(shop: Shop) -> None:
    """Exit code 4, and nothing is sent: only verify can decide."""
    shop.sandbox.faults.add("lost", "PATCH /inventories")
    (shop.folder / "moves.csv").write_text("warehouse_code,product_sku,quantity\nNW-EAST,0022,-3\n")
    assert shop.run("submit", "moves.csv", "--yes", "--differential")[0] == 4
    writes = shop.writes
    code, out, _ = shop.run("submissions", "resume", shop.newest(), "--yes")
    assert (code, shop.writes, "No row can be sent again with resume" in out) == (4, writes, True)
    assert shop.run("submissions", "verify", shop.newest())[0] == 0


@pytest.mark.parametrize("option", [["--missing", "zero"], ["--basis", "net_of_open"], ["--at-count", "x.csv"]])
def test_options_of_counts_do_not_go_with_changes(shop: Shop, option: list[str]) -> None:
    """Exit code 2 and one line."""
    code, _, err = shop.run("submit", shop.count({"0022": 1}), "--yes", "--differential", *option)
    assert (code, err.count("\n"), "leave them out with --differential" in err) == (2, 1, True)


def test_a_hand_over_is_shown_like_any_submission(shop: Shop) -> None:
    """It has orders instead of SKUs, so a search by SKU doesn't find it."""
    _, out, _ = shop.run("hand-over", "--out", "orders.csv", "--channel", "NW-NA")
    handover_id = re.search(r"Hand-over (\S+):", out)[1]
    code, shown, _ = shop.run("submissions", "show", handover_id, "--rows")
    assert (code, shown.startswith("hand_over in staging")) == (0, True)
    assert "5 applied" in shown
    assert shop.run("submissions", "resume", handover_id)[:2] == (
        0, f"No row can be sent again with resume.\n{shop.run('submissions', 'verify', handover_id)[1]}",
    )  # fmt: skip
    assert (
        shop.run("submissions", "resolve", handover_id, "--order", "nothing", "--outcome", "applied", "--note", "x")[0]
        == 2
    )
