"""Test what the cache keeps, for whom, for how long, and what invalidates it."""

import sqlite3
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.scripted_server import SECRET, TOKEN, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http import cache_store
from cenports_nb.api.http.cache import clear_cache, list_accounts
from cenports_nb.api.http.session import ApiRequest
from cenports_nb.errors import (
    CenportsError,
    CenportsWarning,
    ConfigurationError,
    OfflineMissError,
    UnexpectedAnswerError,
)

Connect = Callable[..., Client]
PLACE = {"address": "1 Road", "city": "Tracy", "state": "CA", "country": "US", "postalCode": "95376"}
CHANNEL: dict[str, Any] = {"channelName": "B", "contactEmail": "b@example.com", "contactInfo": PLACE}
ONE = Reply({"data": [{"channelId": "A"}]})


def test_a_second_call_sends_nothing(server: ScriptedServer, staging: Connect) -> None:
    """A cached answer that is young enough costs no request."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    before = len(server.requests)
    cn.load_channels(client)
    assert (len(server.requests), client.usage.cached) == (before, 1)


def test_another_client_of_the_account_shares_the_answers(server: ScriptedServer, staging: Connect) -> None:
    """Two notebooks of one account send each request once."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    cn.load_channels(staging())
    assert len(server.of("GET /channels")) == 1


def test_another_partner_never_gets_them(server: ScriptedServer, staging: Connect) -> None:
    """Accounts don't share answers, even in the same folder."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    cn.load_channels(staging(partner_id="P-2"))
    assert len(server.of("GET /channels")) == 2


def test_refresh_asks_and_keeps_the_new_answer(server: ScriptedServer, staging: Connect) -> None:
    """A refreshed answer replaces the cached one."""
    server.on("GET /channels", ONE, Reply({"data": [{"channelId": "B"}]}))
    client = staging()
    cn.load_channels(client)
    cn.load_channels(client, refresh=True)
    assert cn.load_channels(client)["channel_id"].tolist() == ["B"]


def test_without_a_cache_every_call_asks(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """No cache file is created."""
    server.on("GET /channels", ONE)
    client = staging(cache=False)
    cn.load_channels(client)
    cn.load_channels(client)
    assert (len(server.of("GET /channels")), [path.name for path in home.iterdir()]) == (2, ["pacing.sqlite"])


def test_a_write_makes_everything_stale(server: ScriptedServer, staging: Connect) -> None:
    """The next read after a write sends a request."""
    server.on("GET /channels", ONE).on("POST /channels", Reply({"data": {"channelId": "B"}}))
    client = staging()
    cn.load_channels(client)
    client.api.create_channel(**CHANNEL)
    cn.load_channels(client)
    assert len(server.of("GET /channels")) == 2


def test_while_a_write_is_under_way_nothing_is_kept(server: ScriptedServer, staging: Connect) -> None:
    """A write may take effect at any moment; answers are cached again once it ends."""
    server.on("GET /channels", ONE)
    client = staging()
    client.write_started("w")
    cn.load_channels(client)
    cn.load_channels(client)
    client.write_ended("w")
    cn.load_channels(client)
    cn.load_channels(client)
    assert len(server.of("GET /channels")) == 3


def test_thin_calls_are_never_answered_from_the_cache(server: ScriptedServer, staging: Connect) -> None:
    """Calls of `client.api` are never cached."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    client.api.get_channels()
    assert len(server.of("GET /channels")) == 2


def test_polls_by_acknowledgement_are_never_kept(server: ScriptedServer, staging: Connect) -> None:
    """An order may be acknowledged at any minute."""
    server.on("GET /orders", Reply({"data": [], "total": 0}))
    client = staging()
    cn.load_orders(client, acknowledged=False)
    cn.load_orders(client, acknowledged=False)
    assert len(server.of("GET /orders")) == 2


def test_a_200_without_data_is_not_cached(server: ScriptedServer, staging: Connect) -> None:
    """An answer such as a maintenance notice must not be served for fifteen minutes."""
    server.on("GET /channels", Reply({"message": "Please hold the line."}), ONE)
    client = staging()
    with pytest.raises(UnexpectedAnswerError):
        cn.load_channels(client)
    assert len(cn.load_channels(client)) == 1


def test_an_error_is_not_kept(server: ScriptedServer, staging: Connect) -> None:
    """An error inside a 200 answer is not cached either."""
    server.on("GET /channels", Reply({"code": 50001, "message": "Sorry.", "data": []}), ONE)
    client = staging()
    with pytest.raises(CenportsError):
        cn.load_channels(client)
    assert len(cn.load_channels(client)) == 1


def test_files_are_for_their_owner_alone(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """Every file under CENPORTS_HOME has mode 0600."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    assert {stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()} == {0o600}


def test_no_secret_is_in_the_files(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """No file contains the token or the client secret."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    content = b"".join(path.read_bytes() for path in home.iterdir())
    assert b'"channelId"' in content
    assert TOKEN.encode() not in content
    assert SECRET.encode() not in content


def _load(client: Client, *refresh: bool) -> None:
    for again in refresh:
        assert len(cn.load_channels(client, refresh=again)) == 1


GARBAGE = b"this is no database, but it is long enough to look like one" * 200


def test_a_damaged_cache_is_set_aside(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """All of it can be requested again: one warning, and the next load is cached again."""
    server.on("GET /channels", ONE)
    (home / "cache.sqlite").write_bytes(GARBAGE)
    client = staging()
    with pytest.warns(CenportsWarning, match="was damaged") as reported:
        cn.load_channels(client)
    cn.load_channels(client)
    assert (len(reported), len(server.of("GET /channels"))) == (1, 1)


def test_a_cache_that_breaks_in_use_stops_no_load(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """Unreadable pages of the file cause one warning; this client stops caching, the next creates a new file."""
    server.on("GET /orders", lambda seen: Reply({"data": [{"orderNo": seen.body["startDate"], "pad": "x" * 20_000}]}))
    client = staging()
    for day in range(10, 30):
        client.session.fetch_page(ApiRequest("/orders", {"startDate": str(day)}), keep=True)
    client.close()
    path = home / "cache.sqlite"
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    client = staging()
    server.on("GET /channels", ONE)
    with pytest.warns(CenportsWarning, match="going on without it|was damaged") as reported:
        _load(client, False, False, False)
    assert len(reported) == 1
    client.close()
    assert len(cn.load_channels(staging())) == 1


def test_a_cache_that_another_process_holds_blocks_no_load(
    server: ScriptedServer, staging: Connect, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load waits for the lock once, briefly."""
    monkeypatch.setattr(cache_store, "BUSY_TIMEOUT_SECONDS", 0.05)
    server.on("GET /channels", ONE)
    first = staging()
    cn.load_channels(first)
    first.close()
    other = sqlite3.connect(home / "cache.sqlite", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    client = staging()
    with pytest.warns(CenportsWarning, match="going on without it") as reported:
        _load(client, True, True)
    other.close()
    assert (len(reported), len(server.of("GET /channels"))) == (1, 3)


def test_a_cache_whose_file_is_deleted_in_use_stops_no_load(
    server: ScriptedServer, staging: Connect, home: Path
) -> None:
    """All files of the cache are deleted."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    for path in home.glob("cache.sqlite*"):
        path.unlink()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CenportsWarning)
        frames = [cn.load_channels(client, refresh=again) for again in (False, True, False)]
    assert [len(frame) for frame in frames] == [1, 1, 1]


def test_a_folder_that_cannot_be_used_stops_no_load(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """One warning names the folder."""
    server.on("GET /channels", ONE)
    (home / "taken").write_text("a file")
    with pytest.warns(CenportsWarning, match="taken.* going on without it") as reported:
        cn.load_channels(staging(cache=home / "taken"))
    assert len(reported) == 1


def test_the_oldest_answers_make_room(
    server: ScriptedServer, staging: Connect, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache is bounded, and answers read last stay."""
    monkeypatch.setattr(cache_store, "MAX_BYTES", 100_000)
    server.on("GET /orders", lambda seen: Reply({"data": [{"orderNo": seen.body["startDate"], "pad": "x" * 10_000}]}))
    clock = FakeClock()
    client = staging(clock)
    asked = [ApiRequest("/orders", {"startDate": str(day)}) for day in range(30)]
    for question in asked:
        clock.advance(1)
        client.session.fetch_page(question, keep=True)
    (kept,) = list_accounts(home)
    assert 6 <= kept.answers <= 10
    assert client.session.find_page(asked[-1], 900) is not None
    assert client.session.find_page(asked[0], 900) is None


def test_a_cache_tells_what_it_holds(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """Contents are listed by account, with sizes and ages."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    cn.load_channels(staging(partner_id="P-2"))
    assert [(kept.account.rpartition("|")[2], kept.answers) for kept in list_accounts(home)] == [("P-1", 1), ("P-2", 1)]


def test_offline_answers_come_from_the_cache_at_any_age(server: ScriptedServer, staging: Connect) -> None:
    """No credentials are needed, and `as_of` shows the age."""
    server.on("GET /channels", ONE)
    clock = FakeClock()
    loaded = cn.load_channels(staging(clock))
    at = clock.now()
    clock.advance(400 * 86_400)
    client = staging(clock, offline=True, client_id=None, client_secret=None)
    again = cn.load_channels(client)
    pd.testing.assert_frame_equal(loaded, again)
    origin = cn.provenance(again)
    assert origin is not None
    assert (origin.as_of, origin.requests, client.usage.sent) == (at, 0, 0)


def test_offline_finds_the_newest_answer_after_writes(server: ScriptedServer, staging: Connect) -> None:
    """A stale answer is still the best one available."""
    server.on("GET /channels", ONE).on("POST /channels", Reply({"data": {"channelId": "B"}}))
    client = staging()
    cn.load_channels(client)
    client.api.create_channel(**CHANNEL)
    assert len(cn.load_channels(staging(offline=True))) == 1


def test_offline_one_account_in_the_cache_is_the_one_meant(server: ScriptedServer, staging: Connect) -> None:
    """With two accounts the user must choose."""
    server.on("GET /channels", ONE)
    cn.load_channels(staging())
    nobody = {"partner_id": None, "client_id": None, "client_secret": None}
    with cn.connect("staging", base_url=server.url, offline=True) as alone:
        assert alone.settings.partner_id == "P-1"
        assert len(cn.load_channels(alone)) == 1
    cn.load_channels(staging(partner_id="P-2"))
    with pytest.raises(ConfigurationError, match="P-1, P-2"):
        cn.connect("staging", base_url=server.url, offline=True, **nobody)


def test_offline_a_sandbox_is_not_started() -> None:
    """A new sandbox would have nothing cached."""
    with pytest.raises(ConfigurationError, match="pass base_url= and cache="):
        cn.connect("sandbox", offline=True)


def test_offline_a_miss_says_what_is_missing(server: ScriptedServer, staging: Connect) -> None:
    """A miss raises an error and sends nothing."""
    with pytest.raises(OfflineMissError, match=r"GET /orders for 2026-01-31 to 2026-03-04 .* not in the cache"):
        cn.load_orders(staging(offline=True), "2026-02-01", "2026-03-02")
    assert server.requests == []


def test_clearing_deletes_the_cache_and_nothing_else(server: ScriptedServer, staging: Connect, home: Path) -> None:
    """The journal in the same folder stays."""
    server.on("GET /channels", ONE)
    client = staging()
    cn.load_channels(client)
    client.close()
    (home / "journal.sqlite").write_bytes(b"")
    clear_cache(home)
    assert sorted(path.name for path in home.iterdir()) == ["journal.sqlite", "pacing.sqlite"]


def test_a_sandbox_client_leaves_nothing_behind(client: Client, home: Path) -> None:
    """Its cache is deleted, because another sandbox may use the same port tomorrow."""
    cn.load_channels(client)
    folder = client.home
    client.close()
    assert (folder.exists(), [path.name for path in home.iterdir()]) == (False, ["pacing.sqlite"])
