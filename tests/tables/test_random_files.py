"""Whatever people and programs write, it is read exactly or refused."""

from __future__ import annotations

import io

import pytest
from support.damaged_files import build_file

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError

FILES = 300


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, FILES, 50))
def test_a_random_file_is_read_exactly_or_refused(start: int) -> None:
    """`python benchmarks/files.py` reads 10,000; a file without a question must be read."""
    for seed in range(start, start + 50):
        file = build_file(seed)
        try:
            counts = cn.read_counts(io.BytesIO(file.content))
        except InvalidRequestError as error:
            assert "\n" not in str(error)  # noqa: PT017 - it may also be read
            assert not file.must_be_read, (file.seed, file.kind, file.damages, str(error))  # noqa: PT017
            continue
        found = list(counts[["warehouse_code", "product_sku", "quantity"]].itertuples(index=False, name=None))
        assert found == file.rows, (file.seed, file.kind, file.damages)
