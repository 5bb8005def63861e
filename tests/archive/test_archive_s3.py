"""An archive in a bucket: the same answers as in a folder, from a server that speaks S3, and one writer at a time."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest
from pyarrow import fs
from support.archive_shop import Shop, open_shop
from support.command_line import run_command
from support.s3_server import BUCKET

import cenports_nb as cn
from cenports_nb.archive.storage import lease
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.location import Bucket, find_location
from cenports_nb.archive.tables import ORDERS, to_table

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("s3")]

EVERYTHING = fs.FileSelector("", recursive=True)
FIRST = "2026-03-10T12:00Z"


@dataclass(frozen=True)
class TwoArchives:
    """The same updates in a bucket and in a folder."""

    bucket: cn.Archive
    folder: cn.Archive
    shop: Shop


@pytest.fixture(scope="module")
def both(s3: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoArchives]:
    """Two updates; the first one of the bucket are two at once. Tests only read."""
    folder = tmp_path_factory.mktemp("both")
    with open_shop(folder / "shop") as shop, pytest.MonkeyPatch.context() as patched:
        patched.setattr(lease, "POLL_SECONDS", 0.1)
        places = [f"{s3}/both/", folder / "archive"]
        archives = [cn.open_archive(place, personal="keep") for place in places]
        with ThreadPoolExecutor(2) as pool:
            twice = [cn.open_archive(f"{s3}/both") for _ in range(2)]
            for done in [pool.submit(each.update, shop.connect(), start="2026-03-01") for each in twice]:
                done.result()
        archives[1].update(shop.client, start="2026-03-01")
        shop.wait_days(1)
        shop.restate("N-12", lambda record: record["lineItems"][0].update(quantity=7))
        for archive in archives:
            archive.update(shop.client)
        yield TwoArchives(archives[0], archives[1], shop)


@pytest.mark.thorough
@pytest.mark.parametrize("table", ["orders", "line_items", "shipments", "shipment_items", "actual_stock"])
def test_a_bucket_returns_what_a_folder_returns(both: TwoArchives, table: str) -> None:
    """Rows, order and dtypes, now and as of the first update, after which two were begun at once."""
    for as_of in (None, FIRST):
        frames = [getattr(each, f"load_{table}")(as_of=as_of) for each in (both.bucket, both.folder)]
        same = [frame.drop(columns="read_at", errors="ignore") for frame in frames]
        pd.testing.assert_frame_equal(*same, check_flags=False)
        assert cn.provenance(frames[0]).source == f"archive s3://{BUCKET}/both"  # type: ignore[union-attr]


def test_an_update_in_a_bucket_is_loaded_as_from_a_folder(s3: str, archive: cn.Archive, shop: Shop) -> None:
    """The same rows and dtypes; keys come from the environment, and stay there."""
    bucket = cn.open_archive(f"{s3}/loaded")
    bucket.update(shop.client, start="2026-03-01")
    for table in ("orders", "line_items", "shipment_items"):
        frames = [getattr(each, f"load_{table}")("2026-03-01", "2026-03-10") for each in (bucket, archive)]
        pd.testing.assert_frame_equal(*frames, check_flags=False)
    found = find_location(bucket.folder)
    assert isinstance(found, Bucket)
    files = found._open_files()
    everything = files.get_file_info(EVERYTHING)
    logs = b"".join(files.open_input_file(each.path).read() for each in everything if each.path.endswith(".json"))
    assert b"nobody-may-see" not in logs
    assert "nobody-may-see" not in f"{bucket!r} {bucket._repr_html_()} {vars(bucket)}"
    assert b"nobody-may-see" not in pickle.dumps(bucket.scan_line_items())


@pytest.mark.thorough
def test_contents_and_sql_are_those_of_a_folder(both: TwoArchives) -> None:
    """Sizes come from the log; SQL still can't touch files."""
    contents = [each.contents().drop(columns=["as_of", "bytes"]) for each in (both.bucket, both.folder)]
    stock = contents[0]["table"].str.endswith("stock")  # two updates at once are two readings
    pd.testing.assert_frame_equal(*(frame[~stock] for frame in contents))
    assert (both.bucket.contents()["bytes"] > 0).all()
    query = "SELECT month, count(*) AS n FROM line_items GROUP BY month ORDER BY month"
    pd.testing.assert_frame_equal(both.bucket.sql(query), both.folder.sql(query))
    with pytest.raises(cn.errors.InvalidRequestError, match="The query can't be run"):
        both.bucket.sql(f"SELECT * FROM read_parquet('{both.bucket.folder}/orders/*/*/*.parquet')")


@pytest.mark.thorough
def test_another_process_reads_with_keys_of_its_own_environment(both: TwoArchives) -> None:
    """A task is the address, months and columns; it has no key."""
    scan = both.bucket.scan_line_items()
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        sales = cn.summarize_sales(scan, by="sku", executor=executor)
    pd.testing.assert_frame_equal(sales, cn.summarize_sales(both.folder.scan_line_items(), by="sku"))


def test_what_is_forgotten_is_deleted_from_the_bucket(s3: str) -> None:
    """No object of those months stays, of any version."""
    archive = cn.open_archive(f"{s3}/forgotten")
    tables = DeltaTables(archive.folder, is_writer=True)
    for month in ("2026-02", "2026-02", "2026-03"):
        orders = to_table(cn.schemas.Orders.example(rows=1), ORDERS, "acme", month)
        tables.replace_month(ORDERS, "acme", month, orders)
    removed = archive.forget(before="2026-03-01")
    assert set(removed["month"]) == {"2026-02"}
    location = find_location(archive.folder)
    assert isinstance(location, Bucket)
    paths = [each.path for each in location._open_files().get_file_info(EVERYTHING)]
    assert not [path for path in paths if "month=2026-02" in path]
    assert [path for path in paths if "month=2026-03" in path]
    assert tables.measure("orders", tables.version("orders") + 1).keys() == {("acme", "2026-03")}


@pytest.mark.thorough
def test_the_command_line_takes_an_address(
    both: TwoArchives, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it takes a folder."""
    monkeypatch.chdir(tmp_path)
    shown = run_command(capsys, "archive", "show", "--archive", str(both.bucket.folder))
    assert shown.returncode == 0
    assert f"MiB in s3://{BUCKET}/both" in shown.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "address",
    [
        "s3://",
        "s3:/bucket/prefix",
        "s3://key:secret@bucket/prefix",
        "s3://bucket/pre fix",
        "s3://bucket//prefix",
        "s3://bucket/../prefix",
        "s3://bucket/prefix?secret=1",
        "gs://bucket/prefix",
        "https://bucket.example.com/prefix",
        Path("s3://bucket/prefix"),
    ],
)
def test_an_address_that_is_none_is_refused(address: str | Path) -> None:
    """Before anything is made or asked, and without repeating what may be a key."""
    with pytest.raises(cn.errors.InvalidRequestError, match="write a folder, or s3://bucket/prefix") as caught:
        cn.open_archive(address)
    assert "secret" not in str(caught.value)
