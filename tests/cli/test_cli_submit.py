"""Test `cenports-nb submit`: it shows a plan, sends only after a yes, and its exit code tells the outcome."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.cli_shop import Shop

import cenports_nb as cn
from cenports_nb.cli.commands import submit
from cenports_nb.frames.line_status import CLOSED_WORDS
from cenports_nb.frames.loaders import orders
from cenports_nb.sandbox import CLIENT_SECRET, Dialect, Sandbox

pytestmark = pytest.mark.slow

# Stock of Northwind that no open order reserves: 0022 104, 0047 36, 0059 79 in NW-EAST, 0018 42 in NW-WEST.


def test_a_dry_run_shows_the_plan_and_sends_nothing(shop: Shop) -> None:
    """The plan has changed rows, the largest first, and totals by warehouse."""
    file = shop.count({"0022": 105, "0047": 36, "0059": 75, "0018": 43})
    code, out, err = shop.run("submit", file, "--dry-run")
    assert (code, err, shop.writes) == (0, "", 0)
    assert out == (
        "counts.csv: warehouse_code from 'warehouse_code', product_sku from 'product_sku', quantity from 'quantity'\n"
        "3 of 4 rows of counts.csv change the stock of staging (partner SANDBOX)\n"
        "warehouse  SKU   now  new  change\n"
        "NW-EAST    0059   79   75      -4\n"
        "NW-EAST    0022  104  105      +1\n"
        "NW-WEST    0018   42   43      +1\n"
        "\n"
        "NW-EAST: 2 rows, 1 unit up, 4 units down\n"
        "NW-WEST: 1 row, 1 unit up, 0 units down\n"
        "A dry run: nothing was sent.\n"
    )


def test_a_confirmed_plan_is_sent_and_followed(shop: Shop) -> None:
    """Exit code 0: every row is applied, and the server has the counted stock."""
    code, out, err = shop.run("submit", shop.count({"0022": 105, "0018": 43}), "--yes")
    assert (code, shop.stock("0022"), shop.stock("0018")) == (0, 105, 43)
    assert "all 2 rows applied" in out
    assert err.startswith("cenports-nb: Sending to staging (partner SANDBOX) …\n")


def test_a_count_equal_to_the_stock_sends_nothing(shop: Shop) -> None:
    """A count equal to the stock ends with code 0 and writes nothing."""
    code, out, _ = shop.run("submit", shop.count({"0022": 104}), "--yes")
    assert (code, shop.writes) == (0, 0)
    assert out.endswith("Nothing to do: the stock is as counted.\n")


def test_without_a_terminal_nothing_is_sent_without_yes(shop: Shop) -> None:
    """One line, exit code 2, and no request."""
    process = shop.start("submit", shop.count({"0022": 105}), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, err = process.communicate()
    assert process.returncode == 2
    assert err == (
        "cenports-nb: Nothing was sent: there is no terminal to confirm on. Look at it with --dry-run, then send it with "
        "--yes.\n"
    )
    assert shop.sandbox.requests == []


def test_production_is_sent_to_only_with_a_yes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run uses a read-only client; writing to production needs --yes."""
    monkeypatch.setenv("CENPORTS_ENVIRONMENT", "production")
    file = shop.count({"0022": 105})
    assert shop.run("submit", file, "--dry-run")[0] == 0
    assert (shop.writes, shop.run("submit", file, "--yes")[0], shop.stock("0022")) == (0, 0, 105)


def test_a_file_that_is_sent_twice_is_stopped_by_its_reference(shop: Shop) -> None:
    """The journal has the file's name and content."""
    file = shop.count({"0022": 105, "0047": 37})
    shop.run("submit", file, "--yes", "--no-wait")
    shop.sell("0022", 1)  # the file would undo that
    code, out, _ = shop.run("submit", file, "--yes", "--allow", "in_flight")
    assert (code, shop.writes, shop.stock("0022")) == (1, 1, 104)
    assert "repeated: Reference 'counts.csv " in out


def test_another_count_of_the_same_name_is_another_document(shop: Shop) -> None:
    """The next night's file may have the same name."""
    shop.run("submit", shop.count({"0022": 105}), "--yes", "--no-wait")
    assert shop.run("submit", shop.count({"0022": 106}), "--yes", "--no-wait", "--allow", "in_flight")[0] == 4
    assert shop.stock("0022") == 106


def test_a_guard_that_objects_stops_everything(shop: Shop) -> None:
    """Exit code 1 with the objection beside the row and how to continue; a dry run does the same."""
    file = shop.count({"0022": 105, "zz9": 5})
    for way in ("--yes", "--dry-run"):
        code, out, err = shop.run("submit", file, way)
        assert (code, shop.writes) == (1, 0)
        assert "unknown_sku: SKU 'zz9' is not in warehouse 'NW-EAST'" in out
        assert "1 objection (unknown_sku): nothing was sent." in err
        assert "--allow unknown_sku or send the rest with --on-objection hold." in err


def test_a_nightly_feed_sends_the_rest_and_keeps_what_is_held(shop: Shop) -> None:
    """With --on-objection hold, the exit code is 1, and a file beside the count has the held rows to submit."""
    file = shop.count({"0022": 105, "zz9": 5})
    code, out, _ = shop.run("submit", file, "--yes", "--on-objection", "hold")
    assert (code, shop.stock("0022")) == (1, 105)
    assert "1 row held back, in " in out
    held = pd.read_csv(shop.folder / "counts-held.csv", dtype=str)
    assert held[["product_sku", "quantity"]].values.tolist() == [["zz9", "5"]]
    assert shop.run("submit", "counts-held.csv", "--dry-run", "--allow", "unknown_sku")[0] == 0


def test_a_guard_that_doubts_the_whole_file_is_not_held(shop: Shop) -> None:
    """Its objection stops all rows, and only it has to be accepted."""
    stock = shop.sandbox.state.stock.quantities
    few = {sku: units // 2 + 1 for (code, sku), units in stock.items() if code == "NW-WEST" and units > 30}
    file = shop.count({**few, "zz9": 5})
    code, _, err = shop.run("submit", file, "--yes", "--on-objection", "hold", "--allow", "below_reserved")
    assert (code, shop.writes) == (1, 0)
    assert "objection (max_total_drop): nothing was sent. Fix the file, accept them with --allow max_total_drop." in err
    code, _, err = shop.run("submit", file, "--yes", "--allow", "below_reserved")
    assert (code, shop.writes, "--on-objection hold" in err) == (1, 0, False)


def test_held_rows_never_replace_a_file(shop: Shop) -> None:
    """The second file has the submission's id in its name."""
    (shop.folder / "counts-held.csv").write_text("mine")
    shop.run("submit", shop.count({"zz9": 5}), "--yes", "--on-objection", "hold")
    assert (shop.folder / "counts-held.csv").read_text() == "mine"
    assert len(list(shop.folder.glob("counts-held-2*.csv"))) == 1


def test_rows_that_cenports_refuses_are_exit_code_1(shop: Shop) -> None:
    """The output names the row in a failed transaction, Cenports' message and how to continue."""
    shop.sandbox.faults.add("failed_rows", "PATCH /inventories", rows=(1,), message="No such bin.")
    code, out, _ = shop.run("submit", shop.count({"0022": 105, "0047": 37}), "--yes")
    assert code == 4  # the row that is not named is unconfirmed
    assert "0047: No such bin." in out
    assert f"cenports-nb submissions verify {shop.newest()}" in out
    assert f"cenports-nb submissions retry {shop.newest()}" in out


def test_an_answer_that_is_lost_is_exit_code_4(shop: Shop) -> None:
    """The row may have been applied; verify finds that it was."""
    shop.sandbox.faults.add("lost", "PATCH /inventories")
    code, out, _ = shop.run("submit", shop.count({"0022": 105}), "--yes")
    assert (code, shop.stock("0022")) == (4, 105)
    assert (
        f"1 in_doubt (no answer was seen; the stock shows what happened):\n    cenports-nb submissions verify {shop.newest()}\n"
        in out
    )


def test_rows_that_are_pending_are_exit_code_4(shop: Shop) -> None:
    """With --no-wait the output names `submissions wait`."""
    code, out, _ = shop.run("submit", shop.count({"0022": 105}), "--yes", "--no-wait", "--env", "staging")
    assert code == 4
    assert f"cenports-nb submissions wait {shop.newest()} --env staging\n" in out


def test_incomplete_stock_is_exit_code_3(shop: Shop) -> None:
    """A plan on part of the stock would take the missing SKUs for unknown ones."""
    shop.sandbox.dialect = Dialect(stock_cap=30)
    code, _, err = shop.run("submit", shop.count({"0022": 105}), "--yes")
    assert (code, shop.writes, err.count("\n")) == (3, 0, 1)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--on-stale", "maybe"], "--on-stale"),
        (["--timeout", "soon"], "--timeout 'soon' isn't a duration"),
        (["--allow", "everything"], "unknown guard"),
        (["--column", "quantity"], "is not name=value"),
        (["--column", "a=b", "--column", "a=c"], "has 'a' twice"),
        (["--column", "quantity=Counted"], "Counted"),
        (["--warehouse-map", "A=B"], "warehouse"),
        (["--env", "nowhere"], "no environment"),
        (["--canary", "-1"], "--canary"),
        (["--env", "sandbox", "--no-wait"], "leave out --no-wait"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_one_line(shop: Shop, more: list[str], words: str) -> None:
    """Nothing is sent."""
    code, _, err = shop.run("submit", shop.count({"0022": 105}), "--yes", *more)
    assert (code, shop.writes, err.count("\n")) == (2, 0, 1)
    assert words in err


def test_an_empty_count_is_no_count(shop: Shop) -> None:
    """An empty file must not look like a count equal to the stock."""
    code, _, err = shop.run("submit", shop.count({}), "--yes")
    assert (code, shop.writes) == (2, 0)
    assert "has headers and no rows" in err


def test_a_missing_file_is_named(shop: Shop) -> None:
    """The message names the file before any request."""
    code, _, err = shop.run("submit", "nowhere.csv", "--yes")
    assert (code, shop.sandbox.requests) == (2, [])
    assert "nowhere.csv can't be read" in err


def test_files_as_people_have_them_are_read(shop: Shop) -> None:
    """Files have other headers and codes, bins, UPCs, or no warehouse column."""
    (shop.folder / "bins.csv").write_text("product_upc;Counted\n000000000022;50\n000000000022;56\n")
    reported = ["--by", "product_upc", "--column", "quantity=Counted", "--duplicates", "sum", "--warehouse", "NW-EAST"]
    code, out, _ = shop.run("submit", "bins.csv", "--dry-run", *reported)
    assert code == 0
    assert "NW-EAST    0022  104  106      +2\n" in out


def test_codes_of_ones_own_are_mapped(shop: Shop) -> None:
    """--warehouse-map MINE=THEIRS may be repeated."""
    (shop.folder / "c.csv").write_text("warehouse_code,product_sku,quantity\nEast 1,0022,105\nWest 1,0018,43\n")
    reported = ["--warehouse-map", "East 1=NW-EAST", "--warehouse-map", "West 1=NW-WEST"]
    code, out, _ = shop.run("submit", "c.csv", "--dry-run", *reported)
    assert (code, "NW-WEST    0018" in out) == (0, True)


def test_a_count_of_this_morning_keeps_the_sales_since(shop: Shop) -> None:
    """--at-count reads the stock that `stock --out` wrote at the time of the count."""
    shop.run("stock", "--out", "morning.csv")
    shop.sell("0022", 3)
    code, out, _ = shop.run("submit", shop.count({"0022": 102}), "--dry-run", "--at-count", "morning.csv")
    assert (code, "NW-EAST    0022  101   99      -2\n" in out) == (0, True)


def test_a_file_net_of_open_orders_is_converted(shop: Shop) -> None:
    """--basis net_of_open loads the open lines and adds them back."""
    file = shop.count({"0059": 79})
    code, out, _ = shop.run("submit", file, "--dry-run", "--basis", "net_of_open", "--allow", "below_reserved")
    assert code == 0
    assert any(request.path == "/orders" for request in shop.sandbox.requests)
    assert "counts.csv change the stock" in out


@pytest.fixture
def trading(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Shop, str, Any]]:
    """Make a shop with orders of today, and return a SKU reserved by one open line, and that line."""
    with Sandbox(rate_limit=None, transaction_seconds=0.0) as sandbox:
        monkeypatch.setenv("CENPORTS_BASE_URL", sandbox.url)
        lines = [line for order in sandbox.state.orders for line in order.record["lineItems"]]
        is_open = [str(line["status"]).lower() not in CLOSED_WORDS for line in lines]
        units = Counter(line["productSku"] for line, opened in zip(lines, is_open, strict=True) if opened)
        line = next(one for one, opened in zip(lines, is_open, strict=True) if opened and units[one["productSku"]] == 1)
        yield replace(shop, sandbox=sandbox), line["productSku"], line


def _ship(shop: Shop, line: Any) -> None:
    """Ship an open line."""
    shop.sell(line["productSku"], int(line["quantity"]))
    with shop.sandbox.state.lock:
        line["status"] = "shipped"
        for order in shop.sandbox.state.orders:
            order._payload = None


NET = ["--basis", "net_of_open", "--allow", "below_reserved", "--allow", "basis", "--allow", "discontinued"]


def test_an_order_that_ships_after_the_dry_run_is_not_added_back(trading: tuple[Shop, str, Any]) -> None:
    """Open lines are read after the stock and past the cache, so a shipped line is no longer open."""
    shop, sku, line = trading
    net = shop.stock(sku) - int(line["quantity"])
    file = shop.count({sku: net})
    code, out, _ = shop.run("submit", file, "--dry-run", *NET)
    assert (code, "Nothing to do" in out) == (0, True)  # counted + open is what is there
    _ship(shop, line)
    code, out, _ = shop.run("submit", file, "--yes", *NET)
    assert (code, "Nothing to do" in out, shop.stock(sku)) == (0, True, net)


def test_a_row_that_moves_while_open_lines_are_read_is_held(
    trading: tuple[Shop, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is unknown whether the open lines include what was shipped."""
    shop, sku, line = trading
    counted = shop.stock(sku) + 3
    load = orders.load_open_items

    def load_and_ship(*given: Any, **more: Any) -> Any:
        _ship(shop, line)
        return load(*given, **more)

    monkeypatch.setattr(cn, "load_open_items", load_and_ship)
    code, out, _ = shop.run("submit", shop.count({sku: counted}), "--yes", *NET)
    assert (code, shop.writes) == (1, 0)
    assert "stock moved while the open lines were read" in out


@pytest.mark.parametrize("at", ["dry run", "sending"])
def test_an_order_that_ships_after_the_plan_is_named(
    trading: tuple[Shop, str, Any], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Before or during confirmation, the row and its change are named, and nothing is sent."""
    shop, sku, line = trading
    units = int(line["quantity"])
    before, file = shop.stock(sku), shop.count({sku: shop.stock(sku) - units + 3})
    module, name = (cn, "submit_updates") if at == "dry run" else (submit, "confirm")
    work = getattr(module, name)

    def ship_first(*given: Any, **more: Any) -> Any:
        _ship(shop, line)
        return work(*given, **more)

    monkeypatch.setattr(module, name, ship_first)
    code, out, err = shop.run("submit", file, "--yes", *NET)
    assert (code, shop.writes) == (1, 0)
    moves = f"stock moved from {before} to {before - units} and open demand moved from {units} to 0"
    assert f"{sku}  {before:>3}  {before + 3:>3}      +3  {moves}" in out
    assert "1 row changed since planning: nothing was sent. Run it again, or choose another --on-stale" in err


def test_rows_whose_demand_changed_are_dropped_by_name(
    trading: tuple[Shop, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, and the output names what changed."""
    shop, sku, line = trading

    def ship_first(*given: Any, **more: Any) -> Any:
        _ship(shop, line)

    monkeypatch.setattr(submit, "confirm", ship_first)
    net = shop.stock(sku) - int(line["quantity"])
    code, out, _ = shop.run("submit", shop.count({sku: net + 3, "0022": 105}), "--yes", "--on-stale", "drop", *NET)
    assert (code, shop.writes) == (1, 1)
    assert f"open demand moved from {line['quantity']} to 0" in out


def test_open_lines_of_an_earlier_count_cannot_be_loaded(shop: Shop) -> None:
    """Today's open lines differ from those at the time of the count."""
    code, _, err = shop.run("submit", shop.count({"0022": 1}), "--dry-run", *NET, "--at-count", "morning.csv")
    assert (code, "--at-count needs the lines that were open when it was counted" in err) == (2, True)


def test_the_plan_names_what_is_not_shown(shop: Shop) -> None:
    """It shows thirty rows, and every row with an objection."""
    skus = {sku: units + 5 for (code, sku), units in shop.sandbox.state.stock.quantities.items() if code == "NW-EAST"}
    code, out, _ = shop.run("submit", shop.count({**skus, "zz9": 1}), "--dry-run")
    shown = [line for line in out.splitlines() if line.startswith("NW-EAST  ")]
    assert (code, len(shown)) == (1, 31)
    assert f"… and {len(skus) - 30} more rows\n" in out
    assert "unknown_sku: SKU 'zz9'" in out


def test_a_canary_goes_first(shop: Shop) -> None:
    """With --canary 1, a batch of one row is sent and read back before the rest."""
    code, out, _ = shop.run("submit", shop.count({"0022": 105, "0047": 37, "0059": 80}), "--yes", "--canary", "1")
    assert (code, shop.writes) == (0, 2)
    assert "all 3 rows applied" in out


def test_a_sandbox_can_be_played_with(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """--env sandbox without an address starts a sandbox, and plans and sends to it."""
    monkeypatch.delenv("CENPORTS_BASE_URL")
    code, out, _ = shop.run("submit", shop.count({"0022": 105}), "--yes", "--env", "sandbox")
    assert (code, shop.writes) == (0, 0)
    assert "1 of 1 row applied" in out
    assert not (shop.folder / "home" / "journal.sqlite").exists()


def test_no_secret_is_in_any_output(shop: Shop) -> None:
    """The client secret and tokens are never printed."""
    shop.sandbox.faults.add("lost", "PATCH /inventories")
    said = [*shop.run("submit", shop.count({"0022": 105, "0047": 37}), "--yes", "--batch-size", "1")[1:]]
    said += [*shop.run("submissions", "show", shop.newest(), "--rows", "--out", "o.csv")[1:]]
    said += [path.read_text(errors="replace") for path in Path(shop.folder).rglob("*") if path.is_file()]
    tokens = list(shop.sandbox.state.tokens._expiries)
    assert tokens
    assert [secret for secret in (CLIENT_SECRET, *tokens) if any(secret in text for text in said)] == []
