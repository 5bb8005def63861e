"""Reserves a run folder, writes into it, says so, and waits to be killed."""

import sys
import threading
from pathlib import Path

from cenports_nb.reports.run_folder import reserve_run_folder

with reserve_run_folder(Path(sys.argv[1]), "mine") as run_folder:
    (run_folder.partial_folder / "half.csv").write_text("half")
    (run_folder.report_folder / f"{run_folder.partial_folder.name}.html").write_text("half")
    print(run_folder.run, flush=True)
    threading.Event().wait()
