"""Test that batches have every row once, one warehouse each, in frame order."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.submissions.plan import plan_batches

ROWS = st.lists(
    st.tuples(st.sampled_from(["E", "W", "N"]), st.one_of(st.none(), st.integers(-5, 5)), st.booleans()), max_size=40
)


@given(ROWS, st.integers(1, 7), st.integers(0, 9))
def test_every_row_is_in_one_batch(rows: list[tuple[str, int | None, bool]], batch_size: int, canary: int) -> None:
    """This holds for any sizes, warehouses, order, held rows and canary."""
    frame = pd.DataFrame(
        {
            "warehouse_code": pd.Series([code for code, _, _ in rows], dtype="str"),
            "product_sku": pd.Series([f"S{i}" for i in range(len(rows))], dtype="str"),
            "type": pd.Series(["TRUE_UP"] * len(rows), dtype="str"),
            "quantity": pd.Series(range(len(rows)), dtype="int64"),
            "current_quantity": pd.Series([now for _, now, _ in rows], dtype="Int64"),
            "before_quantity": pd.Series([now for _, now, _ in rows], dtype="Int64"),
            "outcome": pd.Series(["held" if held else "not_sent" for _, _, held in rows], dtype="str"),
            "message": pd.Series(["why" if held else None for _, _, held in rows], dtype="str"),
        }
    )
    planned = plan_batches("s", frame, batch_size=batch_size, canary=canary, before_at="2026-03-01T12:00:00+00:00")
    made = list(planned.rows())
    assert [row.item for row in made] == list(range(len(rows)))
    assert sorted((row.product_sku, row.quantity, row.current_quantity) for row in made) == sorted(
        (f"S{i}", i, now) for i, (_, now, _) in enumerate(rows)
    )
    by_batch: dict[int, list[str]] = {}
    for row in made:
        batch = planned.batches[row.batch]
        assert (batch.place, row.row) == (row.warehouse_code, len(by_batch.get(row.batch, ())))
        assert (row.outcome, row.message) == (("held", "why") if batch.state == "held" else ("not_sent", None))
        by_batch.setdefault(row.batch, []).append(str(row.product_sku))
    assert [len(by_batch[number]) for number in range(len(planned.batches))] == [
        batch.rows for batch in planned.batches
    ]
    assert max((batch.rows for batch in planned.batches), default=0) <= batch_size
    going = [row for row in made if row.outcome == "not_sent"]
    for code in {row.warehouse_code for row in going}:
        numbers = [row.quantity for row in going if row.warehouse_code == code]
        assert numbers == sorted(numbers)
    assert planned.canary_rows == min(canary, len(going))
    of_canary = {row.batch for row in made if row.item < planned.canary_rows}
    assert sum(planned.batches[number].rows for number in of_canary) == planned.canary_rows
