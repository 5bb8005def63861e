"""Code of the README and the docs, run as a newcomer would run it."""

import os
import subprocess
import sys
from pathlib import Path


def run_as_newcomer(code: str, folder: Path) -> str:
    """Run code in a fresh process that has no settings and where warnings are errors; return what it prints.

    Errors at the end of Python, which don't change its exit code, fail too.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CENPORTS_")}
    environment |= {"MPLBACKEND": "agg", "CENPORTS_HOME": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert (ran.returncode, "Traceback" in ran.stderr) == (0, False), ran.stderr
    return ran.stdout
