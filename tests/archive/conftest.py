"""Fixtures of archive tests: a small shop whose orders change, and an archive of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.archive_shop import Shop, open_shop
from support.s3_server import BUCKET, name_environment, serve_s3

import cenports_nb as cn


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(tmp_path / "shop") as shop:
        yield shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the archive's folder."""
    return tmp_path / "archive"


@pytest.fixture
def archive(folder: Path, shop: Shop) -> cn.Archive:
    """A new archive, whose time is the shop's."""
    archive = cn.open_archive(folder)
    archive.clock = shop.clock
    return archive


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Start a server that speaks S3, and return its address; tests share it in the group `s3`."""
    with serve_s3() as url:
        yield url


@pytest.fixture(scope="module")
def s3(s3_server: str) -> Iterator[str]:
    """Return the address of a bucket, which the environment has the keys of."""
    with pytest.MonkeyPatch.context() as patched:
        for name, value in name_environment(s3_server).items():
            patched.setenv(name, value)
        yield f"s3://{BUCKET}"
