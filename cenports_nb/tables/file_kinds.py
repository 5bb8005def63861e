"""What a file is, by its content: a workbook, Parquet or text, or why it can't be read."""

from __future__ import annotations

import io
import re
from typing import Literal
from zipfile import BadZipFile, ZipFile
from zlib import error as zlib_error

from cenports_nb.errors import InvalidRequestError

FileKind = Literal["parquet", "workbook", "text"]

MAX_UNPACKED_BYTES = 2**30
HEAD_BYTES = 4_096
AS_WORKBOOK = "open it in Excel or LibreOffice and save it as Excel Workbook (.xlsx)"
AS_TEXT = "save it as CSV UTF-8"
OLE_START = b"\xd0\xcf\x11\xe0"
STARTS = (
    (b"%PDF", "is a PDF", "ask for the table itself, as CSV or Excel Workbook (.xlsx)"),
    (b"\x1f\x8b", "is compressed with gzip", "unpack it first"),
    (b"7z\xbc\xaf", "is a 7z archive", "unpack it first"),
    (b"Rar!", "is a RAR archive", "unpack it first"),
    (b"{\\rtf", "is a text document (RTF)", AS_WORKBOOK),
    (b"SQLite format 3", "is a SQLite database", "export the table as CSV UTF-8"),
)
"""First bytes of a file, what it is, and what to do."""
PARTS = (
    ("xl/workbook.bin", "is a binary workbook (.xlsb)", AS_WORKBOOK),
    ("word/document.xml", "is a Word document", "copy the table into Excel and save it as Excel Workbook (.xlsx)"),
    ("ppt/presentation.xml", "is a presentation", "copy the table into Excel and save it as Excel Workbook (.xlsx)"),
    ("Index/Document.iwa", "is a Numbers document", "export it as Excel from Numbers"),
)
"""A part that only such an archive has, what it is, and what to do."""


def detect_kind(content: bytes, name: str) -> FileKind:
    """Detect what a file is.

    Raises:
        InvalidRequestError: It can't be read as a table.
    """
    if content[:4] == b"PAR1":
        return "parquet"
    if content[:4] == b"PK\x03\x04" or content[:4] == b"PK\x05\x06":
        _check_archive(content, name)
        return "workbook"
    if content[:4] == OLE_START:
        if "EncryptedPackage".encode("utf-16-le") in content:
            raise refuse_kind(name, "is a workbook with a password", "save a copy of it without one")
        raise refuse_kind(name, "is an old Excel workbook (.xls)", AS_WORKBOOK)
    for start, what, advice in STARTS:
        if content.startswith(start):
            raise refuse_kind(name, what, advice)
    return "text"


def refuse_markup(text: str, name: str) -> None:
    """Refuse text that is HTML, XML or JSON, whatever the file's name.

    Raises:
        InvalidRequestError: It is one of them.
    """
    head = text[:HEAD_BYTES].lstrip("\ufeff \t\r\n").lower()
    if "urn:schemas-microsoft-com:office:spreadsheet" in head:
        raise refuse_kind(name, "is an XML spreadsheet of 2003", AS_WORKBOOK)
    if head.startswith("mime-version:") or re.match(r"<(!doctype html|html|table|meta|head|body|div|!--)", head):
        raise refuse_kind(name, "is a web page (HTML), whatever its ending says", AS_WORKBOOK)
    if head.startswith("<?xml") or re.match(r"<[a-z][\w:.-]*[ />]", head):
        raise refuse_kind(name, "is XML", "ask for the table as CSV or Excel Workbook (.xlsx)")
    if re.match(r'(\{\s*"|\[\s*[\[{"])', head):
        raise refuse_kind(name, "is JSON", "write it as CSV UTF-8")


def refuse_kind(name: str, what: str, advice: str) -> InvalidRequestError:
    """Build the error that says what a file is, and what to do with it."""
    return InvalidRequestError(f"{name} {what}, which can't be read: {advice}. Nothing was read.")


def refuse_damaged(name: str) -> InvalidRequestError:
    """Build the error about a truncated or damaged workbook."""
    return InvalidRequestError(
        f"{name} is cut short or damaged: copy or download it again, or open it in Excel and save it. Nothing was read."
    )


def _check_archive(content: bytes, name: str) -> None:
    """Check that a zip archive is an ordinary workbook of limited size."""
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            parts = {part.filename: part for part in archive.infolist()}
            kind = archive.read("mimetype")[:80] if "mimetype" in parts else b""
            book = archive.read("xl/workbook.xml") if "xl/workbook.xml" in parts else b""
    except (BadZipFile, zlib_error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError, LookupError):
        raise refuse_damaged(name) from None
    if b"opendocument" in kind:
        raise refuse_kind(name, "is an OpenDocument file (.ods)", AS_WORKBOOK)
    for part, what, advice in PARTS:
        if part in parts:
            raise refuse_kind(name, what, advice)
    if "[Content_Types].xml" not in parts:
        raise refuse_kind(name, "is a zip archive", "unpack it first, and read the table in it")
    if b"purl.oclc.org/ooxml" in book:
        raise refuse_kind(
            name, "is a Strict Open XML workbook", "save it as the file type 'Excel Workbook', or as CSV UTF-8"
        )
    if sum(part.file_size for part in parts.values()) > MAX_UNPACKED_BYTES:
        raise refuse_kind(name, "unpacks to more than 1 GiB", "split it into several files")
