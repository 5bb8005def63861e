"""Test frames and plans in a terminal: alignment, complete totals, and no control characters."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from support import chart_frames as made

from cenports_nb.notebook.tracker.row_details import render_row_details
from cenports_nb.rendering.text import make_printable
from cenports_nb.rendering.text_table import format_table
from cenports_nb.stock.plans.plan_text import build_plan_table, format_plan
from cenports_nb.submissions.tracking.snapshot import BatchView, RowView, Snapshot
from cenports_nb.submissions.tracking.status_table import format_status, render_status

NOTHING = pd.DataFrame({name: pd.Series([], dtype="str") for name in ("warehouse_code", "product_sku", "message")})


def plan(*rows: tuple[str, str, str, int | None, int]) -> pd.DataFrame:
    names = ["warehouse_code", "product_sku", "type", "current_quantity", "quantity"]
    frame = pd.DataFrame(rows, columns=names).astype({"current_quantity": "Int64", "quantity": "int64"})
    return build_plan_table(frame.astype(dict.fromkeys(names[:3], "str")))


def test_numbers_stand_right_and_words_left() -> None:
    """Nulls are blank, instants UTC, thousands grouped."""
    frame = pd.DataFrame(
        {
            "sku": pd.Series(["0001", None], dtype="str"),
            "units": pd.Series([1234, None], dtype="Int64"),
            "read_at": pd.to_datetime(["2026-03-01T12:00:00+01:00", None], utc=True),
            "note": pd.Series(["a", "b"], dtype="str"),
        }
    )
    assert format_table(frame) == (
        "sku   units  read at               note\n"
        "0001  1,234  2026-03-01 11:00:00Z  a\n"
        "                                   b"
    )  # fmt: skip


@given(st.text())
def test_no_text_moves_a_cursor(text: str) -> None:
    """Escape sequences, bells and line breaks in SKUs and messages are shown escaped."""
    assert make_printable(text).isprintable()
    assert len(make_printable(text)) == len(text)
    frame = pd.DataFrame({"sku": pd.Series([text], dtype="object")})
    assert format_table(frame).count("\n") == 1


@given(st.text(min_size=1))
def test_a_tracker_shows_texts_as_texts(text: str) -> None:
    """Places, row names, messages and errors add no line in a terminal and no tag in a page."""
    batch = BatchView(0, text, 1, text, "h", made.AT, made.AT, {"rejected": 1}, ((text, text),), message_count=1)
    seen = Snapshot("s-1", made.AT, (batch,), settled=True)
    assert format_status([seen]).count("\n") == 2
    assert all(line.isprintable() for line in format_status([seen]).split("\n"))
    row = RowView(text, 1, 2, "rejected", text)
    plain = replace(batch, place="W", status="FAILED", messages=(("S", "m"),))
    harmless = replace(seen, batches=(plain,))
    assert render_status([seen], text).count("<") == render_status([harmless], "note").count("<")
    folds = [
        "".join(render_row_details([one], lambda *_, shown=shown: [shown]))
        for one, shown in ((seen, row), (harmless, replace(row, name="S", message="m")))
    ]
    assert folds[0].count("<") == folds[1].count("<")


def test_a_frame_without_rows_is_its_header() -> None:
    """A frame without columns is empty text."""
    assert format_table(pd.DataFrame({"a": [], "b": []})) == "a  b"
    assert format_table(pd.DataFrame()) == ""


def test_a_change_is_shown_as_what_it_makes_of_the_stock() -> None:
    """TRUE_UP sets, DIFFERENTIAL adds, and an unknown SKU starts at 0."""
    seen = plan(("W", "A", "TRUE_UP", 10, 7), ("W", "B", "DIFFERENTIAL", 10, 4), ("W", "C", "TRUE_UP", None, 5))
    assert seen["new"].tolist() == [7, 14, 5]
    assert seen["change"].tolist() == [-3, 4, pd.NA]
    assert format_plan(seen, NOTHING).splitlines() == [
        "warehouse  SKU  now  new  change",
        "W          C           5",
        "W          B     10   14      +4",
        "W          A     10    7      -3",
        "",
        "W: 3 rows, 9 units up, 3 units down",
    ]


def test_objections_stand_beside_their_rows_and_those_of_all_below() -> None:
    """A row with an objection is shown even if its change is small."""
    seen = plan(*(("W", f"{i:02}", "TRUE_UP", 0, 100 + i) for i in range(40)), ("W", "99", "TRUE_UP", 1, 2))
    objections = pd.DataFrame(
        {
            "warehouse_code": ["W", "W", "W"],
            "product_sku": pd.Series(["99", "99", None], dtype="str"),
            "message": ["max_drop: less", "in_flight: earlier", "max_total_drop: W loses much"],
        }
    )
    lines = format_plan(seen, objections).splitlines()
    assert "W          99     1    2      +1  max_drop: less; in_flight: earlier" in lines
    assert "… and 10 more rows" in lines
    assert lines[-1] == "Objection to max_total_drop: W loses much"


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["W", "X"]), st.integers(0, 999).map(str), st.sampled_from(["TRUE_UP", "DIFFERENTIAL"]),
            st.none() | st.integers(0, 1000), st.integers(0, 1000),
        ),
        min_size=1, max_size=60, unique_by=lambda row: row[:2],
    )
)  # fmt: skip
def test_totals_are_of_all_rows_shown_or_not(rows: list[tuple[str, str, str, int | None, int]]) -> None:
    """Units added minus units removed equal the sum of all changes."""
    seen = plan(*rows)
    lines = [line for line in format_plan(seen, NOTHING).splitlines() if " down" in line]
    sums = {}
    for line in lines:
        code, _, reported = line.partition(": ")
        numbers = [int(word.replace(",", "")) for word in reported.split() if word[0].isdigit()]
        sums[code] = (numbers[0], numbers[1] - numbers[2])
    change = seen["change"].fillna(seen["new"]).fillna(0)
    expected = {code: (int((seen["warehouse_code"] == code).sum()), int(change[seen["warehouse_code"] == code].sum())) for code in set(seen["warehouse_code"])}  # fmt: skip
    assert sums == expected


def test_a_plan_of_a_million_rows_is_shown() -> None:
    """It shows thirty rows and the totals of all."""
    rows = 1_000_000
    codes = pd.Series(["W"] * rows, dtype="str")
    frame = pd.DataFrame(
        {"warehouse_code": codes, "product_sku": pd.RangeIndex(rows).astype("str"), "type": "TRUE_UP",
         "current_quantity": pd.Series(0, index=codes.index, dtype="Int64"), "quantity": 1},
    )  # fmt: skip
    lines = format_plan(build_plan_table(frame), NOTHING).splitlines()
    assert (len(lines), lines[-1]) == (34, "W: 1,000,000 rows, 1,000,000 units up, 0 units down")
