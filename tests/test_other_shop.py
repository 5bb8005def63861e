"""Another shop's data, counted with nothing but csv and Decimal, against what the package says of it."""

import csv
import io
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import RejectedRowsWarning

pytestmark = pytest.mark.slow

Row = dict[str, str]
Connect = Callable[..., cn.Client]
DAYS = ("2026-05-01", "2026-05-31")
NAMES = [
    "Ünïcødé Öl 5 l",
    "抹茶 100 g",
    "عسل",
    "Café “noir”",
    'say "hi", twice',
    "=SUM(A1)",
    "½ Dutzend Eier",
    "Żółw 🐢",
    "",
]
SKUS = ["0012", "12", "012", "1e5", "100000", "NaN", "null", "None", "A-1", "a-1", "A-1 ", "Ä", "9" * 20, "0"]
STATES = ["NY", "CA", "", "Île-de-France"]
PAGE = 60


@dataclass
class Shop:
    """What a shop wrote down, and how Cenports would send it.

    Attributes:
        written: A line of CSV for each line of an order.
        records: JSON of each order, as it comes; some are blank, some come twice.
        newest: The newest version of orders that came in two, by number.
        blank: How many orders have no number.
    """

    written: str
    records: list[str]
    newest: dict[str, str]
    blank: int


def _json(rows: list[Row], *, status: str) -> str:
    """An order as Cenports sends it; prices keep their digits."""
    lines = ",".join(
        f'{{"lineItem":"{row["line"]}","productSku":{json.dumps(row["sku"])},"productName":{json.dumps(row["name"])},'
        f'"quantity":{row["quantity"]},"price":{row["price"] or "null"},"status":"{row["status"]}"}}'
        for row in rows
    )
    first = rows[0]
    return (
        f'{{"orderNo":{json.dumps(first["order"])},"channelId":"{first["channel"]}","orderDate":"{first["at"]}",'
        f'"status":"{status}","shipTo":{{"state":{json.dumps(first["state"] or None)}}},'
        f'"pricing":{{"grandTotal":{first["total"]}}},"lineItems":[{lines}]}}'
    )


def _shop() -> Shop:
    dice = random.Random(20260525)
    file = io.StringIO(newline="")
    names = ["order", "channel", "at", "state", "total", "line", "sku", "name", "quantity", "price", "status"]
    writer = csv.DictWriter(file, names)
    writer.writeheader()
    records, newest, blank = [], {}, 0
    for number in range(200):
        order = ["", f"{number:05}", f"{number}", f"{number}e5", f"№{number}"][
            dice.randrange(40) and 1 + dice.randrange(4)
        ]
        channel = dice.choice(["EU", "US", "0"])
        at = f"2026-05-{dice.randint(1, 31):02}T{dice.choice(['00:00:00', '12:30:00.123456', '23:59:59'])}Z"
        state, total = dice.choice(STATES), f"{Decimal(dice.randint(-(10**6), 10**8)).scaleb(-2)}"
        rows = [
            {
                "order": order,
                "channel": channel,
                "at": at,
                "state": state,
                "total": total,
                "line": dice.choice(["1", "1", "2", str(place)]),
                "sku": dice.choice(SKUS),
                "name": dice.choice(NAMES),
                "quantity": str(dice.choice([1, 1, 2, 7, 1000, -1, -3])),
                "price": dice.choice(["", "0.0000", f"{Decimal(dice.randint(-(10**4), 10**8)).scaleb(-4)}"]),
                "status": dice.choice(["Shipped", "Cancelled", "Open", "Returned"]),
            }
            for place in range(1, dice.randint(1, 5) + 1)
        ]
        records.append(_json(rows, status="new"))
        if order == "":
            records[-1] = records[-1].replace('"new"', f'"blank {number}"')
            blank += 1
            continue
        if dice.random() < 0.1:  # the very same order on another page
            records.insert(dice.randrange(len(records)), records[-1])
        elif dice.random() < 0.1:  # an older version of it
            records.insert(dice.randrange(len(records)), _json(rows[:1], status="older"))
            newest[order] = _json(rows, status="newest")
        writer.writerows(rows)
    return Shop(file.getvalue(), records, newest, blank)


SHOP = _shop()


def _rows() -> list[Row]:
    return list(csv.DictReader(io.StringIO(SHOP.written, newline="")))


def _answer(seen: ReceivedRequest) -> Reply:
    """Pages of sixty, whatever was asked, or the newest versions of the numbers that were."""
    if "orders" in seen.body:
        asked = [SHOP.newest[number] for number in seen.body["orders"].split(",")]
        return Reply(f'{{"data":[{",".join(asked)}],"last_page":1}}'.encode())
    start = (int(seen.body.get("page", 1)) - 1) * PAGE
    last = -(-len(SHOP.records) // PAGE)
    return Reply(f'{{"data":[{",".join(SHOP.records[start : start + PAGE])}],"last_page":{last}}}'.encode())


@pytest.fixture
def frames(server: ScriptedServer, staging: Connect) -> tuple[pd.DataFrame, pd.DataFrame]:
    server.on("GET /orders", _answer)
    client = staging()
    with pytest.warns(RejectedRowsWarning, match=f"^{SHOP.blank} records"):
        orders = cn.load_orders(client, *DAYS)
    with pytest.warns(RejectedRowsWarning, match=f"^{SHOP.blank} records"):
        return orders, cn.load_line_items(client, *DAYS)


Frames = tuple[pd.DataFrame, pd.DataFrame]


def test_the_shop_is_as_nasty_as_meant() -> None:
    """What is counted below is really there."""
    rows = _rows()
    numbers = Counter((row["order"], row["line"]) for row in rows)
    assert (SHOP.blank > 2, len(SHOP.newest) > 5, max(numbers.values()) > 1) == (True, True, True)
    assert len(SHOP.records) > 200
    assert {len(row["price"].partition(".")[2]) for row in rows} == {0, 4}
    assert {row["sku"] for row in rows} == set(SKUS)


def test_orders_are_counted_and_added_up(frames: Frames) -> None:
    """Each order once, its newest version, with the total that was written."""
    written = {(row["channel"], row["order"]): row for row in _rows()}
    lines = Counter((row["channel"], row["order"]) for row in _rows())
    orders = frames[0]
    keys = list(zip(orders["channel_id"], orders["order_no"], strict=True))
    assert keys == [
        (row["channel"], row["order"])
        for row in sorted(written.values(), key=lambda row: (pd.Timestamp(row["at"]), row["channel"], row["order"]))
    ]
    assert [Decimal(str(total)) for total in orders["grand_total"]] == [Decimal(written[key]["total"]) for key in keys]
    assert orders["line_count"].tolist() == [lines[key] for key in keys]
    assert orders["ship_to_state"].fillna("").tolist() == [written[key]["state"] for key in keys]
    assert dict(zip(orders["order_no"], orders["status"], strict=True)) == {
        number: "newest" if number in SHOP.newest else "new" for _, number in keys
    }


def test_lines_are_those_that_were_written(frames: Frames) -> None:
    """Every SKU, name, quantity and price, of each order; a line number that repeats costs no line."""
    found, written = Counter[tuple[Any, ...]](), Counter[tuple[Any, ...]]()
    for row in _rows():
        price = None if row["price"] == "" else Decimal(row["price"])
        written[row["channel"], row["order"], row["sku"], row["name"], int(row["quantity"]), price, row["status"]] += 1
    columns = ["channel_id", "order_no", "product_sku", "product_name", "quantity", "price", "status"]
    for *texts, quantity, price, status in frames[1][columns].itertuples(index=False):
        found[*texts, quantity, None if pd.isna(price) else Decimal(str(price)), status] += 1
    assert found == written
    assert not frames[1].duplicated(["channel_id", "order_no", "line_item"]).any()


def test_orders_without_a_number_are_all_among_the_rejects(frames: Frames) -> None:
    """Of both frames, with their place among all that came."""
    blank = [place for place, record in enumerate(SHOP.records) if '"orderNo":""' in record]
    for frame in frames:
        refused = cn.rejected(frame)
        assert refused is not None
        assert refused["record_index"].tolist() == blank
        assert refused["record"].tolist() == [SHOP.records[place] for place in blank]


def _counted(name: str, rows: list[Row]) -> dict[str, tuple[int, int, int, Decimal, int, Decimal]]:
    """Orders, lines, units, value, lines without a price, and the orders' totals, by one column of the CSV."""
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[name][: 10 if name == "at" else None]].append(row)
    return {
        group: (
            len({(row["channel"], row["order"]) for row in of_group}),
            len(of_group),
            sum(int(row["quantity"]) for row in of_group),
            sum((Decimal(row["price"] or 0) * int(row["quantity"]) for row in of_group), Decimal(0)),
            sum(row["price"] == "" for row in of_group),
            sum({(row["channel"], row["order"]): Decimal(row["total"]) for row in of_group}.values(), Decimal(0)),
        )
        for group, of_group in groups.items()
    }


@pytest.mark.parametrize(
    ("by", "name"), [("sku", "sku"), ("channel", "channel"), ("day", "at"), ("state", "state")], ids=str
)
@pytest.mark.parametrize("exclude", [(), ("cancelled", "RETURNED")], ids=["all", "without"])
def test_sales_are_what_the_csv_adds_up_to(frames: Frames, by: Any, name: str, exclude: tuple[str, ...]) -> None:
    """To the last of four decimals, in every group."""
    words = {word.lower() for word in exclude}
    counted = _counted(name, [row for row in _rows() if row["status"].lower() not in words])
    orders, lines = frames
    sales = cn.summarize_sales(lines, by=by, orders=orders, exclude=exclude)
    found = {}
    for group, bought, number, units, value, unpriced, total in sales.itertuples(index=False):
        label = "" if pd.isna(group) else f"{group:%Y-%m-%d}" if by == "day" else group
        found[label] = (
            bought,
            number,
            units,
            round(Decimal(value), 4),
            unpriced,
            round(Decimal(total), 2),
        )
    assert found == counted
