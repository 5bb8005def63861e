"""Fixtures of archive tests: a small shop whose orders change, and an archive of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.archive_shop import Shop, open_shop

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
