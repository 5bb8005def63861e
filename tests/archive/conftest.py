"""Fixtures of archive tests: a small shop whose orders change, and an archive of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.archive_shop import Shop, copy_archive, open_shop
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
def new_archive(folder: Path, shop: Shop) -> cn.Archive:
    """An empty archive, whose time is the shop's."""
    archive = cn.open_archive(folder)
    archive.clock = shop.clock
    return archive


@pytest.fixture(scope="session")
def first_update(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of an archive of a new shop after its first update, by how personal data is stored; to be copied."""

    @functools.cache
    def make(personal: str) -> Path:
        folder = tmp_path_factory.mktemp("first-update")
        with open_shop(folder / "shop") as shop:
            cn.open_archive(folder / "archive", personal=personal).update(shop.client)
        return folder / "archive"

    return make


@pytest.fixture
def archive(folder: Path, shop: Shop, first_update: Callable[[str], Path]) -> cn.Archive:
    """The shop's archive after its first update."""
    return copy_archive(first_update("mask"), folder, shop)


@pytest.fixture
def unmasked_archive(folder: Path, shop: Shop, first_update: Callable[[str], Path]) -> cn.Archive:
    """The same, with names of persons."""
    return copy_archive(first_update("keep"), folder, shop)


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
