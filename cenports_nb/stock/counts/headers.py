"""Which header means which column: our own names or common words, never a guess."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cenports_nb.errors import InvalidRequestError
from cenports_nb.rendering.surface import choose_wording, name_argument, name_parameter
from cenports_nb.stock.counts.header_words import (
    AMOUNT_WORDS,
    CHANGE_WORDS,
    COLUMNS,
    COUNT_WORDS,
    HEADER_WORDS,
    LABEL_MARKS,
    LOCATION_WORDS,
    NEW_WORDS,
    OTHER_WORDS,
    PACK_HEADER_WORDS,
    PLAIN_WORDS,
    QUANTITY_WORDS,
    SINGLE_WORDS,
)
from cenports_nb.tables.headers import list_headers, normalize_header

OWN_HEADERS = frozenset({"warehouse_code", "product_sku", "quantity"})
"""A file with these headers was written by `export`, or for this package."""
IsNumeric = Callable[[int], bool]


def parse_columns(columns: Mapping[str, str] | None, by: str) -> dict[str, str]:
    """Parse `columns=` in either direction into our names to headers.

    Raises:
        InvalidRequestError: It isn't a mapping of texts, or neither side of a pair is one of our names.
    """
    ours_all = {*COLUMNS, by}
    if columns is not None and not (
        isinstance(columns, Mapping) and all(isinstance(text, str) for pair in columns.items() for text in pair)
    ):
        raise InvalidRequestError(f"columns={columns!r} isn't a mapping of texts, such as {{'quantity': 'Counted'}}.")
    given = {" ".join(one.split()): " ".join(two.split()) for one, two in (columns or {}).items()}
    strange = [one for one, two in given.items() if not {one, two} & HEADER_WORDS.keys()]
    if strange:
        raise InvalidRequestError(
            f"{choose_wording(python=f'columns={strange[0]!r}', terminal=name_argument('columns', {strange[0]: given[strange[0]]}))}: one side of each pair must be one of {', '.join(HEADER_WORDS)}."
        )
    by_ours = {ours: theirs for ours, theirs in given.items() if ours in ours_all}
    return by_ours | {ours: theirs for theirs, ours in given.items() if ours in ours_all and theirs not in ours_all}


def score_headers(cells: Sequence[str], given: Mapping[str, str], by: str) -> int:
    """Count how many of the columns a line seems to name."""
    normalized = {normalize_header(cell) for cell in cells}
    stripped = {" ".join(cell.split()) for cell in cells}
    words = {word for header in normalized for word in header.split()}
    return sum(
        given[ours] in stripped
        if ours in given
        else normalize_header(ours) in normalized
        or not normalized.isdisjoint(HEADER_WORDS[ours])
        or (ours == "quantity" and not words.isdisjoint(COUNT_WORDS | QUANTITY_WORDS | CHANGE_WORDS) and len(cells) > 1)
        for ours in dict.fromkeys(["warehouse_code", by, "quantity", "counted_at"])
    )


def find_columns(
    headers: Sequence[str], given: Mapping[str, str], by: str, name: str, is_numeric: IsNumeric, *, signed: bool
) -> dict[str, int]:
    """Find the column of each of our names: as given, else by our own spelling, else by a common word.

    Args:
        headers: The headers of the file.
        given: Our name to the header.
        by: The column that identifies products.
        name: The file's name in errors.
        is_numeric: Returns whether all values of a column are numbers.
        signed: Whether the quantities are changes, not counts.

    Raises:
        InvalidRequestError: A given header is missing, or several headers fit.
    """
    found: dict[str, int] = {}
    for ours, theirs in given.items():
        positions = [position for position, header in enumerate(headers) if header == theirs]
        if not positions:
            raise InvalidRequestError(
                f"{name} has no header {theirs!r}; its headers are {list_headers(map(repr, headers))}."
            )
        found[ours] = _choose_only(positions, headers, ours, name)
    if len({*found.values()}) < len(found):
        raise InvalidRequestError(f"{name_parameter('columns')} names one header twice: each column has one meaning.")
    for ours in dict.fromkeys(["warehouse_code", by, "counted_at"]):
        left = [position for position in range(len(headers)) if position not in found.values()]
        if ours in found:
            continue
        own = [
            position
            for position in left
            if "_" in ours and normalize_header(headers[position]) == normalize_header(ours)
        ]
        positions = own or [position for position in left if normalize_header(headers[position]) in HEADER_WORDS[ours]]
        if positions:
            found[ours] = _choose_only(positions, headers, ours, name)
    if "quantity" not in found:
        left = [position for position in range(len(headers)) if position not in found.values()]
        positions = find_quantities(headers, left, is_numeric, signed=signed)
        if positions:
            found["quantity"] = _choose_only(positions, headers, "quantity", name)
    return found


def find_quantities(
    headers: Sequence[str], positions: Sequence[int], is_numeric: IsNumeric, *, signed: bool
) -> list[int]:
    """Find the columns that may be the quantity: those whose header says that they were counted, else all.

    In a file of our own, that is a column that a person added, else `quantity`. Several are ambiguous: a count with an
    unknown word, such as "Count sheet", beside another quantity; the quantity of a location; single units beside packs.

    Args:
        headers: All headers.
        positions: The columns without another meaning.
        is_numeric: Returns whether all values of a column are numbers.
        signed: Whether the quantities are changes, not counts.
    """
    found: dict[str, list[int]] = {}
    for position in positions:
        kind = _classify(headers[position], signed=signed)
        if kind and not is_numeric(position) and normalize_header(headers[position]) not in HEADER_WORDS["quantity"]:
            kind = "text" if kind == "counted" else ""
        found.setdefault(kind, []).append(position)
    counted, unclear, parts = (found.get(kind, []) for kind in ("counted", "unclear", "part"))
    if set(headers) >= OWN_HEADERS:
        own = [position for position in positions if normalize_header(headers[position]) == "quantity"]
        return counted or [*own, *unclear, *parts]
    chosen = counted or [*found.get("quantity", []), *unclear]
    if not chosen or set(normalize_header(headers[chosen[0]]).split()) & SINGLE_WORDS:
        chosen = [*chosen, *found.get("packs", [])]
    return [*chosen, *parts] or found.get("text", [])  # the lines of a text are refused


def _classify(header: str, *, signed: bool) -> str:
    """Return what a header says: counted, unclear (counted, and something else), quantity, part, packs; or nothing."""
    normalized = normalize_header(header)
    words = set(normalized.split())
    is_known = normalized in HEADER_WORDS["quantity"]
    is_quantity = is_known or bool(words & QUANTITY_WORDS)
    if signed:
        is_wanted, other = bool(words & CHANGE_WORDS), words & (OTHER_WORDS - CHANGE_WORDS)
    else:
        is_wanted = bool(words & COUNT_WORDS) or (is_quantity and bool(words & NEW_WORDS))
        other = words & (OTHER_WORDS | CHANGE_WORDS)
    if other and not is_known:
        is_part = other <= LOCATION_WORDS and (is_wanted or words & AMOUNT_WORDS)
        return "part" if is_part else ""
    if is_wanted:
        return "counted" if signed or (_is_clear(words) and not header.endswith(LABEL_MARKS)) else "unclear"
    if is_quantity or (words & NEW_WORDS and not signed):
        return "quantity"
    return "packs" if words & PACK_HEADER_WORDS else ""


def _is_clear(words: set[str]) -> bool:
    """Return whether a header certainly means units: it says so, or all its words are understood, numbers aside."""
    known = COUNT_WORDS | QUANTITY_WORDS | NEW_WORDS | PLAIN_WORDS | PACK_HEADER_WORDS
    return bool(words & AMOUNT_WORDS) or all(word in known or word.isdecimal() for word in words)


def _choose_only(positions: Sequence[int], headers: Sequence[str], ours: str, name: str) -> int:
    if len(positions) == 1:
        return positions[0]
    fit = [headers[position] for position in positions]
    advice = (
        f"Choose one with {name_argument('columns', {ours: fit[0]})}" if len(set(fit)) > 1 else "Rename one of them"
    )
    raise InvalidRequestError(
        f"{name} has more than one column that may be {ours}: {' and '.join(map(repr, fit))}. {advice}. Nothing was read."
    )
