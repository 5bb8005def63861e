"""Looks for a text in every file of a folder, in what is compressed too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pyarrow import parquet


def find_in_files(folder: Path, texts: Iterable[str]) -> set[str]:
    """List which of the texts stand in any file: in its bytes, and in the values and metadata of Parquet."""
    wanted, found = list(texts), set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                file = parquet.ParquetFile(path)
                metadata = f"{file.schema_arrow.metadata} {file.metadata.to_dict()}"
                content += f"{file.read().to_pylist()} {metadata}".encode()
            found |= {text for text in wanted if text.encode() in content}
    return found
