"""A person at a terminal with a folder, and an account on a sandbox that stands in for staging."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from cenports_nb.sandbox import Sandbox
from support.command_line import Ran, run_command


@dataclass(frozen=True)
class Shop:
    """An account on a sandbox, and a person at a terminal with a folder."""

    sandbox: Sandbox
    folder: Path
    environ: Mapping[str, str]
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ran:
        """Run a command in this process; nobody sits at a terminal."""
        return run_command(self.capsys, *arguments)

    def start(self, *arguments: str, **more: object) -> subprocess.Popen[str]:
        """Start it in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "cenports_nb", *arguments], cwd=self.folder, env=dict(self.environ), text=True, **more,
        )  # fmt: skip

    def count(self, quantities: Mapping[str, int], name: str = "counts.csv") -> str:
        """Write a count file: SKU to units, in the warehouse that has it."""
        lines = [f"{self.warehouse(sku)},{sku},{quantity}\n" for sku, quantity in quantities.items()]
        path = self.folder / name
        path.write_text("warehouse_code,product_sku,quantity\n" + "".join(lines))
        return str(path)

    def warehouse(self, sku: str) -> str:
        found = [code for code, name in self.sandbox.state.stock.quantities if name == sku]
        return found[0] if found else "NW-EAST"

    def stock(self, sku: str) -> int:
        """What the server has of a SKU."""
        with self.sandbox.state.lock:
            self.sandbox.state.settle()
            return next(units for (_, name), units in self.sandbox.state.stock.quantities.items() if name == sku)

    def sell(self, sku: str, units: int) -> None:
        """Let units leave the shelf."""
        with self.sandbox.state.lock:
            self.sandbox.state.settle()
            self.sandbox.state.stock.quantities[self.warehouse(sku), sku] -= units

    @property
    def writes(self) -> int:
        """How many stock updates arrived."""
        return sum(request.method == "PATCH" for request in self.sandbox.requests)

    def newest(self) -> str:
        """The id of the youngest submission."""
        listed = self.run("submissions", "list")[1].splitlines()[1:-1]
        return listed[-1].split()[0]
