"""GET /channels and POST /channels."""

from typing import Any

import pytest
from support.sandbox_requests import Wire, new_order

PLACE = {"address": "1 Road", "city": "Hayward", "state": "CA", "country": "US", "postalCode": "04545"}


def listed(wire: Wire) -> Any:
    answer = wire.send("GET", "/v2/channels?partnerId=SANDBOX", **wire.authorization)
    assert list(answer.body) == ["data"]
    return answer.data


def create(wire: Wire, **changes: Any) -> Any:
    params = {
        "channelName": "New Channel",
        "contactEmail": "jon@example.com",
        "contactInfo": PLACE,
        **changes,
    }
    return wire.call("POST", "/channels", **params)


def test_the_channels_of_northwind(northwind: Wire) -> None:
    """They are listed as in the data."""
    assert [channel["channelId"] for channel in listed(northwind)] == ["NW-EU", "NW-NA", "NW-SA"]
    assert listed(northwind)[0]["channelName"] == "Northwind Europe"


def test_a_new_channel(wire: Wire) -> None:
    """It is answered with the reference's spelling, listed, and takes orders."""
    answer = create(wire, channelId="ABC123", logo="aGVsbG8=", billInfo={"name": "Co"})
    assert answer.body == {
        "message": "Success! Your request has been processed successfully!",
        "data": {"partnerId": "SANDBOX", "channelId": "ABC123", "channalName": "New Channel"},
    }
    assert listed(wire)[-1] == {
        "channelName": "New Channel",
        "channelId": "ABC123",
        "channelEmail": "jon@example.com",
        "channelPhone": None,
        "location": "Hayward, CA, US, 04545",
        "features": None,
    }
    submitted = wire.call("POST", "/orders", channelId="ABC123", orders=[new_order()])
    assert wire.settled(submitted)["status"] == "COMPLETED"
    assert wire.get("/orders", channelId="ABC123").data[0]["channel"] == "New Channel"


@pytest.mark.parametrize("channel_id", [None, "", "  "])
def test_a_new_channel_without_an_id(wire: Wire, channel_id: str | None) -> None:
    """It gets a random one."""
    ids = {create(wire, channelId=channel_id).data["channelId"] for _ in range(2)}
    assert len(ids) == 2
    assert ids < {channel["channelId"] for channel in listed(wire)}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"channelId": "NW-EU"}, ["channelId"]),
        ({"channelName": None}, ["channelName"]),
        ({"contactEmail": None}, ["contactEmail", "contactPhone"]),
        ({"contactInfo": None}, ["contactInfo"]),
        ({"contactInfo": {**PLACE, "country": "USA"}}, ["contactInfo.country"]),
        ({"contactInfo": {**PLACE, "state": "x" * 21}}, ["contactInfo.state"]),
        ({"contactInfo": {"city": "Hayward", "country": "US"}}, ["address", "state", "postalCode"]),
        ({"billInfo": {"country": 1}}, ["billInfo.country"]),
        ({"logo": "not base64!"}, ["logo"]),
        ({"logo": 1}, ["logo"]),
    ],
)
def test_a_channel_that_is_not_as_documented(northwind: Wire, changes: dict[str, Any], fields: list[str]) -> None:
    """It is 422 on each field that fails, and no channel is made."""
    errors = create(northwind, **changes).errors
    assert [at.removeprefix("contactInfo.") for at in errors] == [at.removeprefix("contactInfo.") for at in fields]
    assert len(listed(northwind)) == 3


def test_a_phone_instead_of_an_address(wire: Wire) -> None:
    """One of the two contacts is enough."""
    assert create(wire, contactEmail=None, contactPhone="1112223333").status == 200
    assert listed(wire)[-1]["channelPhone"] == "1112223333"
