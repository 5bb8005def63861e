"""Search for histories that lose or double a row: `python benchmarks/simulate.py --histories 100000 --seed 1`.

Each history is random, and decided by its seed alone: people submit, resume, retry, verify and resolve; processes are
killed and suspended, clocks are set, answers are lost, late, doubled or wrong, disks are full; the simulated server's
own book is the judge (`tests/simulation/`). One that fails is shrunk and printed as a list of steps. `--mutants` puts
back, one at a time, the faults that were once found by hand: the search, over two SKUs, must find each of them. `--replay` runs one seed.

Histories through the public API, without sockets: `pytest --hypothesis-profile thorough
tests/simulation/test_public_histories.py` (300 of them).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

from simulation import runner  # noqa: E402
from simulation.history import FEW_SKUS, SKUS  # noqa: E402
from simulation.mutants import MUTANTS, put_back  # noqa: E402

from cenports_nb.submissions.rules.states import list_batch_pairs, list_outcome_pairs  # noqa: E402

PART = 500
"""Histories that a worker runs before it reports."""

Failure = tuple[int, int, str, list[str]]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--histories", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mutants", action="store_true", help="Search for each fault of the past instead.")
    parser.add_argument("--replay", action="store_true", help="Print the one history of --seed.")
    parser.add_argument("--skus", type=int, default=SKUS, help="Of one warehouse; with 2, changes meet more often.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    if given.replay:
        return report(runner.replay(given.seed, given.skus))
    if given.mutants:
        return search_mutants(given.histories, given.seed, given.workers)
    return search(given.histories, given.seed, given.workers, given.skus)


def search(histories: int, seed: int, workers: int, skus: int) -> int:
    """Run histories side by side, and print what was covered."""
    starts = range(seed, seed + histories, PART)
    jobs = [(start, min(PART, seed + histories - start), skus) for start in starts]
    covered: Counter[str] = Counter()
    done, begin = 0, time.monotonic()
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        for number, failure, part in pool.imap_unordered(run_part, jobs):
            done += number
            covered.update(part)
            if failure is not None:
                pool.terminate()
                return report(failure)
    seconds = time.monotonic() - begin
    print_coverage(covered)
    print(
        f"{done:,} histories from seed {seed} in {seconds:.0f} s, {done / seconds:.0f} a second: no invariant broken."
    )
    return 0


def run_part(job: tuple[int, int, int]) -> tuple[int, Failure | None, Counter[str]]:
    start, count, skus = job
    result = runner.run_histories(start, count, skus=skus)
    return result.histories, result.failure, result.covered


def search_mutants(histories: int, seed: int, workers: int) -> int:
    """Put back each fault of the past, and search until it is found."""
    print(f"{'fault put back':<58} {'found after':>11} {'seconds':>8}")
    missed = 0
    with multiprocessing.get_context("spawn").Pool(workers, maxtasksperchild=1) as pool:
        jobs = [(name, seed, histories) for name in MUTANTS]
        for name, found, seconds in pool.imap_unordered(search_mutant, jobs):
            missed += found is None
            print(f"{name:<58} {'never' if found is None else f'{found:,}':>11} {seconds:>8.1f}", flush=True)
    return 1 if missed else 0


def search_mutant(job: tuple[str, int, int]) -> tuple[str, int | None, float]:
    name, seed, histories = job
    begin = time.monotonic()
    with put_back(name):
        result = runner.run_histories(seed, histories, skus=FEW_SKUS)
    return name, result.histories if result.failure is not None else None, time.monotonic() - begin


def print_coverage(covered: Counter[str]) -> None:
    """Print how often each transition and fault was met, and which never was."""
    pairs = [f"row {old} > {new}" for old, new in list_outcome_pairs()]
    pairs += [f"batch {old} > {new}" for old, new in list_batch_pairs()]
    names = sorted(name for name in covered if " + " not in name and not name.startswith(("row ", "batch ")))
    for name in [*pairs, *names]:
        print(f"{name:<44} {covered[name]:>10,}")
    faults = sorted({name for name in covered if name.startswith("fault ") and " + " not in name})
    wanted = [f"{first} + {second}" for i, first in enumerate(faults) for second in faults[i + 1 :]]
    never = [name for name in wanted if not covered[name]]
    print(
        f"pairs of faults in one history: {len(wanted) - len(never)} of {len(wanted)}",
        *(f"  never: {x}" for x in never),
        sep="\n",
    )
    print("transitions never met:", ", ".join(name for name in pairs if not covered[name]) or "none")


def report(failure: Failure | None) -> int:
    if failure is None:
        print("No invariant broken.")
        return 0
    seed, length, verdict, steps = failure
    print(f"Seed {seed}, {length} actions: {verdict}", *steps, sep="\n  ")
    return 1


if __name__ == "__main__":
    sys.exit(main())
