"""Test GET /channels and POST /channels."""

from typing import Any

import pytest
from support.sandbox_requests import SandboxClient, new_order

PLACE = {"address": "1 Road", "city": "Hayward", "state": "CA", "country": "US", "postalCode": "04545"}


def list_channels(sandbox_client: SandboxClient) -> Any:
    answer = sandbox_client.send("GET", "/v2/channels?partnerId=SANDBOX", **sandbox_client.authorization)
    assert list(answer.body) == ["data"]
    return answer.data


def create(sandbox_client: SandboxClient, **changes: Any) -> Any:
    params = {
        "channelName": "New Channel",
        "contactEmail": "jon@example.com",
        "contactInfo": PLACE,
        **changes,
    }
    return sandbox_client.call("POST", "/channels", **params)


def test_the_channels_of_northwind(northwind: SandboxClient) -> None:
    """They are listed as in the data."""
    assert [channel["channelId"] for channel in list_channels(northwind)] == ["NW-EU", "NW-NA", "NW-SA"]
    assert list_channels(northwind)[0]["channelName"] == "Northwind Europe"


def test_a_new_channel(sandbox_client: SandboxClient) -> None:
    """It is answered with the reference's spelling, listed, and takes orders."""
    answer = create(sandbox_client, channelId="ABC123", logo="aGVsbG8=", billInfo={"name": "Co"})
    assert answer.body == {
        "message": "Success! Your request has been processed successfully!",
        "data": {"partnerId": "SANDBOX", "channelId": "ABC123", "channalName": "New Channel"},
    }
    assert list_channels(sandbox_client)[-1] == {
        "channelName": "New Channel",
        "channelId": "ABC123",
        "channelEmail": "jon@example.com",
        "channelPhone": None,
        "location": "Hayward, CA, US, 04545",
        "features": None,
    }
    submitted = sandbox_client.call("POST", "/orders", channelId="ABC123", orders=[new_order()])
    assert sandbox_client.finish_transaction(submitted)["status"] == "COMPLETED"
    assert sandbox_client.get("/orders", channelId="ABC123").data[0]["channel"] == "New Channel"


@pytest.mark.parametrize("channel_id", [None, "", "  "])
def test_a_new_channel_without_an_id(sandbox_client: SandboxClient, channel_id: str | None) -> None:
    """It gets a random one."""
    ids = {create(sandbox_client, channelId=channel_id).data["channelId"] for _ in range(2)}
    assert len(ids) == 2
    assert ids < {channel["channelId"] for channel in list_channels(sandbox_client)}


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
def test_a_channel_that_is_not_as_documented(
    northwind: SandboxClient, changes: dict[str, Any], fields: list[str]
) -> None:
    """It is 422 on each field that fails, and no channel is made."""
    errors = create(northwind, **changes).errors
    assert [at.removeprefix("contactInfo.") for at in errors] == [at.removeprefix("contactInfo.") for at in fields]
    assert len(list_channels(northwind)) == 3


def test_a_phone_instead_of_an_address(sandbox_client: SandboxClient) -> None:
    """One of the two contacts is enough."""
    assert create(sandbox_client, contactEmail=None, contactPhone="1112223333").status == 200
    assert list_channels(sandbox_client)[-1]["channelPhone"] == "1112223333"
