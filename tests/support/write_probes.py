"""A write probe of a sandbox that stands in for staging, in time that a test moves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from cenports_nb.api.client import Client
from cenports_nb.sandbox import Sandbox
from cenports_nb.submissions.probe.findings import list_readings
from cenports_nb.submissions.probe.plan import ProbePlan, plan_probe
from cenports_nb.submissions.probe.run import ProbeResult, run_probe

RESERVED_SKU, RESERVED_WAREHOUSE, RESERVED_STOCK = "0033", "NW-EAST", 112
"""A SKU of Northwind with open orders, of several channels, for 25 units."""


@dataclass
class Probe:
    """One probe: its plan, what it saw, and what it said while it ran."""

    plan: ProbePlan
    result: ProbeResult
    said: list[str] = field(default_factory=list)

    def read(self, client: Client) -> dict[str, object]:
        """List the readings that it found."""
        return list_readings(self.plan, self.result, client.dialect)


def probe(
    client: Client,
    sku: str = RESERVED_SKU,
    on_step: Callable[[str], None] | None = None,
    steps: Sequence[str] = (),
) -> Probe:
    """Plan a probe and carry it out.

    Args:
        client: Of the account.
        sku: To probe.
        on_step: Is called after each step, with what was said of it.
        steps: Only these; all of them by default.
    """
    said: list[str] = []

    def report(text: str) -> None:
        said.append(text)
        if on_step:
            on_step(text)

    plan = plan_probe(client, sku)
    plan = replace(plan, steps=tuple(step for step in plan.steps if not steps or step.name in steps))
    return Probe(plan, run_probe(client, plan, report), said)


def read_units(sandbox: Sandbox, sku: str = RESERVED_SKU, code: str = RESERVED_WAREHOUSE) -> int:
    """Tell what the server itself has of a SKU."""
    with sandbox.state.lock:
        sandbox.state.settle()
        return sandbox.state.stock.quantities[code, sku]


def move_units(sandbox: Sandbox, units: int, sku: str = RESERVED_SKU, code: str = RESERVED_WAREHOUSE) -> None:
    """Let somebody else move the stock of a SKU."""
    with sandbox.state.lock:
        sandbox.state.settle()
        sandbox.state.stock.quantities[code, sku] += units
