"""Every file of the home is its owner's alone, from its first moment on, whatever the umask."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.private_files import create_private_file, replace_file, write_private_file
from cenports_nb.profiles import save_profile

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("suffix", "writer"), [(".csv", "to_csv"), (".parquet", "to_parquet"), (".xlsx", "")])
def test_a_private_export_is_private_from_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, writer: str
) -> None:
    """Also in place of a file that others could read; by default the umask decides."""
    frame = pd.DataFrame({"a": [1]})
    modes: list[int] = []
    if writer:
        write = getattr(pd.DataFrame, writer)

        def watch(self: pd.DataFrame, path: Path, *given: Any, **more: Any) -> None:
            modes.append(_mode(Path(path)) if Path(path).exists() else -1)
            write(self, path, *given, **more)

        monkeypatch.setattr(pd.DataFrame, writer, watch)
    path = cn.export(frame, tmp_path / f"open{suffix}")
    assert _mode(path) == 0o666
    path = cn.export(frame, path, private=True)
    assert _mode(path) == 0o600
    assert modes == ([-1, 0o600] if writer else [])
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    """And nothing beside it."""
    path = tmp_path / "a.json"
    write_private_file(path, b"old")

    def fail() -> None:
        with replace_file(path) as partial:
            partial.write_bytes(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        fail()
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"old", [path])


def test_a_file_that_others_could_read_is_closed(tmp_path: Path) -> None:
    """It may be from an earlier version, or restored from a backup."""
    path = tmp_path / "pacing.sqlite"
    path.write_bytes(b"")
    create_private_file(path)
    assert _mode(path) == 0o600


def test_every_file_of_the_home_is_private(
    server: ScriptedServer, staging: Callable[..., cn.Client], home: Path
) -> None:
    """Cache, pacing, journal, locks, generation, profile, and what was held back."""
    stock = {"data": [{"warehouseCode": "W", "warehouseInventory": [{"productSku": "A", "quantity": "5"}]}]}
    server.on("GET /inventories", Reply(stock)).on("PATCH /inventories", Reply({"handle": "H"}))
    client = staging()
    actual = cn.load_actual_stock(client)
    counts = pd.DataFrame({"warehouse_code": ["W", "W"], "product_sku": ["A", "Z"], "quantity": [6, 1]})
    cn.submit_updates(client, cn.build_true_up(counts, actual), on_objection="hold")
    save_profile(home, "default", {"environment": "staging"})
    files = [path for path in home.rglob("*") if path.is_file()]
    names = {path.name for path in files} | {path.parent.name for path in files}
    assert {"cache.sqlite", "pacing.sqlite", "journal.sqlite", "profiles.toml", "locks", "held"} <= names
    assert any(name.startswith("writes-") for name in names)
    assert {path.name: oct(_mode(path)) for path in files if _mode(path) != 0o600} == {}
