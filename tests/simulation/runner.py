"""Runs many histories, and shrinks one that fails to the shortest that does."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import combinations

from simulation.history import SKUS, History, VerdictError

LENGTH = 14


@dataclass
class Result:
    """What a run found.

    Attributes:
        histories: How many were run.
        failure: The seed, length and verdict of the first that failed, and its steps.
        covered: How often each action, fault and transition was met.
    """

    histories: int = 0
    failure: tuple[int, int, str, list[str]] | None = None
    covered: Counter[str] = field(default_factory=Counter)


def run_histories(first: int, count: int, covered: Counter[str] | None = None, skus: int = SKUS) -> Result:
    """Run histories of consecutive seeds until one fails."""
    result = Result(covered=Counter() if covered is None else covered)
    for seed in range(first, first + count):
        result.histories += 1
        failure = run_one(seed, LENGTH, result.covered, skus)
        if failure is not None:
            result.failure = shrink(seed, failure, skus)
            return result
    return result


def replay(seed: int, skus: int = SKUS) -> tuple[int, int, str, list[str]] | None:
    """Run the one history of a seed, shrunk if it fails."""
    failure = run_one(seed, LENGTH, skus=skus)
    return None if failure is None else shrink(seed, failure, skus)


def run_one(
    seed: int, length: int, covered: Counter[str] | None = None, skus: int = SKUS
) -> tuple[str, list[str]] | None:
    """Run one history; return what is wrong with it, and its steps."""

    def cover(name: str) -> None:
        if covered is not None:
            covered[name] += 1

    history = History(seed, length, cover, skus)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a canary that is not confirmed, a disk that fills while sending
        try:
            history.run()
        except VerdictError as verdict:
            return str(verdict), history.steps
    if covered is not None:
        faults = sorted(name for name in history.covered if name.startswith("fault "))
        covered.update(f"{first} + {second}" for first, second in combinations(faults, 2))
    return None


def shrink(seed: int, failure: tuple[str, list[str]], skus: int = SKUS) -> tuple[int, int, str, list[str]]:
    """Find the shortest history of a seed that fails."""
    for length in range(1, LENGTH):
        shorter = run_one(seed, length, skus=skus)
        if shorter is not None:
            return seed, length, *shorter
    return seed, LENGTH, *failure
