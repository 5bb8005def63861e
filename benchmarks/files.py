"""Read random damaged files: `python benchmarks/files.py --files 10000`, then a large one of each format.

Each file is made from its seed (`tests/support/damaged_files.py`). It must be read as exactly what it means, or be
refused; a file that leaves no question open must be read. Prints what became of each kind, and the seconds and peak
memory of 200,000 rows as CSV, Excel Workbook and Parquet.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests")]

import pandas as pd  # noqa: E402
import xlsxwriter  # noqa: E402
from support.damaged_files import build_file  # noqa: E402

import cenports_nb as cn  # noqa: E402
from cenports_nb.errors import InvalidRequestError  # noqa: E402

ROWS = 200_000
KEYS = ["warehouse_code", "product_sku", "quantity"]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found: Counter[tuple[str, str]] = Counter()
    wrong: list[str] = []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        seeds = range(options.seed, options.seed + options.files)
        for kinds, outcome, problem in pool.imap_unordered(judge, seeds, chunksize=50):
            found.update((kind, outcome) for kind in kinds)
            wrong += [problem] if problem else []
    print(f"{'what is in the file':<24}{'exact':>8}{'refused':>9}{'WRONG':>7}")
    for kind in sorted({kind for kind, _ in found}):
        counts = (found[kind, outcome] for outcome in ("exact", "refused", "wrong"))
        print(f"{kind!r:<24}{next(counts):>8,}{next(counts):>9,}{next(counts):>7,}")
    print(*wrong[:10], sep="\n")
    print(f"{options.files:,} files from seed {options.seed}: {len(wrong):,} wrong")
    measure_large_files()
    return 1 if wrong else 0


def judge(seed: int) -> tuple[list[str], str, str]:
    """Read the file of a seed; return what is in it, what became of it, and what is wrong with that."""
    file = build_file(seed)
    kinds = [file.kind, *file.damages]
    try:
        counts = cn.read_counts(io.BytesIO(file.content))
    except InvalidRequestError as error:
        return kinds, "wrong" if file.must_be_read else "refused", f"{seed}: {error}" if file.must_be_read else ""
    if list(counts[KEYS].itertuples(index=False, name=None)) == file.rows:
        return kinds, "exact", ""
    return kinds, "wrong", f"{seed} {file.damages}: other rows"


def measure_large_files() -> None:
    """Print the time and memory of a large file of each format."""
    frame = pd.DataFrame({"Warehouse": "W", "SKU": [f"SKU-{row}" for row in range(ROWS)], "Name": "A pan", "Qty": 7})
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"count.{suffix}" for suffix in ("csv", "parquet", "xlsx")]
        frame.to_csv(paths[0], index=False)
        frame.to_parquet(paths[1], index=False)
        with xlsxwriter.Workbook(paths[2]) as book:
            sheet = book.add_worksheet()
            for line, row in enumerate([list(frame.columns), *frame.itertuples(index=False, name=None)]):
                sheet.write_row(line, 0, row)
        print(f"\n{ROWS:,} rows{'seconds':>16}{'peak MiB':>10}")
        for path in paths:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                seconds, peak = pool.apply(read_large, (path,))
            print(f"{path.suffix:<12}{seconds:>16.1f}{peak:>10,}")


def read_large(path: Path) -> tuple[float, int]:
    """Read a file in a process of its own; return seconds and peak memory."""
    cn.read_counts(io.StringIO("Warehouse,SKU,Qty\nW,A,1\n"))
    before = time.perf_counter()
    assert len(cn.read_counts(path)) == ROWS
    return time.perf_counter() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
