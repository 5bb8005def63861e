"""Bytes -> text: Unicode is detected, another encoding must be named or is a question with candidates."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Collection
from dataclasses import replace

import pyarrow as arrow
import pyarrow.compute as pc

from cenports_nb.errors import InvalidRequestError
from cenports_nb.frames.arrow_columns import ARROW_TEXT
from cenports_nb.rendering.surface import name_argument
from cenports_nb.rendering.text import truncate
from cenports_nb.tables.headers import Score, join_lines
from cenports_nb.tables.table import Table

CANDIDATES = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "iso8859-15", "mac_roman", "cp850", "cp437"),
    *("cp932", "gb18030", "big5", "cp949", "euc_jp"),
)
"""Candidates for text that isn't Unicode: Windows and Mac in Europe, DOS, then Japan, China, Taiwan and Korea."""
HEAD_BYTES = 4_096
MAX_SHOWN_CANDIDATES = 8
REVERSIBLE = "latin-1"
"""Reads every byte as one character, so that columns can be decoded later."""
UNLIKELY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2500-\u259f\ue000-\uf8ff\ufffd]")
"""Control, box-drawing and private characters: no table has them, so an encoding that yields them is wrong."""
BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def decode_text(content: bytes, name: str, encoding: str | None) -> tuple[str, bool]:
    """Decode a text file.

    Args:
        content: Its bytes.
        name: Its name in errors.
        encoding: The encoding that the person named; None to detect it.

    Returns:
        The text, and whether it is provisional: not Unicode, with each byte as one character.

    Raises:
        InvalidRequestError: The encoding is unknown, or the bytes don't fit it.
    """
    if encoding is not None:
        return _decode_as(content, name, encoding), False
    for bom, found in BOMS:
        if content.startswith(bom):
            return _decode_as(content, name, found), False
    head = content[:HEAD_BYTES]
    if b"\x00" in head:
        low, high = head[1::2].count(0), head[::2].count(0)  # each character of European text has a 0 byte
        if max(low, high) < len(head) // 4:
            raise _refuse_bytes(name)
        return _decode_as(content, name, "utf-16-le" if low > high else "utf-16-be"), False
    try:
        return content.decode("utf-8"), False
    except UnicodeDecodeError:
        return content.decode(REVERSIBLE), True


def decode_headers(table: Table, score: Score) -> Table:
    """Decode the headers of a text file by the encodings in which most of them are known.

    Raises:
        InvalidRequestError: No encoding can read them.
    """
    readings = {encoding: _read_all(table.headers, encoding) for encoding in CANDIDATES}
    found = {
        encoding: [reading[header] for header in table.headers] for encoding, reading in readings.items() if reading
    }
    if not found:
        raise _refuse_bytes(table.name)
    scores = {encoding: score(headers) for encoding, headers in found.items()}
    possible = tuple(encoding for encoding in found if scores[encoding] == max(scores.values()))
    return replace(table, headers=tuple(map(join_lines, found[possible[0]])), encodings=possible)


def decode_columns(table: Table, positions: Collection[int], *, shows_values: bool = True) -> Table:
    """Decode the columns that are read, where all possible encodings agree.

    Args:
        table: The table.
        positions: The positions of these columns.
        shows_values: Whether an error may show their values; not if they are personal.

    Raises:
        InvalidRequestError: The encodings differ; the message shows what each makes of a cell.
    """
    cells = {position: _find_unusual(table, position) for position in positions}
    words = [word for found in cells.values() for word in found]
    if not table.encodings or not words:
        return replace(table, encodings=())
    readings = {encoding: _read_all(words, encoding) for encoding in table.encodings}
    possible = {encoding: reading for encoding, reading in readings.items() if reading is not None}
    if not possible:
        raise _refuse_bytes(table.name)
    for position, found in cells.items():
        for word in found:
            if len({reading[word] for reading in possible.values()}) > 1:
                raise _ask(
                    table,
                    position,
                    word,
                    {encoding: reading[word] for encoding, reading in possible.items()},
                    shows_values,
                )
    reading = next(iter(possible.values()))
    columns = [
        _decode_column(column, reading) if position in positions else column
        for position, column in enumerate(table.columns)
    ]
    return replace(table, columns=tuple(columns), encodings=())


def _refuse_bytes(name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"{name} is not UTF-8 text, nor any other that is known: save it as CSV UTF-8, or name its encoding with "
        f"{name_argument('encoding')}. Nothing was read."
    )


def _decode_as(content: bytes, name: str, encoding: str) -> str:
    try:
        found = codecs.lookup(encoding)
    except (LookupError, TypeError, ValueError):
        raise InvalidRequestError(
            f"There is no encoding {encoding!r}: use one such as 'cp1252', 'shift_jis' or 'utf-8'."
        ) from None
    try:
        text = content.decode(found.name)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidRequestError(
            f"{name} is not text of {encoding} (line {line}): save it as CSV UTF-8, or name its encoding with {name_argument('encoding')}."
        ) from None
    except (UnicodeError, LookupError):
        raise InvalidRequestError(
            f"{name_argument('encoding', encoding)} isn't an encoding of text: use one such as 'cp1252'."
        ) from None
    text = text.removeprefix("\ufeff")
    if "\x00" in text:
        raise InvalidRequestError(f"{name} is not text of {encoding}: save it as CSV UTF-8. Nothing was read.")
    return text


def _find_unusual(table: Table, position: int) -> list[str]:
    """List the distinct cells of a column that are not ASCII."""
    found = pc.unique(table.columns[position].drop_null())
    return [str(word) for word in found.filter(pc.invert(pc.string_is_ascii(found))).to_pylist()]


def _read_all(words: Collection[str], encoding: str) -> dict[str, str] | None:
    """Decode every word in an encoding; None if one can't be decoded."""
    try:
        reading = {word: word.encode(REVERSIBLE).decode(encoding) for word in words}
    except (UnicodeDecodeError, UnicodeEncodeError):
        return None
    return None if any(UNLIKELY.search(text) for text in reading.values()) else reading


def _decode_column(column: arrow.ChunkedArray, reading: dict[str, str]) -> arrow.ChunkedArray:
    decoded = [reading.get(word, word) if word else word for word in column.to_pylist()]
    return arrow.chunked_array([arrow.array(decoded, ARROW_TEXT)])


def _ask(
    table: Table,
    position: int,
    word: str,
    readings: dict[str, str],
    shows_values: bool,
) -> InvalidRequestError:
    """Ask which encoding a file has, with what each candidate makes of one cell."""
    distinct: dict[str, str] = {}
    for encoding, text in readings.items():
        distinct.setdefault(text, encoding)
    likely = sorted(distinct, key=_count_oddities)[:MAX_SHOWN_CANDIDATES]
    shown = [f"{truncate(text, 30)!r} ({distinct[text]})" if shows_values else distinct[text] for text in likely]
    line = table.lines[pc.index(table.columns[position], word).as_py()]
    return InvalidRequestError(
        f"{table.name} is not UTF-8, and {table.headers[position]!r} in {table.line} {line} may be "
        f"{' or '.join([', '.join(shown[:-1]), shown[-1]])}: name the right one with {name_argument('encoding', distinct[likely[0]])}, "
        "or save the file as CSV UTF-8. Nothing was read."
    )


def _count_oddities(text: str) -> int:
    """Count what makes a decoding unlikely: non-ASCII symbols, and letters of more than one script."""
    unusual = [char for char in text if not char.isascii()]
    scripts = {unicodedata.name(char, "?").split()[0] for char in text if char.isalpha()}
    symbols = sum(not char.isalpha() for char in unusual)
    return symbols + max(0, len(scripts - {"LATIN"}) - 1) + ("LATIN" in scripts and len(scripts) > 1)
