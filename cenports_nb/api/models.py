"""What the API sends, record by record: msgspec Structs with the API's field names in camel case.

Texts may come as whole numbers, and numbers as texts, which `strict=False` reads: "58", "58.0" and 58.0 are 58; "58.5",
"" and "abc" are not counts. Counts must fit 64 bits, and amounts must be finite.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

Text = str | int | None
Key = str | int
Count = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Amount = Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class Record(msgspec.Struct, rename="camel", gc=False, omit_defaults=True):
    """The base of all records; none refers to itself, so the garbage collector can ignore them."""


class BillTo(Record):
    """The billing address."""

    name: Text = None
    address1: Text = None
    address2: Text = None
    city: Text = None
    state: Text = None
    country: Text = None
    postal_code: Text = None


class ShipTo(BillTo):
    """The shipping address, with the same fields."""


class ShipFrom(Record):
    """The warehouse that an order ships from."""

    warehouse_code: Text = None
    warehouse_name: Text = None
    location: Text = None
    contact_phone: Text = None
    availability: bool | None = None
    owner: Text = None


class ShippingInfo(Record):
    """How an order is shipped."""

    carrier_code: Text = None
    service_level: Text = None


class Pricing(Record):
    """The amounts of an order."""

    sub_total: Amount | None = None
    discount: Amount | None = None
    ship_cost: Amount | None = None
    grand_total: Amount | None = None


class Notes(Record):
    """Messages on an order."""

    merchant_msg: Text = None
    retailer_msg: Text = None


class LineItem(Record):
    """One line of an order."""

    product_sku: Key
    quantity: Count
    line_item: Any = None
    retailer_sku: Text = None
    product_name: Text = None
    ship_from_warehouse_code: Text = None
    price: Amount | None = None
    status: Text = None
    order_no: Any = None  # the order's own, repeated


class Order(Record):
    """One record of GET /orders."""

    order_no: Key
    order_date: str
    customer_order_no: Text = None
    channel: Text = None
    channel_id: Text = None
    customer_name: Text = None
    contact_name: Text = None
    contact_email: Text = None
    contact_phone: Text = None
    status: Text = None
    bill_to: BillTo | None = None
    ship_from: ShipFrom | None = None
    ship_to: ShipTo | None = None
    shipping_info: ShippingInfo | None = None
    line_items: list[LineItem] | None = None
    pricing: Pricing | None = None
    notes: Notes | None = None


class OrderOfLines(Order):
    """An order with unparsed lines, so that a bad line doesn't affect the others."""

    line_items: list[msgspec.Raw] | None = None  # type: ignore[assignment]


class WarehouseAddress(Record):
    """The address of a warehouse."""

    street_address: Text = None
    street_address2: Text = None
    city: Text = None
    province: Text = None
    province_abbre: Text = None
    country_code: Text = None
    country: Text = None
    postal_code: Text = None
    is_residential: bool | None = None
    ignore_validation: msgspec.Raw = msgspec.Raw()  # of the address; in no frame


class Warehouse(Record):
    """One record of GET /inventories, with unparsed stock rows."""

    warehouse_code: Key
    warehouse_name: Text = None
    warehouse_address: WarehouseAddress | None = None
    warehouse_inventory: list[msgspec.Raw] | None = None


class Stock(Record):
    """One SKU in one warehouse; the reference misspells `nextAvailabileQuantity`, so both spellings are read."""

    product_sku: Key
    quantity: Count
    retailer_sku: Text = None
    product_upc: Text = None
    product_name: Text = None
    is_discontinued: bool | None = None
    next_availability_date: str | None = None
    next_availabile_quantity: Count | None = None
    next_available_quantity: Count | None = None
    product_extras: msgspec.Raw = msgspec.Raw()


class Inventory(Warehouse):
    """A warehouse parsed with its stock rows, all or none."""

    warehouse_inventory: list[Stock] | None = None  # type: ignore[assignment]


class Channel(Record):
    """One record of GET /channels; POST /channels misspells `channalName`, so both spellings are read."""

    channel_id: Key
    channel_name: Text = None
    channal_name: Text = None
    channel_email: Text = None
    channel_phone: Text = None
    location: Text = None
    features: Any = None


class Transaction(msgspec.Struct):
    """The response to a write, and of GET /transaction later."""

    handle: Key
    status: str = ""
    id: Text = None
    submitted_at: Any = None
    completed_at: Any = None
    errors: Any = None


Read = TypeVar("Read")
NULL_AS_TEXT = re.compile(rb'"null"', re.IGNORECASE)
"""Where null is allowed, `strict=False` takes this text for null; in a text field it must be rejected."""


def build_decoder(kind: type[Read]) -> Callable[[bytes], Read]:
    """Build a decoder for a kind of record: lenient, but a text is never null."""
    decode: Callable[[bytes], Read] = msgspec.json.Decoder(kind, strict=False).decode

    def read(record: bytes) -> Read:
        found = decode(record)
        if NULL_AS_TEXT.search(record):
            _refuse_null_texts(found, msgspec.json.decode(record))
        return found

    return read


def _refuse_null_texts(found: Any, sent: Any, path: str = "$") -> None:
    """Raise if a text was read as null."""
    if isinstance(found, list) and isinstance(sent, list):
        for index, (value, said) in enumerate(zip(found, sent, strict=True)):
            _refuse_null_texts(value, said, f"{path}[{index}]")
    elif isinstance(found, msgspec.Struct) and isinstance(sent, dict):
        for item in msgspec.structs.fields(found):
            _refuse_null_texts(getattr(found, item.name), sent.get(item.encode_name), f"{path}.{item.encode_name}")
    elif found is None and isinstance(sent, str):
        raise msgspec.ValidationError(f"Expected `value`, got `str` - at `{path}`")


def forbid_unknown_fields(kind: type[Record]) -> Any:
    """Build a Struct with the same fields that refuses all others."""
    hints = get_type_hints(kind, include_extras=True)
    known = msgspec.structs.fields(kind)
    fields = [(item.name, _forbid_in_type(hints[item.name]), item.default) for item in known if not item.required]
    needed = [(item.name, _forbid_in_type(hints[item.name])) for item in known if item.required]
    return msgspec.defstruct(kind.__name__, [*needed, *fields], bases=(Record,), forbid_unknown_fields=True)


def find_unknown_fields(record: bytes, kind: type[Record], prefix: str = "") -> frozenset[str]:
    """Return the fields of a record, or of each record of a list, that its Struct lacks.

    Args:
        record: JSON; unreadable JSON has no fields.
        kind: The Struct.
        prefix: The location, such as `warehouseAddress.`.
    """
    known = {item.encode_name: item.type for item in msgspec.structs.fields(kind)}
    objects = _split_objects(record)
    found = {prefix + name for name in set().union(*objects) - known.keys()}
    for name, hint in known.items():
        for inner in _find_structs(hint):
            for fields in objects:
                if name in fields:
                    found |= find_unknown_fields(fields[name], inner, f"{prefix}{name}.")
    return frozenset(found)


def _split_objects(record: bytes) -> list[dict[str, msgspec.Raw]]:
    """Split an object, or those of a list, into fields without decoding them."""
    for kind in (dict[str, msgspec.Raw], list[dict[str, msgspec.Raw]]):
        try:
            found: Any = msgspec.json.decode(record, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
        return [found] if isinstance(found, dict) else found
    try:
        parts = msgspec.json.decode(record, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []
    return [fields for part in parts if bytes(part)[:1] == b"{" for fields in _split_objects(part)]


def _find_structs(hint: Any) -> Iterator[type[Record]]:
    """List the Structs inside a type."""
    if isinstance(hint, type) and issubclass(hint, Record):
        yield hint
    for part in get_args(hint):
        yield from _find_structs(part)


def _forbid_in_type(hint: Any) -> Any:
    """Make the Structs inside a type refuse unknown fields."""
    if isinstance(hint, type) and issubclass(hint, Record):
        return forbid_unknown_fields(hint)
    inner = tuple(_forbid_in_type(part) for part in get_args(hint))
    if get_origin(hint) is list:
        return list[inner[0]]  # type: ignore[valid-type]
    return Union[inner] if get_origin(hint) in (Union, UnionType) else hint  # noqa: UP007 - made of a tuple
