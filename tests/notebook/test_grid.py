"""Test the grid's kernel side: messages in both directions, and the view without a kernel."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook.grid.columns import Column, encode_frame
from cenports_nb.notebook.grid.static_table import render_static_table
from cenports_nb.notebook.grid.widget import Grid, decode_ranges, encode_ranges

NAUGHTY = "<img src=x onerror=alert(1)>"

COLUMNS = [
    Column("sku", "SKU"),
    Column("units", "Units", "number"),
    Column("change", "Change", "bar"),
    Column("at", "At", "instant"),
    Column("known", "Known", "flag"),
]


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "sku": pd.Series(["0012", NAUGHTY, None], dtype="str"),
            "units": pd.array([1200, None, 3], dtype="Int64"),
            "change": pd.array([-1200, 5, 0], dtype="Int64"),
            "at": pd.to_datetime(["2026-01-01T23:30Z", None, "2026-07-01T00:00Z"], utc=True).as_unit("us"),
            "known": pd.array([True, False, None], dtype="boolean"),
        }
    ).set_axis([7, 7, 9])


@given(st.lists(st.booleans(), max_size=60))
def test_ranges_stand_for_the_rows_that_are_selected(selected: list[bool]) -> None:
    """Ranges encode the selected rows in as few numbers as possible."""
    mask = np.array(selected, dtype=bool)
    ranges = encode_ranges(mask)
    assert decode_ranges(ranges, len(selected)).tolist() == selected
    assert len(ranges) == 2 * sum(on and not before for on, before in zip(selected, [False, *selected], strict=False))


@pytest.mark.parametrize("ranges", [[0], [2, 1], [0, 9], [-1, 2], [0, 2, 1, 3], ["0", 1], [True, 2], [0.0, 1]])
def test_invalid_ranges_select_nothing(ranges: list[object]) -> None:
    """An invalid message selects nothing."""
    assert decode_ranges(ranges, 4) is None


def test_a_frame_goes_to_the_page_column_by_column(frame: pd.DataFrame) -> None:
    """Identifiers are text, nulls null, instants in the given zone; the index is not sent."""
    assert json.loads(encode_frame(frame, COLUMNS, "Europe/Berlin")) == {
        "sku": ["0012", NAUGHTY, None],
        "units": [1200, None, 3],
        "change": [-1200, 5, 0],
        "at": ["2026-01-02 00:30", None, "2026-07-01 02:00"],
        "known": [True, False, None],
    }


def test_an_empty_frame_is_no_special_case(frame: pd.DataFrame) -> None:
    """It has the same columns."""
    grid = Grid.from_frame(frame.iloc[:0], COLUMNS, label="SKUs", selected=np.zeros(0, dtype=bool))
    assert msgspec.json.decode(grid.data) == {"sku": [], "units": [], "change": [], "at": [], "known": []}
    assert grid.selected.tolist() == []


def test_a_column_that_is_not_there_is_named(frame: pd.DataFrame) -> None:
    """The one-line error comes before anything is shown."""
    with pytest.raises(InvalidRequestError, match="The grid needs the columns nobody, which the frame lacks"):
        Grid.from_frame(frame, [Column("nobody", "Nobody")], label="SKUs")


def test_the_selection_of_the_page_arrives(frame: pd.DataFrame) -> None:
    """It is a mask of the frame's rows, whatever their labels, and listeners are called."""
    grid = Grid.from_frame(frame, COLUMNS, label="SKUs", selected=np.ones(3, dtype=bool))
    changes: list[list[int]] = []
    grid.observe(lambda change: changes.append(change["new"]), "selection")
    grid.handle_message({"selection": [0, 1, 2, 3], "selection_version": 1})
    assert grid.selected.tolist() == [True, False, True]
    assert changes == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    "content",
    [{"selection": [0, 9], "selection_version": 1}, {"selection": [0, 1]}, {"selection": "all", "selection_version": 1}, {"open_row": 3}, {"open_row": "0"}, {"row": 0}],
)  # fmt: skip
def test_a_message_that_makes_no_sense_changes_nothing(frame: pd.DataFrame, content: dict[str, object]) -> None:
    """Neither the selection nor the open row changes."""
    grid = Grid.from_frame(frame, COLUMNS, label="SKUs", selected=np.ones(3, dtype=bool))
    grid.handle_message(content)
    assert grid.selected.all()
    assert grid.open_row == -1


def test_a_selection_of_the_kernel_is_newer_than_that_of_the_page(frame: pd.DataFrame) -> None:
    """The version increases, so that the page accepts it."""
    grid = Grid.from_frame(frame, COLUMNS, label="SKUs", selected=np.ones(3, dtype=bool))
    grid.handle_message({"selection": [], "selection_version": 5})
    grid.select(np.array([False, True, False]))
    assert (grid.selection_version, grid.selection) == (6, [1, 2])


def test_an_action_comes_with_its_row(frame: pd.DataFrame) -> None:
    """A button's action is passed to listeners with the row."""
    grid = Grid.from_frame(frame, COLUMNS, label="SKUs")
    actions: list[tuple[str, int]] = []
    opened_rows: list[int] = []
    grid.on_action = lambda action, row: actions.append((action, row))
    grid.on_open = opened_rows.append
    grid.handle_message({"action": "show", "row": 2})
    grid.handle_message({"open_row": 1})
    assert actions == [("show", 2)]
    assert grid.open_row == 1
    grid.handle_message({"open_row": 1})  # a page that was loaded again asks for the same row
    assert opened_rows == [1, 1]


def test_without_a_kernel_a_table_stands(frame: pd.DataFrame) -> None:
    """It has the first rows with their selection, formatted numbers, escaped text, and the number of other rows."""
    page = render_static_table(frame, COLUMNS, selected=np.array([True, False, True]), max_rows=2)
    assert "<img" not in page
    assert "&lt;img" in page
    assert '<td>☑ yes</td><td>0012</td><td class="n">1,200</td><td class="n">−1,200</td>' in page
    assert "☐ no" in page
    assert "1 more row." in page


def test_amounts_stand_to_the_cent_and_a_plain_day_stays_a_day() -> None:
    """Amounts have two decimals; times that are already text are not converted."""
    frame = pd.DataFrame({"total": [1374.6, -0.5], "at": ["2026-01-01", "2026-01-01 09:30"]})
    columns = [Column("total", "Total", "money"), Column("at", "At", "instant")]
    assert json.loads(encode_frame(frame, columns, "Asia/Tokyo"))["at"] == ["2026-01-01", "2026-01-01 09:30"]
    page = render_static_table(frame, columns)
    assert '<td class="n">1,374.60</td>' in page
    assert '<td class="n">−0.50</td>' in page
