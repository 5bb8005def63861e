"""What a command asks about a count file."""

from __future__ import annotations

import openpyxl
from support.cli_shop import Shop


def test_a_question_names_the_option_that_answers_it(shop: Shop) -> None:
    """Sheets, hidden rows, two quantities, an encoding: exit code 2, never a prompt, and nothing is sent."""
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
        (["count.xlsx"], "choose one with --sheet 'Sheet'"),
        (["count.xlsx", "--sheet", "May"], "--hidden-rows 'include'"),
        (["two.csv", *east], '--column "quantity=Qty"'),
        (["old.csv", *east], "name the right one with --encoding 'cp1252'"),
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
