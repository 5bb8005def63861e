"""What a person plans: rows with numbers made of the stock that was just read, and the batches that they are cut into."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from msgspec.structs import replace

from cenports_nb.submissions.rules.models import Batch, Head, Row


def plan_row(
    random: Random, head: Head, item: int, key: tuple[str, str], kind: str, reference: str | None, now: int, at: str
) -> Row:
    """Plan a change that no guard objects to."""
    falls = (-9, -5, -2) if now >= 20 else ()
    change = random.choice((2, 5, 30, *falls, *((-3_001,) if now > 7_000 else ())))
    quantity = now + change if kind == "TRUE_UP" else change
    return Row(head.submission_id, item, 0, 0, *key, kind, quantity, now, now, at, reference=reference)


def cut_into_batches(rows: Sequence[Row], size: int) -> tuple[list[Batch], list[Row]]:
    """Cut rows into batches of one warehouse each."""
    batches: list[Batch] = []
    placed: list[Row] = []
    for row in rows:
        last = batches[-1] if batches else None
        if last is None or last.place != row.warehouse_code or last.rows == size:
            last = Batch(row.submission_id, len(batches), row.warehouse_code or "", 0)
            batches.append(last)
        placed.append(replace(row, batch=last.batch, row=last.rows))
        batches[-1] = replace(last, rows=last.rows + 1)
    return batches, placed
