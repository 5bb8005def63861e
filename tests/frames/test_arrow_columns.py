"""Test sentences written for a whole column at once."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cenports_nb.frames.arrow_columns import join_text, repeat_text


def test_words_columns_and_numbers_become_one_sentence_a_row() -> None:
    """Nulls become empty text, numbers their digits."""
    names = pd.Series(["A", None, "C"], dtype="str")
    written = join_text("SKU '", names, "' has ", np.array([1, -2, 30_000]), " units")
    assert written.tolist() == ["SKU 'A' has 1 units", "SKU '' has -2 units", "SKU 'C' has 30000 units"]
    assert written.dtype == "str"


@pytest.mark.parametrize("rows", [0, 1])
def test_there_may_be_no_row(rows: int) -> None:
    """Without rows there are no sentences."""
    assert len(join_text("a ", repeat_text("b", rows), " c")) == rows
