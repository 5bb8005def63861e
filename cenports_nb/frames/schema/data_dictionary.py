"""The data dictionary: every column of every frame, written from the schemas.

`python -m cenports_nb.frames.schema.data_dictionary > docs/data-dictionary.md` renews it.
"""

from __future__ import annotations

import sys
from typing import Any

from cenports_nb.frames.schema import schemas

INTRODUCTION = """\
# Data dictionary

What each frame holds, column by column. Written by `python -m cenports_nb.frames.schema.data_dictionary`; in Python,
`cn.schemas.describe(cn.schemas.Orders)` returns the same as a frame and `cn.schemas.Orders.example()` some made-up rows.

Instants are UTC to the microsecond, days are midnights without a zone, money is in the order's own currency as sent,
quantities are whole units. A **bold** column belongs to the key, which is unique in its frame. *Personal* columns
identify a person: views show pseudonyms of that kind instead, and so does `cn.mask_pii(frame)`.
"""


def write_dictionary() -> str:
    """Write the data dictionary as Markdown."""
    models = [getattr(schemas, name) for name in schemas.__all__ if name != "describe"]
    return "\n".join([INTRODUCTION, *(_write_section(model) for model in models)])


def _write_section(model: Any) -> str:
    heads = ("column", "dtype", "null", "unit", "personal", "meaning", "source", "example")
    lines = [f"## {model.__name__}", "", model.__doc__ or "", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in schemas.describe(model).to_dict("records"):
        cells = {
            **row,
            "column": f"**`{row['column']}`**" if row["key"] else f"`{row['column']}`",
            "null": "yes" if row["null"] else "",
            "source": f"`{row['source']}`" if "." in row["source"] or " " not in row["source"] else row["source"],
            "example": f"`{row['example']}`",
        }
        lines.append(f"| {' | '.join(str(cells[head]) for head in heads)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.buffer.write(write_dictionary().encode())  # UTF-8 whatever the terminal speaks
