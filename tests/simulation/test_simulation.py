"""Test random histories of writes against the server's records, and that past faults are found."""

from __future__ import annotations

import pytest

from simulation import runner
from simulation.history import FEW_SKUS
from simulation.mutants import MUTANTS, put_back

pytestmark = pytest.mark.slow

QUICKLY_FOUND = (
    "303, 408, 409 and 499 are refusals", "a batch leaves before it is written down",
    "a lost answer means that nothing arrived", "what a dead process was sending was not sent",
    "errors that name no row are overlooked", "an unknown final word keeps rows pending", "a dropped row is nowhere",
    "evidence may be of any age when a batch leaves",
)  # fmt: skip
"""Those that a few hundred histories find; `benchmarks/simulate.py --mutants` looks for all of them."""


@pytest.mark.parametrize("start", range(0, 500, 250))
def test_no_history_breaks_an_invariant(start: int) -> None:
    """Whatever is killed, interrupted, suspended, answered late, lost, or asked again."""
    result = runner.run_histories(start, 250)
    assert result.failure is None, "\n".join(map(str, result.failure or ()))
    assert result.histories == 250


@pytest.mark.parametrize("name", QUICKLY_FOUND)
def test_a_fault_of_the_past_is_found(name: str) -> None:
    """The simulation can fail."""
    with put_back(name):
        assert runner.run_histories(0, 1_000, skus=FEW_SKUS).failure is not None


def test_every_fault_of_the_past_can_be_put_back() -> None:
    """What its patches replace exists."""
    for name in MUTANTS:
        with put_back(name):
            pass


def test_a_seed_decides_its_whole_history() -> None:
    """So that one that fails can be looked at again, and shrunk."""
    with put_back("303, 408, 409 and 499 are refusals"):
        first = runner.run_histories(0, 1_000).failure
        assert first is not None
        seed, length, verdict, steps = first
        assert runner.replay(seed) == (seed, length, verdict, steps)
        assert length <= runner.LENGTH
