"""Test that a channel is created once, checked before and looked up after."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import BusinessError, InvalidRequestError, ReadOnlyError, TransportError, UnexpectedAnswerError
from cenports_nb.sandbox import Sandbox
from cenports_nb.sandbox.dialect import Dialect

PLACE = {"address": "1 Road", "city": "Tracy", "state": "CA", "country": "US", "postal_code": "05376"}
PICTURES = {
    "logo.png": b"\x89PNG\r\n\x1a\nrest",
    "logo.jpg": b"\xff\xd8\xffrest",
    "LOGO.JPEG": b"\xff\xd8\xffrest",
    "logo.svg": b"<?xml version='1.0'?><svg/>",
}


def create(client: cn.Client, name: str = "New", **changes: Any) -> str:
    return cn.create_channel(client, name, **{"contact_email": "n@example.com", "contact_info": PLACE, **changes})


def sent(sandbox: Sandbox) -> list[Any]:
    return [request for request in sandbox.requests if (request.method, request.path) == ("POST", "/channels")]


@pytest.mark.parametrize("misspelt", [True, False])
def test_a_channel_is_created_and_its_id_returned(client: cn.Client, northwind: Sandbox, misspelt: bool) -> None:
    """The answer may spell `channelName` either way; a list of channels cached before is not served afterwards."""
    northwind.dialect = Dialect(misspelt=misspelt)
    assert "SHOP" not in cn.load_channels(client)["channel_id"].tolist()
    bill = {"name": "Co", "postal_code": "1", "email": None}
    assert create(client, channel_id="SHOP", contact_phone="1", bill_info=bill) == "SHOP"
    channels = cn.load_channels(client).set_index("channel_id")
    assert channels.loc["SHOP", ["channel_name", "location"]].tolist() == ["New", "Tracy, CA, US, 05376"]
    assert len(sent(northwind)) == 1


def test_cenports_chooses_an_id_where_none_is_given(client: cn.Client) -> None:
    """The returned id is the listed one."""
    made = create(client)
    assert made in cn.load_channels(client)["channel_id"].tolist()


@pytest.mark.parametrize("name", PICTURES)
def test_a_logo_travels_as_base64(client: cn.Client, northwind: Sandbox, name: str, tmp_path: Path) -> None:
    """All documented image types work."""
    path = tmp_path / name
    path.write_bytes(PICTURES[name])
    create(client, logo=path)
    assert base64.b64decode(sent(northwind)[0].params["logo"]) == PICTURES[name]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("logo.gif", b"GIF89a", "has no known ending: use one of .png, .jpg, .jpeg, .svg"),
        ("logo.png", b"\xff\xd8\xff", "is no png by its first bytes"),
        ("logo.svg", b"<html></html>", "is no svg by its first bytes"),
        ("logo.png", None, "can't be read"),
        ("logo.jpg", b"\xff\xd8\xff" + b"0" * 2**21, "make it smaller than 2,097,152"),
    ],
)
def test_an_invalid_logo_is_refused(
    client: cn.Client, northwind: Sandbox, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    """The error comes before sending."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequestError, match=words):
        create(client, logo=tmp_path / name)
    assert northwind.requests == []


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"contact_info": {**PLACE, "postcode": "1"}}, None, "contact_info has no 'postcode': postal_code is meant"),
        ({"contact_info": {**PLACE, "postalCode": "1"}}, None, "contact_info has no 'postalCode': postal_code is meant"),
        ({"bill_info": {"zzz": "1"}}, None, "bill_info has no 'zzz': it has name, email"),
        ({"contact_info": "here"}, None, "contact_info must be a mapping with address, city"),
        ({"contact_info": {**PLACE, "country": "USA"}}, "contact_info.country", "is longer than 2 characters"),
        ({"contact_info": {**PLACE, "city": None}}, "contact_info.city", "is missing"),
        ({"contact_info": {**PLACE, "postal_code": 5376}}, "contact_info.postal_code", "isn't text"),
        ({"contact_email": "secret-person" * 30}, "contact_email", "is longer than 255 characters"),
        ({"contact_email": None}, "contact_email", "or contact_phone is needed"),
        ({"name": ""}, "channel_name", "is empty"),
    ],
)  # fmt: skip
def test_invalid_arguments_are_named(
    client: cn.Client, northwind: Sandbox, changes: dict[str, Any], place: str | None, words: str
) -> None:
    """One error lists all faults by argument, without personal data."""
    with pytest.raises(InvalidRequestError) as caught:
        create(client, **changes)
    assert words in str(caught.value)
    assert "secret-person" not in str(caught.value)
    if place is not None:
        assert list(caught.value.errors) == [place]
    assert northwind.requests == []


def test_a_read_only_client_sends_nothing(northwind: Sandbox) -> None:
    """It requests no token, and doesn't check the arguments first."""
    with cn.connect("sandbox", base_url=northwind.url, read_only=True) as client, pytest.raises(ReadOnlyError):
        create(client, contact_info={})
    assert northwind.requests == []


@pytest.mark.parametrize(
    ("fault", "error", "there"),
    [
        ("lost", TransportError, True),
        ("server_error", TransportError, False),
        ("reset", TransportError, False),
        ("cut_json", TransportError, True),
        ("wrong_shape", UnexpectedAnswerError, False),
        ("error_200", TransportError, False),
    ],
)
def test_an_answer_that_tells_nothing_leaves_it_in_doubt(
    client: cn.Client, northwind: Sandbox, fault: str, error: type[Exception], there: bool
) -> None:
    """It is sent once; the error says how to look it up."""
    northwind.faults.add(fault, "POST /channels", times=None)
    with pytest.raises(error, match=r"load_channels\(client, refresh=True\)"):
        create(client, channel_id="SHOP")
    assert len(sent(northwind)) == 1
    assert ("SHOP" in cn.load_channels(client)["channel_id"].tolist()) is there


def test_a_refusal_is_reported_in_cenports_words(client: cn.Client) -> None:
    """A refused channel is not in doubt."""
    with pytest.raises(InvalidRequestError, match="has already been taken") as caught:
        create(client, channel_id="NW-EU")
    assert caught.value.status == 422


def test_a_business_refusal_goes_through(server: ScriptedServer, staging: Callable[..., cn.Client]) -> None:
    """A 400 means that it was not created."""
    server.on("POST /channels", Reply({"code": "50001", "message": "no more channels"}, 400))
    with pytest.raises(BusinessError, match="no more channels"):
        create(staging())
