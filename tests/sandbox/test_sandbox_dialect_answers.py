"""Test the dialect of answers: records, refusals, tokens and transactions."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from support.sandbox_requests import CREDENTIALS, NOON, SandboxClient

pytestmark = pytest.mark.slow


def numbers(sandbox_client: SandboxClient, **params: Any) -> list[str]:
    return [order["orderNo"] for order in sandbox_client.get("/orders", **{"limit": 300, **params}).data]


@pytest.mark.parametrize("sorting", ["oldest", "newest", "none"])
def test_the_order_of_rows(reader: SandboxClient, sorting: str) -> None:
    """It is by date, backwards, or without sense; in every request the same."""
    oldest = numbers(reader, isAcknowledged=False)
    shipped = [row["orderNo"] for row in reader.get("/shipments", channelId="NW-EU", limit=99).data]
    reader.set_dialect(sorting=sorting)
    rows = numbers(reader, isAcknowledged=False)
    assert rows == numbers(reader, isAcknowledged=False)
    assert sorted(rows) == sorted(oldest)
    assert (rows == oldest) == (sorting == "oldest")
    assert (rows == oldest[::-1]) == (sorting == "newest")
    again = [row["orderNo"] for row in reader.get("/shipments", channelId="NW-EU", limit=99).data]
    assert (again == shipped) == (sorting == "oldest")


def test_orders_that_come_twice(reader: SandboxClient) -> None:
    """Every tenth does, beyond the limit, but not on pages."""
    plain = numbers(reader, limit=25)
    rows = numbers(reader.set_dialect(repeats=True), limit=25)
    assert rows == [*plain[:10], plain[9], *plain[10:20], plain[19], *plain[20:]]
    assert numbers(reader, limit=25, isPaginated=True) == plain


@pytest.mark.parametrize("envelope", ["data", "list", "object", "data_object"])
@pytest.mark.parametrize("paged", [False, True])
def test_what_is_around_orders(reader: SandboxClient, envelope: str, paged: bool) -> None:
    """One order may come bare; a bare list has no place for words."""
    one, two = (reader.get("/orders", orders=asked).data for asked in ("10248", "10248,10250"))
    reader.set_dialect(envelope=envelope)
    body = reader.get("/orders", orders="10248", isPaginated=paged).body
    if envelope == "list":
        assert body == one
    elif envelope == "object":
        assert body == one[0]
    else:
        assert body["data"] == (one if envelope == "data" else one[0])
        assert body["code"] == 200
        assert ("total" in body) == paged
    body = reader.get("/orders", orders="10248,10250", isPaginated=paged).body
    assert (body if envelope == "list" else body["data"]) == two
    body = reader.get("/orders", orders="nothing", isPaginated=paged).body
    assert (body if envelope == "list" else body["data"]) == []


def test_plain_days(reader: SandboxClient) -> None:
    """An order's date is then the midnight of its day, while the filter is as it was."""
    instants = [order["orderDate"] for order in reader.get("/orders", limit=300).data]
    days = [order["orderDate"] for order in reader.set_dialect(order_dates="day").get("/orders", limit=300).data]
    assert days == [f"{at[:10]}T00:00:00.000000Z" for at in instants]


@pytest.mark.parametrize(("written", "value"), [("text", "1"), ("number", 1), ("missing", None)])
def test_line_numbers(reader: SandboxClient, written: str, value: object) -> None:
    """They are text, numbers, or not there."""
    line = reader.set_dialect(line_numbers=written).get("/orders", orders="10248").data[0]["lineItems"][0]
    assert line.get("lineItem") == value
    assert ("lineItem" in line) == (written != "missing")
    assert line["productSku"]


@pytest.mark.parametrize(
    ("written", "value"), [("text", "39"), ("number", 39), ("decimal_text", "39.0"), ("decimal", 39.0)]
)
@pytest.mark.parametrize("misspelt", [True, False])
def test_quantities_of_stock(sandbox_client: SandboxClient, written: str, value: object, misspelt: bool) -> None:
    """Both quantities of a row are written alike; what isn't a number stays."""
    spelling = "nextAvailabileQuantity" if misspelt else "nextAvailableQuantity"
    rows = sandbox_client.sandbox.state.stock._rows["NW-EAST"]
    rows["0001"]["nextAvailabileQuantity"] = "39"
    rows["0002"]["nextAvailabileQuantity"] = "soon"
    rows["0003"]["nextAvailabileQuantity"] = None
    sandbox_client.set_dialect(quantities=written, misspelt=misspelt)
    first, second, third = sandbox_client.get("/inventories", actualStock=True).data[0]["warehouseInventory"][:3]
    assert repr(first["quantity"]) == repr(first[spelling]) == repr(value)
    assert second[spelling] == "soon"
    assert third[spelling] is None
    assert len([name for name in first if name.startswith("nextAvail")]) == 2


@pytest.mark.parametrize(("misspelt", "name"), [(True, "channalName"), (False, "channelName")])
def test_the_name_of_a_new_channel(sandbox_client: SandboxClient, misspelt: bool, name: str) -> None:
    """It comes in either spelling."""
    place = {"address": "1 Road", "city": "Hayward", "state": "CA", "country": "US", "postalCode": "04545"}
    params = {"channelName": "New", "contactEmail": "a@example.com", "contactInfo": place}
    assert sandbox_client.set_dialect(misspelt=misspelt).call("POST", "/channels", **params).data[name] == "New"


def authorize(sandbox_client: SandboxClient, **changes: Any) -> Any:
    sandbox_client.set_dialect(**changes)
    return sandbox_client.send("POST", "/v2/authorize", json.dumps(CREDENTIALS).encode()).body


def decode_claims(token: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def test_how_long_a_token_lives(sandbox_client: SandboxClient) -> None:
    """So long as the dialect says when it is given, whatever is said about it."""
    sandbox_client.token = authorize(sandbox_client, token_life=60, expires_in=3600)["access_token"]
    sandbox_client.set_dialect()
    sandbox_client.sandbox.clock.advance(59)
    assert sandbox_client.get("/orders").status == 200
    sandbox_client.sandbox.clock.advance(1)
    assert sandbox_client.get("/orders").status == 401


@pytest.mark.parametrize("expires_in", [None, 0, 3600])
def test_the_metadata_of_a_token(sandbox_client: SandboxClient, expires_in: int | None) -> None:
    """Any number, or nothing."""
    assert authorize(sandbox_client, expires_in=expires_in).get("expires_in") == expires_in


@pytest.mark.parametrize("place", ["none", "field", "claim"])
def test_the_end_of_a_token(sandbox_client: SandboxClient, place: str) -> None:
    """It is the true one, in the answer, in the token, or nowhere."""
    answer = authorize(sandbox_client, token_exp=place, token_life=3600)
    end = int((NOON + timedelta(hours=1)).timestamp())
    assert answer.get("exp") == (end if place == "field" else None)
    assert decode_claims(answer["access_token"]).get("exp") == (end if place == "claim" else None)


def acknowledge(sandbox_client: SandboxClient, numbers: str) -> Any:
    place = json.dumps({"partnerId": "SANDBOX", "channelId": "NW-EU", "orders": numbers}).encode()
    return sandbox_client.send_raw("PATCH", "/v2/orders/acknowledge", place, **sandbox_client.authorization)


REFUSED = ["The orderNo A1 is not able to update.", "The orderNo B1 is not able to update."]


@pytest.mark.parametrize(
    ("shape", "errors"),
    [
        ("documented", REFUSED),
        ("objects", [{"message": text} for text in REFUSED]),
        ("map", dict(zip(("A1", "B1"), REFUSED, strict=True))),
    ],
)
def test_a_refusal(reader: SandboxClient, shape: str, errors: object) -> None:
    """Its errors are texts, objects, or texts by number."""
    answer = acknowledge(reader.set_dialect(refusals=shape), "A1,B1")
    body = json.loads(answer.body)
    assert (answer.status, body["code"], body["errors"]) == (400, "50001", errors)


@pytest.mark.parametrize("status", [400, 200])
def test_a_refusal_that_is_no_json(reader: SandboxClient, status: int) -> None:
    """It is the reference's example, to the letter."""
    answer = acknowledge(reader.set_dialect(refusals="not_json", errors_as_200=status == 200), "A1")
    assert answer.status == status
    assert b'"errors": [\n{\n"The orderNo A1 is not able to update."\n},\n]' in answer.body
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(answer.body)


def test_errors_as_200(reader: SandboxClient) -> None:
    """What is wrong stands in the body alone; other statuses stay."""
    reader.set_dialect(errors_as_200=True)
    answer = acknowledge(reader, "A1")
    assert (answer.status, json.loads(answer.body)["code"]) == (200, "50001")
    answer = reader.get("/orders", limit=0)
    assert (answer.status, answer.body["code"], list(answer.body["errors"])) == (200, 422, ["limit"])
    answer = reader.send("GET", "/v2/orders", b"{", **reader.authorization)
    assert (answer.status, answer.body["code"]) == (200, 400)
    assert reader.send("GET", "/v2/orders", b"{}").status == 401
    assert reader.send("GET", "/v2/nothing", b"{}").status == 404
    assert reader.get("/orders").body["code"] == 200
    assert [request.status for request in reader.sandbox.requests[-6:]] == [200, 200, 200, 401, 404, 200]
