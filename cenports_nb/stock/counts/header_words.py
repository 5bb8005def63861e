"""Words of headers in English, German, French and Spanish, without accents, in lower case."""

from __future__ import annotations

from collections.abc import Mapping

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
"""Common headers of each column, as `normalize_header` returns them."""


def _split_words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COUNT_WORDS = _split_words(
    "counted count counts recount recounted physical "
    "gezahlt gezahlte gezahlter zahlung zahlmenge inventur istbestand "
    "compte comptee inventaire physique "
    "contado contada conteo recuento fisico fisica inventariado"
)
"""Words that say that a quantity was counted."""
NEW_WORDS = _split_words(
    "new corrected updated found verified actual "
    "ist neu neue neuer neues korrigiert korrigierte "
    "nouveau nouvelle nouvel reel reelle corrige corrigee "
    "nuevo nueva real corregido corregida"
)
"""Words that say so only beside a word for a quantity."""
QUANTITY_WORDS = _split_words(
    "quantity quantities qty qtys qoh onhand hand stock inventory units pcs pieces "
    "menge bestand lagerbestand anzahl stuck stk vorrat "
    "quantite qte unites "
    "cantidad cant existencias existencia unidades inventario"
)
"""Words for a quantity that may or may not be counted."""
OTHER_WORDS = _split_words(
    "old previous prior before last system book books expected theoretical target erp wms min minimum max maximum reorder "
    "ordered order orders po incoming inbound transit available reserved allocated committed backorder backordered safety "
    "difference diff variance delta change adjustment adjust price cost value weight pack case per date time by no id "
    "opening initial accuracy sold sales shipped returned returns damaged defective broken required needed demand forecast picked missing short lost "
    "location bin row aisle shelf type code name unit uom days cover "
    "alt alter alte soll sollbestand sollmenge buchbestand vorher erwartet mindestbestand bestellt bestellung verfugbar "
    "reserviert differenz abweichung preis wert gewicht datum einheit platz lagerplatz nr "
    "vorjahr letzte letzter verkauft verkaufte versendet retouren beschadigt defekt bedarf fehlmenge "
    "ancien ancienne precedent precedente systeme theorique attendu attendue minimum commande commandee disponible reserve "
    "reservee ecart prix valeur poids unite emplacement dernier derniere vendu vendue vendues expediee retournee endommagee besoin "
    "anterior previo previa sistema teorico teorica esperado esperada minimo maximo pedido pedida reservado reservada "
    "diferencia ajuste precio valor peso fecha unidad ubicacion ultimo ultima vendida vendidas enviada devuelta danada requerida"
)
"""Words that say that a number is something other than a counted quantity."""
CHANGE_WORDS = _split_words(
    "change changes delta adjustment adjust difference diff variance movement moved received delivered "
    "differenz abweichung anderung bewegung zugang abgang wareneingang "
    "ecart mouvement variation ajustement diferencia ajuste movimiento"
)
"""Words for a change."""
AMOUNT_WORDS = _split_words(
    "quantity quantities qty qtys qoh onhand hand units pcs pieces menge anzahl stuck stk quantite qte unites cantidad cant unidades"
)
"""Words that always mean a number of units: "New quantity Downtown"."""
PLAIN_WORDS = _split_words(
    "of on in the total final cycle items goods de des du la le en der die das gesamt del el los"
)
"""Words that don't change the meaning of a header such as "Final count"."""
LOCATION_WORDS = _split_words("bin row aisle shelf location platz lagerplatz emplacement ubicacion")
"""Words for a place: "Shelf qty" is a part of the quantity."""
LABEL_MARKS = ("#", "?", "%")
"""Ends of a header that is no quantity: "Count #", "Counted?", "Count %"."""
SINGLE_WORDS = _split_words("units unit pcs pieces each eaches loose singles stuck stk lose unites unidades sueltas")
"""Words for single units: beside a column of packs, such a column may hold only the rest."""
PACK_HEADER_WORDS = _split_words(
    "cases carton cartons ctn ctns boxes packs pallet pallets dozen dozens bundles karton kartons palette paletten "
    "caisses colis palettes douzaines cajas palets docenas thousand thousands tausend tsd milliers miles x1000 000 000s"
)
"""Words that say in a header that a quantity is in packs, dozens or thousands."""
OUTGOING_WORDS = _split_words(
    "out outgoing issue issued sold sale sales shipped shipment removed abgang ausgang warenausgang verkauft verkaufte "
    "versendet sortie sorties vendu vendue vendus expedie expediee salida salidas vendida vendidas egreso egresos"
)
"""Words for units that left, in headers and as values."""
INCOMING_WORDS = _split_words(
    "in incoming receipt received return returned added zugang eingang wareneingang entree entrees entrada entradas ingreso"
)
"""Words for units that came, as values."""
UNIT_HEADERS = frozenset(
    (
        "uom", "u m", "um", "unit", "units of measure", "unit of measure", "unit of measurement", "measure", "qty unit",
        "einheit", "me", "mengeneinheit", "unite", "unite de mesure", "unidad", "unidad de medida", "udm",
    )
)  # fmt: skip
"""Headers of a unit of measure."""
EACH_UNITS = frozenset(
    (
        "ea", "each", "pc", "pcs", "pce", "piece", "pieces", "unit", "units", "un", "u", "ud", "uds", "st", "stk", "stck", "stuck",
        "pza", "pieza", "piezas", "unite", "unites", "unidad", "unidades", "c62", "h87", "1",
    )
)  # fmt: skip
"""Units of one piece."""
PACK_UNITS = frozenset(
    (
        "cs", "case", "cases", "ct", "ctn", "carton", "cartons", "bx", "box", "boxes", "pk", "pack", "packs", "pkg", "pl", "plt",
        "pallet", "pallets", "dz", "dozen", "doz", "bdl", "bundle", "ve", "vpe", "kt", "karton", "kartons", "kolli", "pal",
        "palette", "paletten", "caja", "cajas", "docena", "carton de", "colis", "douzaine", "caisse",
    )
)  # fmt: skip
"""Units of several pieces."""
