"""Stock: what each warehouse has, and what is available besides open orders."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from cenports_nb.sandbox.account.transactions import RowRefusal, Undo
from cenports_nb.sandbox.records import Json, StockKey


class StockStore:
    """The warehouses with their rows; quantities are integers here and text in a response."""

    def __init__(self, warehouses: Iterable[Json]) -> None:
        self.warehouses: dict[str, Json] = {}
        self._rows: dict[str, dict[str, Json]] = {}
        self.quantities: dict[StockKey, int] = {}
        for warehouse in warehouses:
            code = warehouse["warehouseCode"]
            self.warehouses[code] = {key: value for key, value in warehouse.items() if key != "warehouseInventory"}
            self._rows[code] = {row["productSku"]: {**row} for row in warehouse["warehouseInventory"]}
            for sku, row in self._rows[code].items():
                self.quantities[code, sku] = int(row["quantity"])

    def get_row(self, warehouse_code: str, sku: str) -> Json:
        """Return the product's original row, without its current quantity."""
        return self._rows[warehouse_code][sku]

    def find_warehouse(self, sku: str) -> str | None:
        """Return the code of the first warehouse that stocks the SKU."""
        return next((code for code, rows in self._rows.items() if sku in rows), None)

    def update(self, warehouse_code: str, sku: str, kind: str, quantity: int, *, reserved: int = 0) -> Undo:
        """Apply one row of an update, or refuse it; a TRUE_UP adds the `reserved` units to the stock that it sets."""
        key = (warehouse_code, sku)
        if key not in self.quantities:
            raise RowRefusal(f"The product sku {sku} does not exist.")
        before = self.quantities[key]
        result = quantity + reserved if kind == "TRUE_UP" else before + quantity
        if result < 0:
            raise RowRefusal(f"The quantity of the product sku {sku} can not be below 0.")
        self.quantities[key] = result
        return partial(self.quantities.__setitem__, key, before)

    def list_warehouses(
        self,
        codes: frozenset[str] | None = None,
        reserved: Mapping[StockKey, int] = MappingProxyType({}),
        *,
        clamped: bool = False,
    ) -> list[Json]:
        """List warehouses with stock less reserved units, which may be below 0 unless it is clamped."""
        listed = []
        for code, warehouse in self.warehouses.items():
            if codes is None or code in codes:
                left = {sku: self.quantities[code, sku] - reserved.get((code, sku), 0) for sku in self._rows[code]}
                rows = [
                    {**row, "quantity": str(max(left[sku], 0) if clamped else left[sku])}
                    for sku, row in self._rows[code].items()
                ]
                listed.append({**warehouse, "warehouseInventory": rows})
        return listed
