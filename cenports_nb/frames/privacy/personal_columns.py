"""Which columns and fields identify a person: by the schemas, or by name for all others."""

from __future__ import annotations

import re
from functools import lru_cache

from cenports_nb.frames.schema.column_docs import ADDRESS, EMAIL, NAME, PHONE, TABLES, TEXT

SCHEMA_KINDS = {
    name: meaning.personal
    for table in TABLES
    for name, meaning in table.items()
    if name != "message"  # of an outcome it is Cenports' text about a row, of a shipment a person's
}
"""The kind of each personal column of the schemas; a test checks that they don't contradict each other."""

# Named things that are not people: the word before `name`.
IMPERSONAL_NOUNS = (
    "attribute|bin|brand|campaign|carrier|category|channel|city|class|collection|color|colour|column|country|courier|"
    "currency|day|environment|event|facility|feature|field|file|group|host|item|level|list|location|marketplace|"
    "merchant|method|model|month|option|package|parameter|plan|product|profile|program|project|property|province|"
    "region|report|retailer|service|sheet|shelf|shipping|shop|site|size|sku|state|station|status|step|store|style|"
    "supplier|table|tag|template|type|unit|upc|variant|vendor|warehouse|zone"
)

# The first match decides. An ending such as `_city` or `_id` means that it isn't a street, person or message.
NAME_PATTERNS = tuple(
    (re.compile(pattern), kind)
    for pattern, kind in (
        (r"(postal|post|zip)_?code|(^|_)zip(_?\d)?($|_)", ADDRESS),
        (
            r"_(id|ids|city|state|country|province|region|county|code|abbre|type|status|count|date|time|at|day|sku|"
            r"quantity|level|flag|currency|language)$",
            "",
        ),
        (r"e_?mail|(^|_)mail(_|$)", EMAIL),
        (r"phone|(^|_)(mobile|cell|fax|tel)(_|$)", PHONE),
        (r"addr(ess)?(\d|_|$)|street|^(ship|bill|sold|deliver)_to$", ADDRESS),
        (r"(message|msg|note|comment|instruction|remark|memo)s?(_?(text|body|\d+))?$", TEXT),
        (rf"(^|_)({IMPERSONAL_NOUNS})s?_?names?$", ""),
        (r"names?\d*$", NAME),
        (r"(^|_)(contact|recipient|consignee|attention|attn|addressee|receiver)", NAME),
        (r"(^|_)(buyer|company|customer|person|purchaser|shopper|signature|(signed|received)_by)$", NAME),
    )
)

# Numbers are masked only if they can't be a count, price or size.
PERSONAL_NUMBER_PATTERN = re.compile(r"(phone|mobile|fax|zip|(postal|post|zip)_?code)(_?(no|number))?$")


@lru_cache(maxsize=4096)
def personal_kind(column: str) -> str:
    """Return the kind of pseudonym for a column's values; empty if they identify nobody.

    Args:
        column: A column's name, or the path of a JSON field joined by `_`, in any spelling.
    """
    if column in SCHEMA_KINDS:
        return SCHEMA_KINDS[column]
    name = _normalize(column)
    if name in SCHEMA_KINDS:
        return SCHEMA_KINDS[name]
    return next((kind for pattern, kind in NAME_PATTERNS if pattern.search(name)), "")


def is_known(column: str) -> bool:
    """Return whether a schema has this column and decides whether it is personal."""
    return column in SCHEMA_KINDS or _normalize(column) in SCHEMA_KINDS


def is_personal_number(column: str) -> bool:
    """Return whether even a number in this column identifies a person, as a phone number or postal code does."""
    return PERSONAL_NUMBER_PATTERN.search(_normalize(column)) is not None


def normalize_name(name: str) -> str:
    """Convert `shipTo` or `Ship To` to `ship_to`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"[\W_]+", "_", words).strip("_").lower()


def _normalize(column: str) -> str:
    """Normalize a column's name, without suffixes of a merge."""
    return re.sub(r"_(x|y|left|right|old|new|before|after|\d+)$", "", normalize_name(column))
