"""Test that orders become what POST /orders accepts, or all errors are reported at once."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.made_orders import ADDRESS, line, lines, order, orders

import cenports_nb as cn
from cenports_nb.api.request_schema import check_body
from cenports_nb.errors import InvalidRequestError
from cenports_nb.sandbox.dialect import Dialect as SandboxDialect
from cenports_nb.sandbox.http.request_rules import post_orders
from cenports_nb.sandbox.http.validation import KnownCodes
from cenports_nb.sandbox.http.validation import find_errors as sandbox_check
from cenports_nb.submissions.orders.order_plan import OrderPlan, plan_orders


def planned(
    order_frame: pd.DataFrame | None = None, line_frame: pd.DataFrame | None = None, **options: Any
) -> OrderPlan:
    return plan_orders(
        orders() if order_frame is None else order_frame,
        lines() if line_frame is None else line_frame,
        **{"channel_id": "C", **options},
    )


def plan_table(table: pd.DataFrame) -> OrderPlan:
    return plan_orders(table, None, channel_id="C")


def catch_errors(*frames: pd.DataFrame | None, **options: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidRequestError) as caught:
        plan_orders(*frames, **{"channel_id": "C", **options})
    return caught.value.errors


def test_the_references_example_comes_out_as_it_stands_there() -> None:
    """Fields, amounts and numbers are equal as JSON."""
    order_frame = orders(
        order(
            "A12346", order_date="2019-11-25", customer_name="Jon Doe", contact_name="Cenports",
            contact_email="jon@email.com", contact_phone="1112223333", ship_to_address2="Building 2",
            estimated_ship_date="2019-12-01", sub_total=50, ship_cost=5, grand_total=55,
        )
    )  # fmt: skip
    line_frame = lines(
        line("A12346", product_sku="product-1", quantity=1, line_item=1, price=20),
        line("A12346", product_sku="product-2", quantity=2, line_item=2, price=15, sub_total=30),
    )
    (made,) = planned(order_frame, line_frame).orders
    assert made["orderNo"] == "A12346"
    assert made == {
        "orderNo": "A12346",
        "orderDate": "2019-11-25",
        "customerName": "Jon Doe",
        "contactName": "Cenports",
        "contactEmail": "jon@email.com",
        "contactPhone": "1112223333",
        "shipTo": {
            "address1": "1742 Sabre Street", "address2": "Building 2", "city": "Hayward", "state": "CA",
            "country": "US", "postalCode": "02139",
        },
        "shippingInfo": {"carrierCode": "UPS", "serviceLevel": "Ground", "estimatedShipDate": "2019-12-01"},
        "lineItems": [
            {"sku": "product-1", "quantity": 1, "lineNumber": 1, "consumerPrice": 20.0, "subTotal": 20.0},
            {"sku": "product-2", "quantity": 2, "lineNumber": 2, "consumerPrice": 15.0, "subTotal": 30.0},
        ],
        "subTotal": 50.0,
        "shippingCost": 5.0,
        "grandTotal": 55.0,
    }  # fmt: skip


def test_orders_stay_in_frame_order_and_are_cut_into_batches() -> None:
    """Lines may be in any order."""
    numbers = [f"N{place}" for place in (3, 1, 2, 5, 4)]
    plan = planned(orders(*map(order, numbers)), lines(*map(line, sorted(numbers))), batch_size=2)
    assert [[made["orderNo"] for made in batch] for batch in plan.batches] == [["N3", "N1"], ["N2", "N5"], ["N4"]]


def test_a_frame_without_rows_is_a_plan_without_orders() -> None:
    """An empty frame is no error."""
    assert planned(orders().iloc[:0], lines().iloc[:0]).batches == ()


@pytest.mark.parametrize(
    ("value", "zone", "day"),
    [
        ("2026-03-01", "America/New_York", "2026-03-01"),
        (date(2026, 3, 1), "UTC", "2026-03-01"),
        (np.datetime64("2026-03-01"), "America/New_York", "2026-03-01"),
        (pd.Timestamp("2026-03-01 17:30"), "America/New_York", "2026-03-01"),
        (pd.Timestamp("2026-03-01T00:00Z"), "America/New_York", "2026-03-01"),
        (pd.Timestamp("2026-03-01T02:00Z"), "America/New_York", "2026-02-28"),
        (datetime(2026, 3, 1, 23, tzinfo=UTC), "Europe/Berlin", "2026-03-02"),
        ("2026-03-01T23:00:00Z", "Europe/Berlin", "2026-03-02"),
        ("2026-03-01T00:00:00.000000Z", "Europe/Berlin", "2026-03-01"),
        ("2026-03-01 00:00:00", "Europe/Berlin", "2026-03-01"),
    ],
)
def test_an_order_date_is_sent_as_the_zones_day(value: Any, zone: str, day: str) -> None:
    """Exactly midnight UTC is a plain day in every zone."""
    (made,) = planned(orders(order(order_date=value)), time_zone=zone).orders
    assert made["orderDate"] == day


def test_an_estimated_day_is_read_like_the_order_date() -> None:
    """It is omitted if null."""
    order_frame = orders(order(estimated_ship_date=pd.Timestamp("2026-03-04")), order("A2", estimated_ship_date=pd.NaT))
    first, second = planned(order_frame, lines(line(), line("A2"))).orders
    assert first["shippingInfo"]["estimatedShipDate"] == "2026-03-04"
    assert "estimatedShipDate" not in second["shippingInfo"]


@pytest.mark.parametrize("price", [0.1, "0.1", Decimal("0.10"), np.float64(0.1), " 0.10 "])
def test_amounts_are_exact_to_the_cent_whatever_holds_them(price: Any) -> None:
    """Three times 0.1 is 0.3, and noise of floats is no error."""
    (made,) = planned(
        orders(order(grand_total=0.1 + 0.2)), lines(line(quantity=3, price=price)).astype({"price": "object"})
    ).orders
    assert (made["grandTotal"], made["lineItems"][0]["subTotal"]) == (0.3, 0.3)


def test_a_discount_is_counted_and_not_sent() -> None:
    """The call has no field for it."""
    (made,) = planned(orders(order(sub_total=55, discount=5, ship_cost=2.5, grand_total=52.5))).orders
    assert "discount" not in made
    assert made["grandTotal"] == 52.5


def test_other_columns_of_loaded_frames_are_left_out(client: cn.Client) -> None:
    """Loaded orders can be created in another account as they are."""
    some = cn.load_orders(client, "1997-01-01", "1997-01-31", channel_id="NW-NA")
    some = some[some["ship_to_state"].notna() & (some["sub_total"] < 9_000)]
    line_frame = cn.load_line_items(client, "1997-01-01", "1997-01-31", channel_id="NW-NA")
    plan = planned(some, line_frame[line_frame["order_no"].isin(some["order_no"])], channel_id="NW-NA")
    assert [made["orderNo"] for made in plan.orders] == some["order_no"].tolist()
    assert len(plan.orders) > 0


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"order_no": None}, "orders row 0: order_no", "is missing"),
        ({"order_no": 12}, "orders row 0: order_no", "is a number and must be text: zeros in front may be lost"),
        ({"order_no": "A,1"}, "orders row 0: order_no", "has a comma"),
        ({"customer_name": "  "}, "order A1: customer_name", "is missing"),
        ({"customer_name": "x" * 256}, "order A1: customer_name", "is longer than 255 characters"),
        ({"ship_to_country": "x" * 11}, "order A1: ship_to_country", "is longer than 10 characters"),
        ({"ship_to_postal_code": 2139}, "order A1: ship_to_postal_code", "is a number and must be text"),
        ({"ship_to_postal_code": "1" * 11}, "order A1: ship_to_postal_code", "is longer than 10 characters"),
        ({"order_date": "1.3.2026"}, "order A1: order_date", "isn't a day: write it as YYYY-MM-DD"),
        ({"order_date": "2026-02-30"}, "order A1: order_date", "isn't a day"),
        ({"order_date": 46082}, "order A1: order_date", "isn't a day"),
        ({"estimated_ship_date": "soon"}, "order A1: estimated_ship_date", "isn't a day"),
        ({"grand_total": "55,00"}, "order A1: grand_total", "isn't an amount: write it as 1234.50"),
        ({"grand_total": -55}, "order A1: grand_total", "is negative"),
        ({"grand_total": float("inf")}, "order A1: grand_total", "isn't an amount"),
        ({"grand_total": True}, "order A1: grand_total", "isn't an amount"),
        ({"grand_total": 54.99}, "order A1: grand_total", "must be the sum of its lines + ship_cost, 55.00"),
        ({"grand_total": 60, "ship_cost": 4}, "order A1: grand_total", "ship_cost, 59.00"),
        ({"grand_total": 50, "discount": 4}, "order A1: grand_total", "ship_cost - discount, 51.00"),
        ({"sub_total": 54}, "order A1: sub_total", "must be the sum of its lines, 55.00"),
        ({"ship_cost": 1000, "grand_total": 1055}, "order A1: ship_cost", "is 1,000 or more"),
        ({"contact_phone": 5551234}, "order A1: contact_phone", "is a number and must be text"),
        ({"channel_id": "D"}, "orders row 0: channel_id", "is another channel than C"),
    ],
)  # fmt: skip
def test_an_error_of_an_order_is_reported_by_its_location(change: dict[str, Any], place: str, reason: str) -> None:
    """Each error has its place, what is wrong and the limit."""
    found = catch_errors(orders(order(**change)), lines())
    assert reason in found[place][0]


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        ({"product_sku": None}, "order A1, line 1: product_sku", "is missing"),
        ({"product_sku": 1}, "order A1, line 1: product_sku", "is a number and must be text"),
        ({"quantity": 0}, "order A1, line 1: quantity", "is below 1"),
        ({"quantity": 1.5}, "order A1, line 1: quantity", "isn't a whole number"),
        ({"quantity": "two"}, "order A1, line 1: quantity", "isn't a whole number"),
        ({"quantity": "1.000"}, "order A1, line 1: quantity", "may be thousands"),
        ({"quantity": True}, "order A1, line 1: quantity", "isn't a whole number"),
        ({"quantity": 100_000, "price": 0.01}, "order A1, line 1: quantity", "has more than 5 digits"),
        ({"price": 55.001}, "order A1, line 1: price", "has more than 2 decimal places"),
        ({"price": None}, "order A1, line 1: price", "is missing"),
        ({"line_item": 1000}, "order A1, line 1000: line_item", "has more than 3 digits"),
        ({"line_item": 0}, "order A1, line 1: line_item", "is below 1"),
        ({"sub_total": 55.01}, "order A1, line 1: sub_total", "must be quantity × price, 55.00"),
        ({"channel_id": "D"}, "line_items row 0: channel_id", "is another channel than C"),
    ],
)
def test_an_error_of_a_line_is_reported_by_its_location(change: dict[str, Any], place: str, reason: str) -> None:
    """The line has its number, else its position."""
    found = catch_errors(orders(), lines(line(**change)))
    assert reason in found[place][0]


def test_an_order_too_large_for_the_reference_passes_where_the_dialect_says_so() -> None:
    """The reference's sizes may be nominal."""
    order_frame, line_frame = orders(order(grand_total=12_000)), lines(line(price=12_000))
    assert set(catch_errors(order_frame, line_frame)) == {
        "order A1: grand_total", "order A1, line 1: price", "order A1, line 1: sub_total",
    }  # fmt: skip
    names = ("grandTotal", "lineItems.*.consumerPrice", "lineItems.*.subTotal")
    sizes = {f"orders.*.{name}": "decimal(9, 2)!" for name in names}
    assert planned(order_frame, line_frame, sizes=sizes).orders[0]["grandTotal"] == 12_000.0


@pytest.mark.parametrize(
    ("order_frame", "line_frame", "place", "reason"),
    [
        (orders(order(), order()), lines(), "order A1: order_no", "is in more than one row of orders"),
        (orders(order(), order("A2")), lines(), "order A2", "has no line items"),
        (
            orders(order(customer_order_no="7"), order("A2", customer_order_no="7")), lines(line(), line("A2")),
            "order A2: customer_order_no", "is that of order A1 too",
        ),
        (orders(), lines(line(), line("A2")), "order A2", "is in line_items (row 1) and not in orders"),
        (orders(order(grand_total=110)), lines(line(line_item=1), line()), "order A1: line_item", "some of its lines"),
        (
            orders(order(grand_total=110)), lines(line(line_item=2), line(line_item=2)),
            "order A1, line 2: line_item", "is given to more than one line",
        ),
    ],
    ids=["doubled", "no lines", "customer's doubled", "no order", "some numbered", "number doubled"],
)  # fmt: skip
def test_orders_and_lines_that_do_not_fit_are_refused(
    order_frame: pd.DataFrame, line_frame: pd.DataFrame, place: str, reason: str
) -> None:
    """An order without lines, or lines without an order, are not sent."""
    assert reason in catch_errors(order_frame, line_frame)[place][0]


def test_everything_wrong_is_reported_at_once_and_no_person_is_quoted() -> None:
    """The message has five errors and the number of others, `.errors` has all."""
    many = orders(*(order(f"A{place}", customer_name="Secret Person" * 30, contact_phone=49_30) for place in range(9)))
    with pytest.raises(InvalidRequestError) as caught:
        planned(many, lines(*(line(f"A{place}") for place in range(9))))
    assert len(caught.value.errors) == 18
    assert "; and 13 more. Nothing was sent" in str(caught.value)
    assert "Secret" not in str(caught.value) + str(caught.value.errors)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("order_frame", "line_frame", "words"),
    [
        (orders().drop(columns=["customer_name", "carrier_code"]), lines(), "orders lacks the columns customer_name, carrier_code"),
        (orders(), lines().drop(columns="price"), "line_items lacks the column price"),
        (orders().rename(columns={"ship_to_city": "ship_to_citty"}), lines(), "ship_to_city is meant"),
        (orders().assign(ship_to_adress2="x"), lines(), "'ship_to_adress2': ship_to_address2 is meant"),
        (pd.concat([orders(), orders()[["order_no"]]], axis=1), lines(), "has the column order_no more than once"),
        (orders(), [line()], "line_items must be a DataFrame, not list"),
        (orders(), None, "orders lacks the columns product_sku, quantity, price"),
    ],
)  # fmt: skip
def test_a_column_that_is_missing_doubled_or_misspelt_is_refused(order_frame: Any, line_frame: Any, words: str) -> None:
    """The error comes before any row is read."""
    with pytest.raises(InvalidRequestError) as caught:
        plan_orders(order_frame, line_frame, channel_id="C")
    assert words in str(caught.value)


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"batch_size": True}, {"channel_id": ""}, {"channel_id": 5}])
def test_an_invalid_argument_is_refused(options: dict[str, Any]) -> None:
    """The error names it."""
    with pytest.raises(InvalidRequestError, match=next(iter(options))):
        planned(**options)


def test_an_orders_columns_may_stand_on_its_first_row_alone() -> None:
    """Shops export such files."""
    table = pd.DataFrame([{**order(grand_total=110), **line()}, line()])
    assert plan_table(table).orders == planned(orders(order(grand_total=110)), lines(line(), line())).orders


def test_swapped_frames_are_called_by_their_names() -> None:
    """The error doesn't only list missing columns."""
    with pytest.raises(InvalidRequestError, match="line_items and orders are swapped: line_items is an orders frame"):
        plan_orders(lines(line()), orders(order()), channel_id="C")


def test_rows_of_an_order_that_disagree_are_refused() -> None:
    """It is unknown which row is right; a line's sum has a column of its own."""
    table = pd.DataFrame(
        [{**order(grand_total=110), **line(sub_total=55)}, {**order(ship_to_city="B"), **line(sub_total=50)}]
    )
    assert list(catch_errors(table, None)) == [
        "order A1: ship_to_city", "order A1: sub_total", "order A1: grand_total",
    ]  # fmt: skip
    fine = pd.DataFrame([{**order(grand_total=110), **line(line_sub_total=55)}, {**line(line_sub_total=55)}])
    assert plan_table(fine).orders[0]["lineItems"][1]["subTotal"] == 55.0


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=10).filter(
    str.strip
)
cents = st.integers(0, 9_999).map(lambda number: Decimal(number) / 100)


@st.composite
def frames(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make any valid orders, with amounts as floats and texts as people write them."""
    order_frame, line_frame = [], []
    numbers = draw(
        st.lists(texts.map(str.strip).filter(lambda number: "," not in number), min_size=1, max_size=4, unique=True)
    )
    for number in numbers:
        total, numbered = Decimal(0), draw(st.booleans())
        for place in range(draw(st.integers(1, 4))):
            quantity, price = draw(st.integers(1, 20)), draw(cents)
            total += quantity * price
            line_frame.append(
                line(number, product_sku=draw(texts), quantity=quantity, price=float(price),
                     line_item=place + 1 if numbered else None)
            )  # fmt: skip
        ship_cost = draw(st.none() | cents)
        order_frame.append(
            order(number, customer_name=draw(texts), contact_name=draw(st.none() | texts), order_date=draw(st.dates()).isoformat(),
                  **{name: draw(texts) for name in ADDRESS}, sub_total=draw(st.none() | st.just(float(total))),
                  ship_cost=None if ship_cost is None else float(ship_cost), grand_total=float(total + (ship_cost or 0)))
        )  # fmt: skip
    return pd.DataFrame(order_frame), pd.DataFrame(draw(st.permutations(line_frame)))


@given(frames())
def test_client_and_sandbox_accept_the_same_orders(made: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """The client's and the sandbox's rules agree, and sums are exact."""
    plan = planned(*made)
    bodies = list(plan.orders)
    body = {"partnerId": "SANDBOX", "channelId": "C", "orders": bodies}
    check_body("POST /orders", body, {})
    assert sandbox_check(post_orders(SandboxDialect()), body, KnownCodes({"C"}, set())) == {}
    for one in bodies:
        total = sum(Decimal(repr(item["subTotal"])) for item in one["lineItems"])
        assert Decimal(repr(one["grandTotal"])) == total + Decimal(repr(one.get("shippingCost", 0)))
    assert [one["orderNo"] for one in bodies] == made[0]["order_no"].tolist()
    assert sum(len(one["lineItems"]) for one in bodies) == len(made[1])


@given(st.data())
def test_no_cell_breaks_the_plan(data: st.DataObject) -> None:
    """Any cell gives a plan or a list of errors."""
    anything = st.one_of(
        st.none(), st.text(), st.integers(), st.floats(), st.booleans(), st.dates(), st.datetimes(), st.decimals(), st.binary(),
        st.datetimes(timezones=st.timezones()), st.lists(st.integers()), st.just(pd.NA), st.just(pd.NaT),
    )  # fmt: skip
    name = data.draw(st.sampled_from(sorted(order(sub_total=55, discount=0, ship_cost=0, estimated_ship_date=None))))
    of_line = data.draw(st.sampled_from(["product_sku", "quantity", "price", "line_item", "sub_total"]))
    order_frame = pd.DataFrame(
        {**{key: [value] for key, value in order().items()}, name: pd.Series([data.draw(anything)], dtype="object")}
    )
    line_frame = pd.DataFrame(
        {**{key: [value] for key, value in line().items()}, of_line: pd.Series([data.draw(anything)], dtype="object")}
    )
    try:
        planned(order_frame, line_frame)
    except InvalidRequestError as error:
        assert error.errors  # noqa: PT017 - either end is fine
