"""Test the dialect of writes: batches, transactions, and the stock that a count sets."""

from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, new_order

pytestmark = pytest.mark.slow

CHAI = ("NW-EAST", "0001")  # 39 on hand


def update(sandbox_client: SandboxClient, *rows: tuple[str, str, int]) -> Any:
    inventories = [{"productSKU": sku, "type": kind, "quantity": quantity} for sku, kind, quantity in rows]
    return sandbox_client.call("PATCH", "/inventories", warehouseCode="NW-EAST", inventories=inventories)


def create(sandbox_client: SandboxClient, *orders: dict[str, Any]) -> Any:
    return sandbox_client.call("POST", "/orders", channelId="NW-EU", orders=list(orders))


def acknowledge(sandbox_client: SandboxClient, *numbers: str) -> Any:
    return sandbox_client.call("PATCH", "/shipments/acknowledge", shipments=[{"orderNo": number} for number in numbers])


@pytest.mark.parametrize(("way", "types"), [("mixed", (int, str)), ("number", (int, int)), ("text", (str, str))])
def test_the_id_of_a_transaction(sandbox_client: SandboxClient, way: str, types: tuple[type, type]) -> None:
    """It is a number, a text, or depends on the write."""
    sandbox_client.set_dialect(transaction_ids=way)
    found = update(sandbox_client, ("0001", "TRUE_UP", 1)).body["id"], create(sandbox_client, new_order()).body["id"]
    assert tuple(type(value) for value in found) == types


@pytest.mark.parametrize(("way", "upper"), [("mixed", (True, False)), ("upper", (True, True)), ("lower", (False,) * 2)])
def test_the_case_of_a_handle(sandbox_client: SandboxClient, way: str, upper: tuple[bool, bool]) -> None:
    """It is one, the other, or depends on the write; either is found."""
    sandbox_client.set_dialect(handles=way)
    found = [
        update(sandbox_client, ("0001", "TRUE_UP", 1)).body["handle"],
        create(sandbox_client, new_order()).body["handle"],
    ]
    assert found == [
        handle.upper() if is_upper else handle.lower() for handle, is_upper in zip(found, upper, strict=True)
    ]
    assert sandbox_client.get("/transaction", handle=found[0].swapcase()).body["handle"] == found[0]


NOPE = "The product sku nope does not exist."
LINES = [f"The line item {n} of order N-1 has been rejected due to product sku does not exist." for n in (1, 2)]


@pytest.mark.parametrize(
    ("shape", "stock_errors", "order_errors"),
    [
        ("objects", [{"index": 1, "message": NOPE}], [{"index": 0, "message": text} for text in LINES]),
        ("pairs", [[1, NOPE]], [[0, text] for text in LINES]),
        ("map", {"1": NOPE}, {"0": LINES}),
        ("texts", [NOPE], LINES),
        ("text", NOPE, " ".join(LINES)),
        ("none", None, None),
    ],
)
def test_the_errors_of_a_transaction(
    sandbox_client: SandboxClient, shape: str, stock_errors: object, order_errors: object
) -> None:
    """They have any shape, or are not there."""
    sandbox_client.set_dialect(transaction_errors=shape)
    line = {"sku": "nope", "quantity": 1, "consumerPrice": 1, "subTotal": 1}
    for submitted, errors in (
        (update(sandbox_client, ("0001", "TRUE_UP", 7), ("nope", "TRUE_UP", 1)), stock_errors),
        (create(sandbox_client, new_order(lineItems=[line, line])), order_errors),
    ):
        outcome = sandbox_client.finish_transaction(submitted)
        assert outcome["status"] == "FAILED"
        assert outcome.get("errors") == errors
        assert ("errors" in outcome) == (shape != "none")
    assert sandbox_client.actual()[CHAI] == 7


@pytest.mark.parametrize("applies", ["rest", "nothing"])
def test_what_a_failed_transaction_leaves(sandbox_client: SandboxClient, applies: str) -> None:
    """The good rows, or everything as it was."""
    sandbox_client.set_dialect(failed_applies=applies)
    number = sandbox_client.get("/shipments", channelId="NW-EU", acknowledged=False).data[0]["orderNo"]
    orders, actual, available = (
        sandbox_client.get("/orders", limit=300).data,
        sandbox_client.actual(),
        sandbox_client.available(),
    )
    update(sandbox_client, ("0001", "TRUE_UP", 7), ("0001", "DIFFERENTIAL", 1), ("nope", "TRUE_UP", 1))
    create(sandbox_client, new_order(orderDate="1990-01-01", customerOrderNo="C"), new_order("10248"))
    submitted = acknowledge(sandbox_client, number, number, "nope")
    assert sandbox_client.finish_transaction(submitted)["status"] == "FAILED"
    waiting = [
        row["orderNo"] for row in sandbox_client.get("/shipments", channelId="NW-EU", acknowledged=False, limit=99).data
    ]
    rest = applies == "rest"
    assert sandbox_client.actual() == {**actual, **({CHAI: 8} if rest else {})}
    assert (sandbox_client.get("/orders", limit=300).data == orders) == (not rest)
    assert (number in waiting) == (not rest)
    assert (sandbox_client.available() == available) == (not rest)
    # What was taken back can be sent again.
    again = create(sandbox_client, new_order(orderDate="1990-01-01", customerOrderNo="C"))
    assert sandbox_client.finish_transaction(again)["status"] == ("FAILED" if rest else "COMPLETED")


def test_a_dialect_that_changes(sandbox_client: SandboxClient) -> None:
    """What has ended before has ended under the old one."""
    update(sandbox_client, ("0001", "TRUE_UP", 7), ("nope", "TRUE_UP", 1))
    sandbox_client.sandbox.clock.advance(3)
    assert sandbox_client.set_dialect(failed_applies="nothing").actual()[CHAI] == 7


@pytest.mark.parametrize("status", [422, 413])
def test_a_write_with_too_many_items(sandbox_client: SandboxClient, status: int) -> None:
    """It is refused one way or the other, and one with just as many is not."""
    sandbox_client.set_dialect(batch_most=2, too_many=status)
    for answer, name in (
        (update(sandbox_client, *[("0001", "TRUE_UP", 1)] * 3), "inventories"),
        (create(sandbox_client, *[new_order(str(number)) for number in range(3)]), "orders"),
        (acknowledge(sandbox_client, "1", "2", "3"), "shipments"),
    ):
        assert answer.status == status
        assert status == 413 or answer.errors == {name: [f"The {name} may not have more than 2 items."]}
    assert update(sandbox_client, *[("0001", "TRUE_UP", 1)] * 2).status == 200


LARGE: list[dict[str, Any]] = [
    {"grandTotal": 16_387.5},
    {"shippingCost": 1_007.64},
    {"shipTo": {**new_order()["shipTo"], "country": "United States of America", "postalCode": "x" * 255}},
    {"lineItems": [{"sku": "0001", "quantity": 100_000, "consumerPrice": 1, "subTotal": 100_000, "lineNumber": 1000}]},
]


@pytest.mark.parametrize("changes", LARGE)
def test_sizes(sandbox_client: SandboxClient, changes: dict[str, Any]) -> None:
    """They hold as documented, or hardly at all."""
    order = new_order(**changes)
    assert create(sandbox_client, order).status == 422
    sandbox_client.set_dialect(sizes="nominal")
    assert sandbox_client.finish_transaction(create(sandbox_client, order))["status"] == "COMPLETED"
    assert create(sandbox_client, new_order("N-2", grandTotal=1e18)).status == 422
    assert create(sandbox_client, new_order("N-2", grandTotal=1.005)).status == 422


def test_available_stock_that_is_clamped(reader: SandboxClient) -> None:
    """Nothing is below 0, and actual stock is as it was."""
    actual, available = reader.actual(), reader.available()
    reader.set_dialect(available_clamped=True)
    assert reader.actual() == actual
    assert reader.available() == {key: max(0, quantity) for key, quantity in available.items()}
    assert min(available.values()) < 0


def test_available_stock_by_channel(sandbox_client: SandboxClient) -> None:
    """Each channel has its own open orders subtracted; together they are the account's."""
    actual, available = sandbox_client.actual(), sandbox_client.available()
    sandbox_client.set_dialect(available_scope="channel")
    channels = [sandbox_client.available(name) for name in ("NW-EU", "NW-NA", "NW-SA")]
    reserved = {key: sum(actual[key] - channel[key] for channel in channels) for key in actual}
    assert {key: actual[key] - units for key, units in reserved.items()} == available
    sandbox_client.finish_transaction(create(sandbox_client, new_order()))
    assert sandbox_client.available("NW-EU")[CHAI] == channels[0][CHAI] - 2
    assert sandbox_client.available("NW-NA") == channels[1]


@pytest.mark.parametrize("sets", ["actual", "available"])
def test_which_stock_a_count_sets(sandbox_client: SandboxClient, sets: str) -> None:
    """What is on the shelf, or what is for sale."""
    sandbox_client.set_dialect(true_up_sets=sets)
    held = sandbox_client.actual()[CHAI] - sandbox_client.available()[CHAI]
    assert held > 0
    sandbox_client.finish_transaction(update(sandbox_client, ("0001", "TRUE_UP", 7)))
    assert (sandbox_client.actual() if sets == "actual" else sandbox_client.available())[CHAI] == 7
    assert sandbox_client.actual()[CHAI] - sandbox_client.available()[CHAI] == held
    sandbox_client.finish_transaction(update(sandbox_client, ("0001", "DIFFERENTIAL", -1)))
    assert (sandbox_client.actual() if sets == "actual" else sandbox_client.available())[CHAI] == 6


def test_a_handle_of_differing_case(sandbox_client: SandboxClient) -> None:
    """The answer to a write has it in upper case, GET /transaction in lower case."""
    sandbox_client.set_dialect(handles="differing")
    handle = update(sandbox_client, ("0001", "TRUE_UP", 1)).body["handle"]
    assert handle.isupper()
    assert sandbox_client.get("/transaction", handle=handle).body["handle"] == handle.lower()


def test_a_handle_that_is_used_again(sandbox_client: SandboxClient) -> None:
    """A write has the handle of one that is open, and its own when none is."""
    sandbox_client.set_dialect(handle_reuse=True)
    first, second = (update(sandbox_client, ("0001", "DIFFERENTIAL", 1)) for _ in range(2))
    assert first.body["handle"] == second.body["handle"]
    sandbox_client.finish_transaction(second)
    assert update(sandbox_client, ("0001", "TRUE_UP", 1)).body["handle"] != first.body["handle"]
    assert sandbox_client.actual()[CHAI] == 41


@pytest.mark.parametrize(("order", "units"), [("submission", 9), ("reverse", 7)])
def test_the_order_of_application(sandbox_client: SandboxClient, order: str, units: int) -> None:
    """In reverse, a write waits for all that were sent after it."""
    sandbox_client.set_dialect(application_order=order)
    first = update(sandbox_client, ("0001", "TRUE_UP", 7))
    sandbox_client.sandbox.clock.advance(2)
    second = update(sandbox_client, ("0001", "TRUE_UP", 9))
    sandbox_client.sandbox.clock.advance(2)
    assert sandbox_client.actual()[CHAI] == (7 if order == "submission" else 39)
    sandbox_client.sandbox.clock.advance(2)
    assert sandbox_client.actual()[CHAI] == units
    assert {sandbox_client.transaction(each)["status"] for each in (first, second)} == {"COMPLETED"}


@pytest.mark.parametrize("number", [0, 1])
def test_the_number_of_the_first_row(sandbox_client: SandboxClient, number: int) -> None:
    """Errors count rows from 0 or from 1."""
    sandbox_client.set_dialect(first_index=number)
    outcome = sandbox_client.finish_transaction(update(sandbox_client, ("nope", "TRUE_UP", 1)))
    assert outcome["errors"] == [{"index": number, "message": NOPE}]


def test_an_unknown_sku_that_is_refused_at_once(sandbox_client: SandboxClient) -> None:
    """With 422 that names the row, and nothing of the batch is applied."""
    sandbox_client.set_dialect(unknown_skus="request")
    answer = update(sandbox_client, ("0001", "TRUE_UP", 1), ("nope", "TRUE_UP", 1))
    assert (answer.status, answer.errors) == (
        422,
        {"inventories.1.productSKU": ["The selected inventories.1.product sku is invalid."]},
    )
    sandbox_client.sandbox.clock.advance(10)
    assert sandbox_client.actual()[CHAI] == 39
