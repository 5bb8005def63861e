"""What is kept, for whom, for how long, and what makes it stale."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from told_server import SECRET, TOKEN, Say, ToldServer

import cenports_nb as cn
from cenports_nb.api.cache import clear
from cenports_nb.api.client import Client
from cenports_nb.errors import CenportsError, ConfigurationError, UnexpectedAnswerError

Connect = Callable[..., Client]
ONE = Say({"data": [{"channelId": "A"}]})


def test_a_second_call_sends_nothing(server: ToldServer, staging: Connect) -> None:
    """An answer that is young enough costs no rate limit."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    before = len(server.requests)
    cn.load_channels(client)
    assert (len(server.requests), client.usage.cached) == (before, 1)


def test_another_client_of_the_account_shares_the_answers(server: ToldServer, staging: Connect) -> None:
    """Two notebooks of one account read once."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    cn.load_channels(staging())
    assert len(server.of("GET /channels")) == 1


def test_another_partner_never_gets_them(server: ToldServer, staging: Connect) -> None:
    """Accounts don't share answers, whatever folder they share."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    cn.load_channels(staging(partner_id="P-2"))
    assert len(server.of("GET /channels")) == 2


def test_refresh_asks_and_keeps_the_new_answer(server: ToldServer, staging: Connect) -> None:
    """What is asked anew replaces what was kept."""
    server.on("GET /channels", ONE, Say({"data": [{"channelId": "B"}]}))
    client = staging()
    cn.load_channels(client)
    cn.load_channels(client, refresh=True)
    assert cn.load_channels(client)["channel_id"].tolist() == ["B"]


def test_without_a_cache_every_call_asks(server: ToldServer, staging: Connect, home: Path) -> None:
    """And no file is made."""
    server.on("GET /channels", ONE)
    client = staging(cache=False)
    cn.load_channels(client)
    cn.load_channels(client)
    assert (len(server.of("GET /channels")), list(home.iterdir())) == (2, [])


def test_a_write_makes_everything_stale(server: ToldServer, staging: Connect) -> None:
    """The next read goes to the wire."""
    server.on("GET /channels", ONE).on("POST /channels", Say({"data": {"channelId": "B"}}))
    client = staging()
    cn.load_channels(client)
    client.api.create_channel(channelName="B")
    cn.load_channels(client)
    assert len(server.of("GET /channels")) == 2


def test_while_a_write_is_under_way_nothing_is_kept(server: ToldServer, staging: Connect) -> None:
    """It may land at any moment; afterwards answers are kept again."""
    server.on("GET /channels", ONE)
    client = staging()
    client.write_started("w")
    cn.load_channels(client)
    cn.load_channels(client)
    client.write_ended("w")
    cn.load_channels(client)
    cn.load_channels(client)
    assert len(server.of("GET /channels")) == 3


def test_thin_calls_are_never_answered_from_the_cache(server: ToldServer, staging: Connect) -> None:
    """`client.api` is uncached by contract."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    client.api.get_channels()
    assert len(server.of("GET /channels")) == 2


def test_polls_by_acknowledgement_are_never_kept(server: ToldServer, staging: Connect) -> None:
    """What was not acknowledged a minute ago may be now."""
    server.on("GET /orders", Say({"data": [], "total": 0}))
    client = staging()
    cn.load_orders(client, acknowledged=False)
    cn.load_orders(client, acknowledged=False)
    assert len(server.of("GET /orders")) == 2


def test_a_200_that_explains_nothing_is_not_kept(server: ToldServer, staging: Connect) -> None:
    """A message in between must not stay for a quarter of an hour."""
    server.on("GET /channels", Say({"message": "Please hold the line."}), ONE)
    client = staging()
    with pytest.raises(UnexpectedAnswerError):
        cn.load_channels(client)
    assert len(cn.load_channels(client)) == 1


def test_an_error_is_not_kept(server: ToldServer, staging: Connect) -> None:
    """Nor one that comes with 200."""
    server.on("GET /channels", Say({"code": 50001, "message": "Sorry.", "data": []}), ONE)
    client = staging()
    with pytest.raises(CenportsError):
        cn.load_channels(client)
    assert len(cn.load_channels(client)) == 1


def test_files_are_for_their_owner_alone(server: ToldServer, staging: Connect, home: Path) -> None:
    """Every file under CENPORTS_HOME is 0600."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}


def test_no_secret_is_in_the_files(server: ToldServer, staging: Connect, home: Path) -> None:
    """Neither token nor client secret, in any byte."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    content = b"".join(path.read_bytes() for path in home.iterdir())
    assert b'"channelId"' in content
    assert TOKEN.encode() not in content
    assert SECRET.encode() not in content


def test_a_damaged_cache_is_set_aside(server: ToldServer, staging: Connect, home: Path) -> None:
    """It held nothing that can't be asked again."""
    server.on("GET /channels", ONE)
    (home / "cache.sqlite").write_bytes(b"this is no database, but it is long enough to look like one" * 20)
    assert len(cn.load_channels(staging())) == 1


def test_a_folder_that_cannot_be_used_is_one_clear_line(staging: Connect, home: Path) -> None:
    """With two ways out."""
    (home / "taken").write_text("a file")
    with pytest.raises(ConfigurationError, match="cache=False or another folder"):
        cn.load_channels(staging(cache=home / "taken"))


def test_clearing_deletes_the_cache_and_nothing_else(server: ToldServer, staging: Connect, home: Path) -> None:
    """The journal is beside it and stays."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    client.close()
    (home / "journal.sqlite").write_bytes(b"")
    clear(home)
    assert [path.name for path in home.iterdir()] == ["journal.sqlite"]


def test_a_sandbox_client_leaves_nothing_behind(client: Client, home: Path) -> None:
    """Its cache goes with it: another sandbox may have the same port tomorrow."""
    cn.load_channels(client)
    folder = client.home
    client.close()
    assert (folder.exists(), list(home.iterdir())) == (False, [])
