"""Test that every client of the account on this machine notices a write, whatever its cache and whatever fails."""

import math
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.client import Client
from cenports_nb.api.http import write_generation
from cenports_nb.api.http.cache_policy import CacheAges
from cenports_nb.api.http.write_generation import WriteGeneration
from cenports_nb.errors import CenportsWarning
from cenports_nb.sandbox import Sandbox

Connect = Callable[..., Client]
ONE = Reply({"data": [{"channelId": "A"}]})


@pytest.fixture
def asked(server: ScriptedServer) -> Callable[[], int]:
    """Count the requests to the server."""
    server.on("GET /channels", ONE)
    return lambda: len(server.of("GET /channels"))


def _files(home: Path) -> list[Path]:
    return list(home.glob("writes-*"))


@pytest.mark.parametrize("other_cache", [False, "elsewhere", True])
def test_a_write_of_another_client_makes_this_one_ask_again(
    staging: Connect, home: Path, asked: Callable[[], int], other_cache: Any
) -> None:
    """The other client has no cache, one in another folder, or the same one."""
    reader = staging()
    writer = staging(cache=home / other_cache if other_cache == "elsewhere" else other_cache)
    cn.load_channels(reader)
    writer.write_started("w")
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert asked() == 3
    writer.write_ended("w")
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert asked() == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in _files(home)} == {0o600}


def test_a_write_to_another_account_changes_nothing(staging: Connect, asked: Callable[[], int]) -> None:
    """Accounts are separate."""
    reader = staging()
    cn.load_channels(reader)
    staging(partner_id="P-2", cache=False).write_started("w")
    cn.load_channels(reader)
    assert asked() == 1


def test_stock_that_was_just_set_is_read_anew(home: Path) -> None:
    """Two clients share a sandbox."""
    with (
        Sandbox(rate_limit=None) as sandbox,
        cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000) as reader,
        cn.connect("sandbox", base_url=sandbox.url, rate_limit=100_000, cache=False) as writer,
    ):
        before = cn.load_actual_stock(reader)
        first = before.head(1)
        counts = first[["warehouse_code", "product_sku", "quantity"]].assign(quantity=first["quantity"] - 1)
        cn.submit_updates(writer, cn.build_true_up(counts, before))
        sandbox.clock.advance(3600)
        assert cn.load_actual_stock(reader)["quantity"].iloc[0] == first["quantity"].iloc[0] - 1


def test_ages_without_end_make_no_write_unseen(staging: Connect, asked: Callable[[], int]) -> None:
    """A write invalidates answers of any age limit."""
    reader = staging()
    reader.ages = CacheAges(channels=math.inf)
    cn.load_channels(reader)
    cn.load_channels(reader)
    staging(cache=False).write_started("w")
    cn.load_channels(reader)
    assert asked() == 2


def test_what_was_loaded_offline_stays_at_hand(staging: Connect, asked: Callable[[], int]) -> None:
    """Offline, the newest answer before or after a write is served."""
    cn.load_channels(staging())
    staging(cache=False).write_started("w")
    assert cn.load_channels(staging(offline=True))["channel_id"].tolist() == ["A"]
    assert asked() == 1


@pytest.mark.parametrize(
    "damage", [b"", b"\xff\xfe no JSON", b"[]", b'{"generation": 3}', b'{"generation": "", "open": {}}']
)
def test_a_damaged_file_stands_for_a_write(
    staging: Connect, home: Path, asked: Callable[[], int], damage: bytes
) -> None:
    """Nothing is served until any write must have taken effect; then the cache works again."""
    clock = FakeClock()
    reader = staging(clock)
    reader.write_started("w")
    reader.write_ended("w")
    cn.load_channels(reader)
    (path,) = _files(home)
    path.write_bytes(damage)
    now = clock.now().timestamp()
    os.utime(path, (now, now))
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert asked() == 3
    clock.advance(21 * 60)
    cn.load_channels(reader)
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert asked() <= 5
    cn.load_channels(reader)
    assert asked() <= 5


def test_a_deleted_file_makes_nothing_fresh_again(staging: Connect, home: Path, asked: Callable[[], int]) -> None:
    """Answers cached before the first write stay stale."""
    cn.load_channels(staging())
    writer = staging()
    writer.write_started("w")
    writer.write_ended("w")
    reader = staging()
    cn.load_channels(reader)
    for path in _files(home):
        path.unlink()
    cn.load_channels(reader)
    assert asked() == 3
    for path in _files(home):
        path.unlink()
    cn.load_channels(staging())
    assert asked() == 4


def _fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_stops_no_write_and_hides_none(
    staging: Connect, asked: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is emptied, which needs no space, and clients neither keep nor serve answers for a while."""
    clock = FakeClock()
    reader = staging(clock)
    cn.load_channels(reader)
    with monkeypatch.context() as broken:
        broken.setattr(write_generation, "write_private_file", _fail)
        staging(clock, cache=False).write_started("lost")
    cn.load_channels(reader)
    # A later write that could be recorded again, and ends, doesn't end the one that could not.
    other = staging(clock)
    other.write_started("w")
    other.write_ended("w")
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert asked() == 4
    clock.advance(21 * 60)
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert asked() == 5


def test_where_nothing_can_be_written_this_client_serves_nothing(
    staging: Connect, home: Path, asked: Callable[[], int], tmp_path: Path
) -> None:
    """One warning, and the write goes on."""
    reader = staging()
    cn.load_channels(reader)
    folder = home / f"{reader.writes.path.name}"
    folder.mkdir()  # a folder can't be written as a file, by root either
    with pytest.warns(CenportsWarning, match="can't be recorded") as reported:
        reader.write_started("w")
    reader.write_ended("w")  # warnings are errors here: there is no second one
    cn.load_channels(reader)
    cn.load_channels(reader)
    assert (len(reported), asked()) == (1, 3)


def test_a_lock_that_another_process_holds_delays_a_moment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write is then recorded as one of unknown outcome."""
    monkeypatch.setattr(write_generation, "LOCK_TIMEOUT_SECONDS", 0.01)
    writes = WriteGeneration(home, "account", 1200, FakeClock().now)
    writes.start("w")
    with write_generation.FileLock(writes._lock_path):
        writes.end("w")
    assert writes.path.read_bytes() == b""
    assert writes.read().is_open


def test_files_of_accounts_long_gone_are_deleted(home: Path) -> None:
    """Each sandbox has another port, and so another file."""
    old, young = (WriteGeneration(home, name, 1200, FakeClock().now) for name in ("old", "young"))
    old.start("w")
    os.utime(old.path, (1, 1))
    young.start("w")
    assert (old.path.exists(), young.path.exists()) == (False, True)


def test_a_clock_set_back_blocks_no_cache_for_ever(home: Path) -> None:
    """A write recorded in the future counts as recent, or is discarded."""
    clock = FakeClock()
    writes = WriteGeneration(home, "account", 1200, clock.now)
    clock.advance(86_400)
    writes.start("w")
    clock.advance(-86_400 + 600)
    assert not writes.read().is_open


def test_processes_lose_no_write(home: Path) -> None:
    """Two processes that record a write at the same time both succeed."""
    code = (
        "import sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from cenports_nb.api.http.write_generation import WriteGeneration\n"
        "writes = WriteGeneration(Path(sys.argv[1]), 'account', 1200, lambda: datetime.now(UTC))\n"
        "for i in range(40): writes.start(f'{sys.argv[2]}-{i}')\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, str(home), name]) for name in "ab"]
    assert [process.wait() for process in running] == [0, 0]
    content = WriteGeneration(home, "account", 1200, FakeClock().now)._read_file()
    assert len(content.open) == 80
