"""Test that headers are recognized by well-known words, and never guessed."""

from __future__ import annotations

import io
from typing import Any

import pytest

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.stock.counts.header_words import HEADER_WORDS
from cenports_nb.tables.headers import normalize_header


@pytest.mark.parametrize(
    "headers",
    [
        "Warehouse,Item,Qty",
        "WAREHOUSE CODE,Item Number,On-Hand",
        "whse,SKU,Counted",
        "Lager,Artikel-Nr.,Gezählte Menge",
        "Lagercode,Artikelnummer,Bestand",
        "Entrepôt,Référence,Qté comptée",
        "Almacén,Código de artículo,Cantidad",
        " warehouse_code , product_sku , quantity ",
    ],
)
def test_well_known_headers_are_recognised(headers: str) -> None:
    """Words are English, German, French and Spanish, in any case, with or without accents."""
    counts = cn.read_counts(io.StringIO(f"{headers},Note\nW,0012,5,fine\n"))
    assert counts.to_dict("list") == {"warehouse_code": ["W"], "product_sku": ["0012"], "quantity": [5]}


@pytest.mark.parametrize("ours", HEADER_WORDS)
def test_every_word_is_as_headers_are_compared(ours: str) -> None:
    """Words in the table have no accents or capitals, and each occurs once."""
    assert [word for word in HEADER_WORDS[ours] if normalize_header(word) != word] == []
    others = {word for name, words in HEADER_WORDS.items() if name != ours for word in words}
    assert set(HEADER_WORDS[ours]) & others == set()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ("Warehouse,Item,On hand,Qty", "'On hand' and 'Qty'. Choose one with columns={'quantity': 'On hand'}"),
        ("Warehouse,Item,Counted,Recount", "may be quantity: 'Counted' and 'Recount'. Choose one"),
        ("Warehouse,Item,Qty,Actual", "may be quantity: 'Qty' and 'Actual'. Choose one"),
        ("Warehouse,Item,Qty,Qty", "'Qty' and 'Qty'. Rename one"),
        ("Warehouse,SKU,Count #,Qty", "'Qty' and 'Count #'"),
        ("Warehouse,SKU,Counted?,Qty", "'Qty' and 'Counted?'"),
        ("Warehouse,SKU,Count sheet,Qty", "'Qty' and 'Count sheet'"),
        ("Entrepôt,Référence,N° inventaire,Quantité", "'Quantité' and 'N° inventaire'"),
        ("Warehouse,SKU,Image count,Qty", "'Qty' and 'Image count'"),
        ("Warehouse,SKU,Count %,Qty", "'Qty' and 'Count %'"),
        ("Warehouse,SKU,Counted shelf,Counted backroom", "'Counted backroom' and 'Counted shelf'"),
        ("Warehouse,SKU,Qty shelf,Qty backroom", "'Qty backroom' and 'Qty shelf'"),
        ("Warehouse,SKU,Counted pieces,Counted cases", "'Counted pieces' and 'Counted cases'"),
        ("Warehouse,SKU,Counted units,Cartons", "'Counted units' and 'Cartons'"),
        ("Warehouse,SKU,Full cases,Loose units", "'Loose units' and 'Full cases'"),
        ("Warehouse,SKU,Item,Qty", "more than one column that may be product_sku: 'SKU' and 'Item'"),
    ],
)
def test_two_headers_that_fit_are_refused(headers: str, words: str) -> None:
    """Only the user knows which column was counted."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(io.StringIO(f"{headers}\nW,A,1,2\n"))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "headers",
    [
        "Item,Qty,New quantity",
        "Artikel,Bestand,Inventur",
        "Item Code,Quantity,Physical Quantity",
        "SKU,Quantity On Hand,Physical Inventory",
        "Codigo,Cantidad,Conteo físico",
        "Article,Quantité,Quantité comptée",
        "sku,qty,qty_new",
        "SKU,System qty,Counted",
        "Artikel,Sollbestand,Istbestand",
        "SKU,Available,Qty",
        "SKU,Diff,Count",
        "SKU,Reorder qty,On hand",
        "SKU,Units sold,On hand",
        "SKU,Opening qty,Qty",
        "SKU,Current Quantity Downtown,New Quantity Downtown",
        "SKU,On hand (current),On hand (new)",
        "Artikel,Inventur Vorjahr,Bestand",
        "SKU,Qty,Final count 11/30",
        "SKU,Stock location,Qty",
    ],
)
def test_of_two_quantities_the_counted_one_is_read(headers: str) -> None:
    """The frame's metadata names the column."""
    counts = cn.read_counts(io.StringIO(f"{headers}\n0003,13,21\n"), warehouse_code="W")
    assert counts["quantity"].tolist() == [21]
    origin = cn.provenance(counts)
    assert origin is not None
    assert origin.params["quantity"] == headers.split(",")[2]


@pytest.mark.parametrize("header", ["Qty (cases)", "Count in dozens", "Menge (Kartons)", "Qty x1000", "Pallets"])
def test_a_quantity_whose_header_says_packs_is_refused(header: str) -> None:
    """Five cases are not five units, even if the column is named."""
    for columns in (None, {"quantity": header}):
        with pytest.raises(InvalidRequestError, match="has quantities in packs, as the header"):
            cn.read_counts(io.StringIO(f"SKU,{header}\nA,5\n"), warehouse_code="W", columns=columns)


@pytest.mark.parametrize(
    "header", ["Units sold", "Qty shipped", "Qty damaged", "Verkaufte Menge", "Qty received", "Wareneingang Menge"]
)
def test_sold_or_damaged_units_are_not_a_count(header: str) -> None:
    """A file of sales has no counted stock."""
    with pytest.raises(InvalidRequestError, match="lacks the column quantity"):
        cn.read_counts(io.StringIO(f"SKU,{header}\nA,5\n"), warehouse_code="W")


def test_a_column_added_to_an_export_is_read() -> None:
    """People write what they counted beside the stock that `export` wrote."""
    text = "warehouse_code,product_sku,quantity,Counted\nW,A,50,47\n"
    assert cn.read_counts(io.StringIO(text))["quantity"].tolist() == [47]
    with pytest.raises(InvalidRequestError, match="'quantity' and 'Count Ann'"):
        cn.read_counts(io.StringIO("warehouse_code,product_sku,quantity,Count Ann\nW,A,50,47\n"))
    text = "warehouse_code,product_sku,quantity,Change\nW,A,50,-3\n"
    assert cn.read_counts(io.StringIO(text))["quantity"].tolist() == [50]
    assert cn.read_counts(io.StringIO(text), signed=True)["quantity"].tolist() == [-3]


@pytest.mark.parametrize(
    "text",
    [
        "Artikel;Abgang\nA;{}\n",
        "SKU,Change,Direction\nA,{},Out\nB,3,In\n",
        "SKU,Received,Shipped\nA,{},3\n",
        "SKU,Qty,Movement type\nA,{},ISSUE\nB,1,\n",
    ],
)
def test_a_change_whose_sign_is_elsewhere_is_refused(text: str) -> None:
    """Units that left would be added; with their sign they are read."""
    assert cn.read_counts(io.StringIO(text.format(-5)), warehouse_code="W", signed=True)["quantity"].tolist()[0] == -5
    with pytest.raises(InvalidRequestError, match=r"units that left, as .* says, and no minus sign in line 2"):
        cn.read_counts(io.StringIO(text.format(5)), warehouse_code="W", signed=True)


def test_a_change_that_is_no_number_is_refused_by_its_line() -> None:
    """Its column is found by its header."""
    with pytest.raises(InvalidRequestError, match="a quantity that isn't a number in line 3"):
        cn.read_counts(io.StringIO("SKU,Change\nA,-5\nB,5-\n"), warehouse_code="W", signed=True)


@pytest.mark.parametrize(("type_", "signed"), [("DIFFERENTIAL", False), ("TRUE_UP", True)])
def test_a_plan_of_the_other_type_is_refused(type_: str, signed: bool) -> None:
    """Held rows of changes that are submitted as counts would set the stock to the change."""
    text = f"warehouse_code,product_sku,type,quantity\nW,A,{type_},3\n"
    assert cn.read_counts(io.StringIO(text), signed=not signed)["quantity"].tolist() == [3]
    with pytest.raises(InvalidRequestError, match=rf"as its type says.* in line 2: pass signed={not signed}"):
        cn.read_counts(io.StringIO(text), signed=signed)


def test_a_change_is_read_where_changes_are_wanted() -> None:
    """The file has the current stock too."""
    text = "SKU,Qty,Change\n0003,13,-2\n"
    assert cn.read_counts(io.StringIO(text), warehouse_code="W", signed=True)["quantity"].tolist() == [-2]
    assert cn.read_counts(io.StringIO(text), warehouse_code="W")["quantity"].tolist() == [13]


@pytest.mark.parametrize("columns", [{"quantity": "Counted"}, {"Counted": "quantity"}])
def test_a_choice_settles_which_header_is_meant(columns: dict[str, str]) -> None:
    """The other column is ignored."""
    text = io.StringIO("Warehouse,Item,On hand,Counted\nW,A,1,2\n")
    assert cn.read_counts(text, columns=columns)["quantity"].tolist() == [2]


def test_one_header_cannot_be_two_columns() -> None:
    """Quantities would be SKUs."""
    with pytest.raises(InvalidRequestError, match="columns names one header twice"):
        cn.read_counts(
            io.StringIO("SKU,Qty\nA,5\n"), warehouse_code="W", columns={"quantity": "Qty", "product_sku": "Qty"}
        )


def test_the_packages_own_names_win() -> None:
    """`product_sku` wins over a column `Item`."""
    text = io.StringIO("warehouse_code,product_sku,Item,quantity\nW,A,Chai,2\n")
    assert cn.read_counts(text)["product_sku"].tolist() == ["A"]


def test_a_file_that_names_upcs_says_how_to_read_them() -> None:
    """The error suggests the option for the UPC column."""
    with pytest.raises(
        InvalidRequestError, match=r"lacks the column product_sku \(or pass by='product_upc' and stock=\)"
    ):
        cn.read_counts(io.StringIO("Warehouse,UPC,Qty\nW,1,2\n"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"warehouse_code": "W"}, "a warehouse other than warehouse_code='W' in line 3"),
        ({"warehouse_map": {"W": "WH-1"}}, "a warehouse that warehouse_map lacks in line 3"),
        ({"warehouse_map": {"W": "WH-1", "V": ""}}, "a warehouse that warehouse_map lacks in line 3"),
    ],
)
def test_warehouses_that_disagree_are_refused(arguments: dict[str, Any], words: str) -> None:
    """The file and the argument name different warehouses."""
    with pytest.raises(InvalidRequestError) as caught:
        cn.read_counts(io.StringIO("Warehouse,Item,Qty\nW,A,1\nV,A,2\n"), **arguments)
    assert words in str(caught.value)


def test_the_warehouse_that_was_passed_is_translated_too() -> None:
    """It is refused if the map lacks it."""
    counts = cn.read_counts(io.StringIO("Item,Qty\nA,1\n"), warehouse_code="N", warehouse_map={"N": "WH-1"})
    assert counts["warehouse_code"].tolist() == ["WH-1"]
    with pytest.raises(InvalidRequestError, match="warehouse_code='S' is not in warehouse_map"):
        cn.read_counts(io.StringIO("Item,Qty\nA,1\n"), warehouse_code="S", warehouse_map={"N": "WH-1"})


def test_a_choice_that_names_no_column_of_ours_is_refused() -> None:
    """Otherwise a typo would be ignored."""
    with pytest.raises(InvalidRequestError, match="columns='qty': one side of each pair must be one of warehouse_code"):
        cn.read_counts(io.StringIO("Warehouse,Item,Qty\nW,A,1\n"), columns={"qty": "Counted"})
