"""The origin of a frame, as tests compare it."""

import pandas as pd

import cenports_nb as cn


def read_origin(frame: pd.DataFrame) -> cn.Provenance:
    """Return the provenance that a frame must have."""
    found = cn.provenance(frame)
    assert found is not None
    return found


def count_answers(frame: pd.DataFrame) -> tuple[int, int]:
    """Return how many answers were fetched, and how many came from the cache."""
    return read_origin(frame).requests, read_origin(frame).cached
