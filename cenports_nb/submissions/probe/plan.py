"""The plan of a write probe: every write as data, checked by the guards and shown before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pandas as pd

from cenports_nb.errors import GuardRailError, InvalidRequestError
from cenports_nb.frames.loaders.stock import load_actual_stock, load_available_stock
from cenports_nb.frames.schema.keys import STOCK_KEYS
from cenports_nb.rendering.text import format_count, format_duration
from cenports_nb.submissions.objections import find_objections
from cenports_nb.submissions.probe.unfinished import find_leftover

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

MISSING_SKU = "CENPORTS-NB-NO-SUCH-SKU"
"""The SKU of the row that must fail. It is set to 0, so that none can be sold if Cenports creates it. It has no digits,
which in a refusal would look like a limit on the number of rows."""

TAKE_BACK, OWN_VALUE, ONE_MORE, FAILING_ROW, OVERLAP, PUT_BACK = (
    "take back", "own value", "one more", "failing row", "overlap", "put back",
)  # fmt: skip
"""Names of steps. They are part of the references in the journal, where a later probe finds what an earlier one left."""

MAX_PUT_BACKS = 2
"""Before the last one: after a TRUE_UP that set available stock, and after a batch of which nothing was applied."""

UpdateType = Literal["TRUE_UP", "DIFFERENTIAL"]


@dataclass(frozen=True)
class PlannedRow:
    """One row of a write."""

    product_sku: str
    type: UpdateType
    quantity: int

    def __str__(self) -> str:
        sku = f" of '{self.product_sku}'" if self.product_sku == MISSING_SKU else ""
        return f"{self.type} {self.quantity:{'+' if self.type == 'DIFFERENTIAL' else ''}}{sku}"


@dataclass(frozen=True)
class PlannedWrite:
    """One request.

    Attributes:
        rows: Its rows, the probed SKU first.
        accepts: The guards that it violates on purpose.
        over_stock: Send it whatever the stock is by then.
    """

    rows: tuple[PlannedRow, ...]
    accepts: tuple[str, ...] = ()
    over_stock: bool = False


@dataclass(frozen=True)
class Step:
    """Writes that are sent one right after the other, and what the stock means when all of them have ended.

    Attributes:
        meanings: Stock afterward -> what that means.
        leaves: The stock that the next step starts from; any other is restored to it first.
    """

    name: str
    purpose: str
    writes: tuple[PlannedWrite, ...]
    meanings: Mapping[int, str]
    leaves: int


@dataclass(frozen=True)
class ProbePlan:
    """A whole probe.

    Attributes:
        quantity: The units of the SKU, now and at the end.
        reserved: Possible numbers of reserved units, one for each way to read available stock; empty if available stock
            can't be read.
        available_scope: Whose open orders reduce available stock, if the channels show it.
        settle_minutes: The maximum time of a write.
    """

    probe_id: str
    account: str
    warehouse_code: str
    product_sku: str
    quantity: int
    reserved: tuple[int, ...]
    available_scope: str | None
    steps: tuple[Step, ...]
    available: pd.DataFrame | None = field(repr=False, compare=False)
    settle_minutes: int

    @property
    def key(self) -> tuple[str, str]:
        """Warehouse and SKU."""
        return self.warehouse_code, self.product_sku

    def build_frame(self, step: str, number: int, write: PlannedWrite, stock: int) -> pd.DataFrame:
        """Build the update frame of a write, as of the stock just before it; each has its own reference."""
        rows = write.rows
        known = [row.product_sku == self.product_sku for row in rows]
        change = [
            row.quantity if row.type == "DIFFERENTIAL" else row.quantity - stock if is_known else None
            for row, is_known in zip(rows, known, strict=True)
        ]
        columns = {
            "warehouse_code": [self.warehouse_code] * len(rows),
            "product_sku": [row.product_sku for row in rows],
            "type": [row.type for row in rows],
            "reason": ["write probe"] * len(rows),
            "reference": [f"write probe {self.probe_id} {number}: {step}"] * len(rows),
        }
        frame = pd.DataFrame({name: pd.Series(values, dtype="str") for name, values in columns.items()})
        current = [stock if is_known else None for is_known in known]
        return frame.assign(
            quantity=[row.quantity for row in rows],
            current_quantity=pd.Series(current, dtype="Int64"),
            change=pd.Series(change, dtype="Int64"),
            known_sku=known,
        )

    def move_available(self, stock: int) -> pd.DataFrame | None:
        """Return available stock as it is when the SKU has so many units."""
        return None if self.available is None else _move_stock(self.available, self.key, stock - self.quantity)


def plan_probe(client: Client, product_sku: str, warehouse_code: str | None = None) -> ProbePlan:
    """Plan a whole probe of a SKU; only reads are sent.

    Raises:
        ReadOnlyError: The client is read-only.
        InvalidRequestError: The SKU can't be probed; the message says why.
        GuardRailError: A guard objects to a planned write.
    """
    client.check_writable("The write probe")
    actual = load_actual_stock(client, refresh=True)
    code, stock = _choose_row(actual, product_sku, warehouse_code)
    leftover = find_leftover(client, code, product_sku, stock)
    quantity = stock - leftover
    if quantity < 2:
        raise InvalidRequestError(
            f"SKU '{product_sku}' has {format_count(quantity, 'unit')} in warehouse '{code}', and the probe takes one away "
            "for a while: choose a SKU with at least 2.",
            sent=False,
        )
    if MISSING_SKU in set(actual["product_sku"]):
        raise InvalidRequestError(
            f"The account has a SKU '{MISSING_SKU}', which an earlier probe must have created: have Cenports delete it.",
            sent=False,
        )
    available = load_available_stock(client, warehouse_codes=[code], refresh=True)
    reserved, scope = _read_reserved(available, (code, product_sku), stock)
    steps = _plan_steps(product_sku, quantity, reserved)
    if leftover:
        row_back = PlannedRow(product_sku, "DIFFERENTIAL", -leftover)
        purpose = "to take back what an earlier probe left behind"
        steps = (Step(TAKE_BACK, purpose, (PlannedWrite((row_back,)),), {quantity: ""}, quantity), *steps)
    plan = ProbePlan(
        client.runtime.new_id()[:8],
        f"{client.settings.environment} (partner {client.settings.partner_id})",
        code,
        product_sku,
        quantity,
        reserved,
        scope,
        steps,
        _move_stock(available, (code, product_sku), -leftover) if len(available) else None,
        client.dialect.settle_minutes,
    )
    _check_guards(client, plan, actual, stock)
    return plan


def format_plan(plan: ProbePlan) -> str:
    """Describe what will be sent, before it is."""
    head = (
        f"Write probe of SKU '{plan.product_sku}' in warehouse '{plan.warehouse_code}' of {plan.account}, which has "
        f"{format_count(plan.quantity, 'unit')}:"
    )
    lines = [head]
    for number, step in enumerate(plan.steps, 1):
        rows = ", right after it ".join(" and ".join(map(str, write.rows)) for write in step.writes)
        lines.append(f"  {number}. {step.name}: {rows}\n     {step.purpose}")
    writes = sum(len(step.writes) for step in plan.steps) + 1
    lines.append(f"  {len(plan.steps) + 1}. {PUT_BACK}: DIFFERENTIAL +1 or -1, so that it has {plan.quantity} again")
    stocks = [stock for step in plan.steps for stock in step.meanings]
    waits = len(plan.steps) + 1 + MAX_PUT_BACKS
    lines += [
        f"{writes} to {writes + MAX_PUT_BACKS} writes, each waited for and read back: usually minutes, at most "
        f"{format_duration(waits * plan.settle_minutes * 60)}. Meanwhile the stock is between {min(stocks)} and {max(stocks)}.",
        "Every write is in the journal. If anything else moves the stock, the probe stops and says how it stands.",
    ]
    return "\n".join(lines)


def _choose_row(actual: pd.DataFrame, product_sku: str, warehouse_code: str | None) -> tuple[str, int]:
    """Choose the warehouse of the SKU, and return it with its stock.

    Raises:
        InvalidRequestError: No warehouse has the SKU, or several have it and none was named.
    """
    found = actual[(actual["product_sku"] == product_sku).to_numpy()]
    if warehouse_code is not None:
        found = found[(found["warehouse_code"] == warehouse_code).to_numpy()]
    codes = found["warehouse_code"].tolist()
    if not codes:
        where = "any warehouse" if warehouse_code is None else f"warehouse '{warehouse_code}'"
        raise InvalidRequestError(
            f"SKU '{product_sku}' isn't in {where}: choose one of `cenports-nb stock`.", sent=False
        )
    if len(codes) > 1:
        raise InvalidRequestError(
            f"SKU '{product_sku}' is in warehouses {', '.join(codes)}: choose one with --warehouse CODE.", sent=False
        )
    return codes[0], int(found["quantity"].iloc[0])


def _read_reserved(
    available: pd.DataFrame, key: tuple[str, str], stock: int
) -> tuple[tuple[int, ...], Literal["account", "channel"] | None]:
    """Return what may be reserved of a SKU, and whose open orders reduce available stock, if the channels show it."""
    rows = available[(available[STOCK_KEYS] == list(key)).all(axis=1).to_numpy()]
    by_channel = [stock - int(quantity) for quantity in rows["quantity"]]
    if not by_channel:
        return (), None
    scope: Literal["account", "channel"] | None = None
    if len(by_channel) > 1 and max(by_channel) > 0:
        scope = "account" if len(set(by_channel)) == 1 else "channel"
    candidates = {max(by_channel), sum(by_channel)} if scope != "account" else {max(by_channel)}
    return tuple(sorted(candidates)), scope


def _plan_steps(sku: str, quantity: int, reserved: tuple[int, ...]) -> tuple[Step, ...]:
    def write(kind: UpdateType, units: int, *more: PlannedRow, accepts: tuple[str, ...] = ()) -> PlannedWrite:
        return PlannedWrite((PlannedRow(sku, kind, units), *more), accepts, over_stock="in_flight" in accepts)

    more, less = quantity + 1, quantity - 1
    missing = PlannedRow(MISSING_SKU, "TRUE_UP", 0)
    set_available = {quantity + units: "available" for units in reserved if units > 0}
    return (
        Step(
            OWN_VALUE,
            "to find out whether TRUE_UP sets actual or available stock",
            (write("TRUE_UP", quantity),),
            {quantity: "actual" if set_available else "", **set_available},
            quantity,
        ),
        Step(
            ONE_MORE,
            "to find out how long a write takes until it can be read back",
            (write("DIFFERENTIAL", 1),),
            {more: ""},
            more,
        ),
        Step(
            FAILING_ROW,
            "to find out what the error of a row looks like, and whether the other row is applied",
            (write("DIFFERENTIAL", -1, missing, accepts=("unknown_sku",)),),
            {quantity: "rest", more: "nothing"},
            quantity,
        ),
        Step(
            OVERLAP,
            "to find out in which order two writes are applied",
            (write("TRUE_UP", more), write("TRUE_UP", less, accepts=("in_flight",))),
            {less: "submission", more: "reverse"},
            quantity,
        ),
    )


def _check_guards(client: Client, plan: ProbePlan, actual: pd.DataFrame, stock: int) -> None:
    """Run the guards on each planned write, with the stock that it will meet.

    Raises:
        GuardRailError: A guard objects, other than those that the write violates on purpose.
    """
    now, own = client.clock.now(), stock
    for step in plan.steps:
        for number, write in enumerate(step.writes):
            moved = _move_stock(actual, plan.key, stock - own)
            frame = plan.build_frame(step.name, number, write, stock)
            objections = find_objections(client, frame, moved, now, available=plan.move_available(stock))
            objections = objections[~objections["guard"].isin(write.accepts)]
            if len(objections):
                first = objections.iloc[0]
                raise GuardRailError(
                    f"The write probe would go against the guard {first['guard']} in its step '{step.name}', so nothing was "
                    f"sent: {first['message']}.",
                    objections=objections.reset_index(drop=True),
                )
        stock = step.leaves


def _move_stock(frame: pd.DataFrame, key: tuple[str, str], units: int) -> pd.DataFrame:
    """Return a stock frame with so many more units of a SKU."""
    moved = frame.copy()
    moved.loc[(frame[STOCK_KEYS] == list(key)).all(axis=1).to_numpy(), "quantity"] += units
    return moved
