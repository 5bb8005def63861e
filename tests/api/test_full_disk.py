"""Test files under CENPORTS_HOME that can't be written: optional ones are skipped, others raise a clear error."""

import json
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.fake_clock import FakeClock
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.api.http.rate_limit import FILE_NAME, RateLimiter
from cenports_nb.errors import CenportsError, CenportsWarning, ConfigurationError, JournalError
from cenports_nb.settings import home_folder

pytestmark = pytest.mark.slow

WORKER = Path(__file__).parents[1] / "support" / "full_disk_worker.py"
STOCK = {"data": [{"warehouseCode": "W", "warehouseInventory": [{"productSku": "A", "quantity": "5"}]}]}
COUNTS = pd.DataFrame({"warehouse_code": ["W"], "product_sku": ["A"], "quantity": [6]})


@pytest.fixture
def shop(server: ScriptedServer) -> ScriptedServer:
    server.on("GET /inventories", Reply(STOCK)).on("PATCH /inventories", Reply({"handle": "H"}))
    server.on("GET /channels", Reply({"data": [{"channelId": "A"}]})).on("GET /orders", Reply({"data": [], "total": 0}))
    return server


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of a file's size")
@pytest.mark.slow
@pytest.mark.parametrize(("size", "first"), [(0, "no"), (5000, "yes")])
def test_a_full_disk_stops_no_load(shop: ScriptedServer, home: Path, size: int, first: str) -> None:
    """Loads go on, whenever the disk fills up; a submission raises an error about its journal, and sends nothing."""
    run = subprocess.run(
        [sys.executable, str(WORKER), shop.url, str(home), str(size), first],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    reported = json.loads(run.stdout)
    assert (reported["orders"], reported["stock"], reported["stock again"]) == (0, 1, 1)
    assert reported["submit"].startswith("JournalError: ")
    assert len(shop.of("PATCH /inventories")) == 1  # the thin call's, which no journal keeps
    paced = [text for text in reported["warnings"] if "rate limit can't be shared" in text]
    cached = [text for text in reported["warnings"] if "going on without it" in text or "was damaged" in text]
    assert len(paced) <= 1
    assert len(cached) <= 1
    assert len(reported["warnings"]) <= len(paced) + len(cached) + 1  # and that writes can't be recorded


GARBAGE: dict[str, Callable[[Path], object]] = {
    "garbage": lambda path: path.write_bytes(b"this is nothing of ours" * 500),
    "a folder": lambda path: path.mkdir(),
    "a dead link": lambda path: path.symlink_to("/nowhere/at/all"),
    "nothing in it": lambda path: path.write_bytes(b""),
    "a link to itself": lambda path: path.symlink_to(path),
}


def _submit(client: cn.Client, actual: pd.DataFrame) -> str | None:
    """Submit a count, and return the error about a journal that can't be written."""
    try:
        cn.submit_updates(client, cn.build_true_up(COUNTS, actual))
    except JournalError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("place", "what"),
    [
        *(("cache.sqlite", what) for what in GARBAGE),
        *(("journal.sqlite", what) for what in GARBAGE),
        *(
            (place, what)
            for place in ("pacing.sqlite", "locks", "profiles.toml", "writes")
            for what in ("garbage", "a folder", "a link to itself")
        ),
    ],
)
def test_whatever_is_in_a_files_place_raises_nothing_but_our_errors(
    shop: ScriptedServer, staging: Callable[..., cn.Client], home: Path, place: str, what: str
) -> None:
    """Loads go on without cache or pacing; a write goes on, or raises an error before anything is sent."""
    name = staging().writes.path.name if place == "writes" else place
    GARBAGE[what](home / name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CenportsWarning)
        if place == "profiles.toml" and what not in ("nothing in it", "a dead link"):
            with pytest.raises(ConfigurationError, match=r"profiles\.toml can't be read"):
                staging()
            return
        client = staging()
        for _ in range(2):
            assert len(cn.load_channels(client)) == 1
        actual = cn.load_actual_stock(client)
        before = len(shop.of("PATCH /inventories"))
        said = _submit(client, actual)
        assert said is None or (str(home) in said and len(shop.of("PATCH /inventories")) == before)
        assert len(cn.load_actual_stock(client)) == 1


@pytest.mark.parametrize("what", ["garbage", "a dead link", "a link to itself"])
def test_a_home_that_is_a_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str) -> None:
    """The error is one sentence, raised where the folder is needed."""
    home = tmp_path / "no-home"
    GARBAGE[what](home)
    monkeypatch.setenv("CENPORTS_HOME", str(home))
    keys = {"partner_id": "P-1", "client_id": "id-1", "client_secret": "x"}
    assert home_folder() == home
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CenportsWarning)
        with pytest.raises(CenportsError, match="no-home"):
            _submit_from(cn.connect("staging", base_url="http://127.0.0.1:9/v2", **keys))


def _submit_from(client: cn.Client) -> None:
    updates = pd.DataFrame(
        {"warehouse_code": ["W"], "product_sku": ["A"], "type": ["TRUE_UP"], "quantity": [6], "current_quantity": [5]}
    )
    cn.submit_updates(client, updates)


def test_a_missing_temporary_folder_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sandbox needs a temporary folder."""
    monkeypatch.setattr("tempfile.mkdtemp", _fail)
    with pytest.raises(CenportsError, match=r"No temporary folder .*No space left"):
        cn.connect("sandbox")


def _fail(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


def _limiter(folder: Path, clock: FakeClock, limit: int = 3) -> RateLimiter:
    return RateLimiter(limit, clock, account="a", folder=folder, on_wait=lambda _: None)


def test_the_limit_holds_across_the_move_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of the last minute still count, and all clients of the process share the memory."""
    clock = FakeClock()
    first, second = _limiter(tmp_path, clock), _limiter(tmp_path, clock)
    first.acquire()
    second.acquire()
    monkeypatch.setattr(RateLimiter, "_open_file", _fail)
    with pytest.warns(CenportsWarning, match="can't be shared .*No space left") as reported:
        first.acquire()
    assert clock.sleeps == []
    second.acquire()
    assert (len(reported), clock.elapsed) == (1, pytest.approx(61.2, abs=0.01))


def test_a_refusal_holds_across_the_move_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 429 still holds requests back, as it does in the file."""
    clock = FakeClock()
    _limiter(tmp_path, clock).pause(30)
    monkeypatch.setattr(RateLimiter, "_open_file", _fail)
    with pytest.warns(CenportsWarning, match="can't be shared"):
        _limiter(tmp_path, clock).acquire()
    assert clock.elapsed == pytest.approx(30, abs=0.1)


def test_a_warning_as_an_error_stops_no_request(tmp_path: Path) -> None:
    """Otherwise it would interrupt a submission."""
    (tmp_path / FILE_NAME).mkdir()
    limiter = _limiter(tmp_path, FakeClock())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        limiter.acquire()
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
