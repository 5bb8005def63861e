"""Test personal data in an archive: pseudonyms by default, and no file keeps what was forgotten."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.archive_bytes import find_in_files
from support.archive_shop import Shop
from support.report_shops import PERSON

import cenports_nb as cn
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.update_log import UpdateLog

pytestmark = pytest.mark.slow

NAMES = [f"Customer N-{place:02}" for place in range(13)]
FORGOTTEN = [*NAMES[:5], NAMES[10]]
"""Of January."""
REJECTED = "Customer Rejected"


def reject(shop: Shop) -> None:
    """Make an order of January unreadable."""
    shop.restate("N-02", lambda record: record.update(customerName=REJECTED, lineItems=[{"quantity": REJECTED}]))


def update(shop: Shop, archive: cn.Archive) -> None:
    with pytest.warns(cn.errors.RejectedRowsWarning):
        archive.update(shop.client)


@pytest.mark.parametrize("personal", ["mask", "drop"])
def test_no_file_holds_a_name(shop: Shop, folder: Path, personal: str) -> None:
    """Data, rejects, logs and file metadata have no name of a person."""
    reject(shop)
    archive = cn.open_archive(folder, personal=personal)
    update(shop, archive)
    assert find_in_files(folder, [*NAMES, REJECTED, PERSON]) == set()
    names = archive.load_orders()["customer_name"]
    assert names.str.startswith("name-").all() if personal == "mask" else names.isna().all()


def test_pseudonyms_are_those_of_mask_pii(shop: Shop, archive: cn.Archive) -> None:
    """A masked archive can be joined with masked frames of the account."""
    live = cn.mask_pii(cn.load_orders(shop.client, "2026-01-01", "2026-03-10"))
    pd.testing.assert_frame_equal(archive.load_orders().drop(columns="account"), live)


def test_what_is_kept_is_kept_and_forgotten_for_good(shop: Shop, folder: Path) -> None:
    """After `forget` no version of a file has a name from those months; later months are unchanged."""
    reject(shop)
    archive = cn.open_archive(folder, personal="keep")
    update(shop, archive)
    assert find_in_files(folder, [*NAMES, REJECTED]) == {*NAMES, REJECTED}
    shop.wait_days(8)
    shop.restate("N-01", lambda record: record.update(customerName="Customer N-01 Other", contactName="x"))
    shop.restate("N-08", lambda record: record["lineItems"][0].update(quantity=7))
    update(shop, archive)
    removed = archive.forget(before="2026-02-15")
    assert removed["month"].max() == "2026-01"
    assert {"orders", "line_items", "shipments", "shipment_items", "rejects"} <= set(removed["table"])
    assert find_in_files(folder, [*FORGOTTEN, REJECTED, "Customer N-01 Other"]) == set()
    assert find_in_files(folder, NAMES) == set(NAMES) - set(FORGOTTEN)
    february = archive.load_line_items("2026-02-01", "2026-02-28", as_of="2026-03-12")
    assert february["quantity"].max() == 2
    assert archive.load_line_items("2026-02-01", "2026-02-28")["quantity"].max() == 7


def test_forgotten_months_are_refused_by_name(shop: Shop, archive: cn.Archive) -> None:
    """Loads, `as_of`, SQL and the contents show that the month is forgotten."""
    archive.forget(before="2026-02-01")
    for as_of in (None, "2026-03-11"):
        with pytest.raises(cn.errors.IncompleteError, match="2026-01 of sandbox:SANDBOX was forgotten on 2026-03-10"):
            archive.load_orders("2026-01-01", "2026-02-28", as_of=as_of)
    assert archive.load_orders()["order_date"].min() == pd.Timestamp("2026-02-01", tz="UTC")
    assert archive.sql("SELECT DISTINCT month FROM orders ORDER BY month")["month"].tolist() == ["2026-02", "2026-03"]
    assert set(archive.contents()["month"]) == {"2026-02", "2026-03"}


def test_what_was_forgotten_stays_forgotten(shop: Shop, archive: cn.Archive) -> None:
    """A later update reads it again only if `start` asks for it."""
    archive.forget(before="2026-02-01")
    shop.wait_days(30)
    archive.update(shop.client)
    assert archive.load_orders()["order_date"].min() == pd.Timestamp("2026-02-01", tz="UTC")
    archive.update(shop.client, start="2026-01-01")
    assert len(archive.load_orders("2026-01-01", "2026-01-31")) == 6
    with pytest.raises(cn.errors.IncompleteError, match="was forgotten on"):
        archive.load_orders("2026-01-01", "2026-02-28", as_of="2026-03-11")


def test_forgetting_that_was_killed_is_finished_by_the_next_update(
    shop: Shop, unmasked_archive: cn.Archive, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log records the forgetting first; the next update deletes files that remain."""
    archive = unmasked_archive

    def stop(_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("shutil.rmtree", stop)
        with pytest.raises(KeyboardInterrupt):
            archive.forget(before="2026-02-01")
    with pytest.raises(cn.errors.IncompleteError, match="was forgotten on"):
        archive.load_orders("2026-01-01", "2026-02-28")
    archive.update(shop.client)
    assert find_in_files(folder, FORGOTTEN) == set()
    assert len(archive.load_orders()) == 7


def test_forgetting_after_a_killed_update_shows_nothing_of_it(
    shop: Shop, archive: cn.Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an unfinished update wrote is undone first, and the next update reads it again."""
    before = archive.load_line_items("2026-02-01", "2026-03-10")
    for number in ("N-06", "N-12"):
        shop.restate(number, lambda record: record["lineItems"][0].update(quantity=7))

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(UpdateLog, "append", stop)
        with pytest.raises(KeyboardInterrupt):
            archive.update(shop.client)
    with monkeypatch.context() as patched:
        patched.setattr(DeltaTables, "append", stop)  # after the checkpoints, before the stock
        with pytest.raises(KeyboardInterrupt):
            archive.update(shop.client)
    archive.forget(before="2026-02-01")
    pd.testing.assert_frame_equal(archive.load_line_items(), before, check_flags=False)
    archive.update(shop.client)
    assert archive.load_line_items()["quantity"].tolist().count(7) == 2


def test_the_mode_is_fixed_at_creation(new_archive: cn.Archive, folder: Path) -> None:
    """An archive never has names and pseudonyms of the same people."""
    with pytest.raises(cn.errors.InvalidRequestError, match=r"made with personal='mask', which can't be changed"):
        cn.open_archive(folder, personal="keep")
    with pytest.raises(cn.errors.InvalidRequestError, match='must be "mask", "drop" or "keep"'):
        cn.open_archive(folder, personal="all")
    assert cn.open_archive(folder).contents().empty
    assert "personal data: mask" in repr(new_archive)


@pytest.mark.skipif(sys.platform == "win32", reason="no modes")
def test_files_are_their_owners_alone(shop: Shop, new_archive: cn.Archive, folder: Path) -> None:
    """File modes don't depend on the umask."""
    before = os.umask(0o000)
    try:
        new_archive.update(shop.client)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_log_holds_no_values_but_instants(first_update: Callable[[str], Path]) -> None:
    """Column statistics would keep order numbers and names in the log forever."""
    logs = "".join(path.read_text() for path in first_update("keep").glob("*/_delta_log/*.json"))
    assert "order_date" in logs
    assert not [text for text in (*NAMES, "N-01", "SKU-1", "T-01") if text in logs]
