"""Holds a place, writes into it, says so, and waits to be killed."""

import sys
import threading
from pathlib import Path

from cenports_nb.reports.run_folder import reserve_run_folder

with reserve_run_folder(Path(sys.argv[1]), "mine") as place:
    (place.part / "half.csv").write_text("half")
    (place.own / f"{place.part.name}.html").write_text("half")
    print(place.run, flush=True)
    threading.Event().wait()
