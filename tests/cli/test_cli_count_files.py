"""Test questions of a command about a count file."""

from __future__ import annotations

import openpyxl
import pytest
from support.cli_shop import Shop


def test_a_question_names_the_option_that_answers_it(shop: Shop) -> None:
    """Sheets, hidden rows, two quantities or an encoding: exit code 2, no prompt, and nothing is sent."""
    book = openpyxl.Workbook()
    for sheet in (book.active, book.create_sheet("May")):
        sheet.append(["Warehouse", "SKU", "Qty"])
        sheet.append(["NW-EAST", "0022", 105])
    book["May"].row_dimensions[2].hidden = True
    book.save(shop.folder / "count.xlsx")
    (shop.folder / "two.csv").write_text("SKU,Qty,Actual\n0022,1,105\n")
    (shop.folder / "old.csv").write_bytes("SKU,Qty\nŠ-1,105\n".encode("cp1250"))
    east = ["--warehouse", "NW-EAST"]
    questions = [
        (["count.xlsx"], "choose one with --sheet Sheet"),
        (["count.xlsx", "--sheet", "May"], "--hidden-rows include"),
        (["two.csv", *east], '--column "quantity=Qty"'),
        (["old.csv", *east], "name the right one with --encoding cp1252"),
    ]
    for command, words in questions:
        code, _, err = shop.run("submit", *command, "--yes")
        assert (code, shop.writes, err.count("\n")) == (2, 0, 1)
        assert words in err
    code, out, _ = shop.run("submit", "count.xlsx", "--sheet", "May", "--hidden-rows", "include", "--dry-run")
    assert code == 0
    assert (
        "count.xlsx, sheet 'May': warehouse_code from 'Warehouse', product_sku from 'SKU', quantity from 'Qty'" in out
    )
    code, out, _ = shop.run("submit", "two.csv", *east, "--column", "quantity=Actual", "--dry-run")
    assert "quantity from 'Actual'" in out


def test_an_unknown_sku_is_settled_once(shop: Shop) -> None:
    """A flag decides, and the next count names the remembered decision."""
    units = shop.stock("0022")
    first = shop.count({"0022\u200b": units + 1}, "first.csv")
    code, out, _ = shop.run("submit", first, "--dry-run")
    assert code == 1
    assert r"unknown_sku: SKU '0022\u200b' is not in warehouse 'NW-EAST'; did you mean '0022'?" in out
    assert shop.run("submit", first, "--yes", "--unknown", r"0022\u200b=0022")[0] == 0
    assert shop.stock("0022") == units + 1
    second = shop.count({"0022\u200b": units + 2}, "second.csv")
    code, out, _ = shop.run("submit", second, "--yes")
    assert (code, shop.stock("0022")) == (0, units + 2)
    assert "As settled with an earlier count: '0022\\u200b' is 0022. --unknown says otherwise.\n" in out


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--unknown", "X"], "--unknown 'X' is not name=value, such as --unknown NEW-1=new"),
        (["--unknown", "X=new", "--unknown", "X=0022"], "--unknown has 'X' twice"),
        (["--unknown", '="0022"=0022'], "--unknown settles '=\"0022\"', which the count does not have"),
        (["--unknown", "X=new", "--differential"], "are about counts: leave them out with --differential"),
    ],
)
def test_an_unknown_that_cannot_be_meant_is_wrong_usage(shop: Shop, flags: list[str], words: str) -> None:
    """Exit code 2, and nothing is sent."""
    code, _, err = shop.run("submit", shop.count({"0022": 105}), "--dry-run", *flags)
    assert (code, words in err) == (2, True), err
