"""Which header means which column: our own names, what people call them, and never a guess."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.text import truncate

COLUMNS = ("warehouse_code", "product_sku", "quantity", "counted_at")

HEADER_WORDS: Mapping[str, tuple[str, ...]] = {
    "warehouse_code": (
        *("warehouse", "warehouse code", "warehouse id", "warehouse no", "whse", "wh", "depot"),
        *("lager", "lagercode", "lagernummer", "lagernr", "lager nr"),
        *("entrepot", "code entrepot", "magasin"),
        *("almacen", "codigo de almacen", "codigo almacen", "bodega", "deposito"),
    ),
    "product_sku": (
        *("sku", "product sku", "sku code", "item", "item no", "item number", "item code", "item sku", "item id"),
        *("product code", "product no", "product number", "part no", "part number", "article", "article no"),
        *("artikel", "artikelnummer", "artikelnr", "artikel nr", "art nr", "artnr"),
        *("reference", "reference article", "code article", "ref"),
        *("articulo", "codigo de articulo", "codigo articulo", "referencia", "codigo"),
    ),
    "quantity": (
        *("quantity", "qty", "on hand", "onhand", "qoh", "quantity on hand", "qty on hand", "on hand qty"),
        *("on hand quantity", "count", "counted", "counted qty", "counted quantity", "qty counted", "quantity counted"),
        *("physical count", "count qty"),
        *("menge", "bestand", "anzahl", "gezahlt", "gezahlte menge", "zahlmenge", "istbestand", "ist bestand"),
        *("quantite", "qte", "compte", "quantite comptee", "qte comptee"),
        *("cantidad", "cant", "contado", "cantidad contada", "recuento", "existencias"),
    ),
    "product_upc": (
        *("upc", "upc code", "product upc", "barcode", "bar code", "ean", "ean code", "ean13", "ean 13", "gtin"),
        *("strichcode", "barcode nr", "code barres", "code a barres", "codigo de barras"),
    ),
    "retailer_sku": ("retailer sku", "retailer item", "customer sku", "customer item"),
    "counted_at": (
        *("counted at", "counted on", "count date", "count time", "date counted"),
        *("gezahlt am", "zahldatum", "compte le", "date de comptage", "contado el", "fecha de recuento"),
    ),
}
"""What people call each column, as `normalize_header` spells it."""


def normalize_header(header: str) -> str:
    """Spell a header without case, accents, punctuation and blanks too many."""
    letters = unicodedata.normalize("NFKD", header.casefold())
    return " ".join(re.findall(r"[^\W_]+", "".join(c for c in letters if not unicodedata.combining(c))))


def list_headers(headers: Iterable[str]) -> str:
    """List headers for an error: a dozen of them, each cut."""
    all_of_them = [truncate(header, 40) for header in headers]
    more = f" and {len(all_of_them) - 12} more" if len(all_of_them) > 12 else ""
    return (", ".join(all_of_them[:12]) or "none") + more


def parse_columns(columns: Mapping[str, str] | None, by: str) -> dict[str, str]:
    """Read `columns=` in either direction: which header is meant by which of our names.

    Raises:
        InvalidRequestError: Neither side of a pair is a name of ours.
    """
    ours_all = {*COLUMNS, by}
    given = {" ".join(one.split()): " ".join(two.split()) for one, two in (columns or {}).items()}
    strange = [one for one, two in given.items() if not {one, two} & HEADER_WORDS.keys()]
    if strange:
        raise InvalidRequestError(
            f"columns={strange[0]!r}: one side of each pair must be one of {', '.join(HEADER_WORDS)}."
        )
    by_ours = {ours: theirs for ours, theirs in given.items() if ours in ours_all}
    return by_ours | {ours: theirs for theirs, ours in given.items() if ours in ours_all and theirs not in ours_all}


def score_headers(cells: Sequence[str], given: Mapping[str, str], by: str) -> int:
    """Tell how many of the columns a line seems to head."""
    spelt = {normalize_header(cell) for cell in cells}
    stripped = {" ".join(cell.split()) for cell in cells}
    return sum(
        given[ours] in stripped
        if ours in given
        else normalize_header(ours) in spelt or not spelt.isdisjoint(HEADER_WORDS[ours])
        for ours in dict.fromkeys(["warehouse_code", by, "quantity", "counted_at"])
    )


def find_columns(headers: Sequence[str], given: Mapping[str, str], by: str, name: str) -> dict[str, int]:
    """Find the column of each of our names: as given, else by our own spelling, else by a well-known word.

    Args:
        headers: As they stand in the file.
        given: Our name to theirs.
        by: What the file names products by.
        name: What the file is called in errors.

    Raises:
        InvalidRequestError: A header that was given is not there, or two headers fit.
    """
    found: dict[str, int] = {}
    for ours, theirs in given.items():
        places = [place for place, header in enumerate(headers) if header == theirs]
        if not places:
            raise InvalidRequestError(
                f"{name} has no header {theirs!r}; its headers are {list_headers(map(repr, headers))}."
            )
        found[ours] = _only(places, headers, ours, name)
    left = [place for place in range(len(headers)) if place not in found.values()]
    for ours in dict.fromkeys(["warehouse_code", by, "quantity", "counted_at"]):
        if ours in found:
            continue
        own = [place for place in left if "_" in ours and normalize_header(headers[place]) == normalize_header(ours)]
        places = own or [place for place in left if normalize_header(headers[place]) in HEADER_WORDS[ours]]
        if places:
            found[ours] = _only(places, headers, ours, name)
    return found


def _only(places: Sequence[int], headers: Sequence[str], ours: str, name: str) -> int:
    if len(places) == 1:
        return places[0]
    fit = [headers[place] for place in places]
    advice = f"Tell which with columns={{{ours!r}: {fit[0]!r}}}" if len(set(fit)) > 1 else "Rename one of them"
    raise InvalidRequestError(
        f"{name} has more than one column {ours!r}: its headers {' and '.join(map(repr, fit))} fit. {advice}."
    )
