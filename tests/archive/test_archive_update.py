"""Test what an update archives: the rows of a loader, and only what changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support.archive_shop import Shop, copy_archive, made_order, open_shop

import cenports_nb as cn
from cenports_nb.sandbox.dialect import Dialect

pytestmark = pytest.mark.slow

ACCOUNT = "sandbox:SANDBOX"
LOADERS = {"orders": cn.load_orders, "line_items": cn.load_line_items}


@pytest.fixture(scope="module")
def updated(
    tmp_path_factory: pytest.TempPathFactory, first_update: Callable[[str], Path]
) -> Iterator[tuple[Shop, cn.Archive]]:
    """The shop and an archive of it after one update; tests only read it."""
    folder = tmp_path_factory.mktemp("updated")
    with open_shop(folder / "shop") as shop:
        yield shop, copy_archive(first_update("keep"), folder / "archive", shop)


@pytest.mark.parametrize("table", LOADERS)
def test_the_archive_returns_what_the_loader_returns(updated: tuple[Shop, cn.Archive], table: str) -> None:
    """Rows, order and dtypes are those of the loader, with the account in front, and fit the schema."""
    shop, archive = updated
    live = LOADERS[table](shop.client, "2026-01-01", "2026-03-10")
    found = getattr(archive, f"load_{table}")("2026-01-01", "2026-03-10")
    assert list(found["account"].unique()) == [ACCOUNT]
    pd.testing.assert_frame_equal(found.drop(columns="account"), live)
    getattr(cn.schemas, {"orders": "Orders", "line_items": "LineItems"}[table]).with_account().validate(found)
    origin = cn.provenance(found)
    assert origin is not None
    assert (origin.environment, origin.partner_id, origin.complete) == ("sandbox", "SANDBOX", True)


def test_shipments_and_their_items_are_those_of_the_loader(updated: tuple[Shop, cn.Archive]) -> None:
    """A shipment in two windows is archived once."""
    shop, archive = updated
    for name in ("load_shipments", "load_shipment_items"):
        live = getattr(cn, name)(shop.client, "2026-01-01", "2026-03-31")
        found = getattr(archive, name)().drop(columns="account")
        pd.testing.assert_frame_equal(found, live)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
def test_days_are_cut_in_the_zone_that_the_archive_is_opened_with(updated: tuple[Shop, cn.Archive], zone: str) -> None:
    """Months are stored by UTC; a load of January means January of the archive's zone, as for a client."""
    shop, archive = updated
    live = cn.load_line_items(shop.connect(time_zone=zone), "2026-01-01", "2026-01-31")
    found = cn.open_archive(archive.folder, time_zone=zone).load_line_items("2026-01-01", "2026-01-31")
    pd.testing.assert_frame_equal(found.drop(columns="account"), live)


def test_the_first_update_goes_back_to_the_oldest_order(updated: tuple[Shop, cn.Archive]) -> None:
    """The start of an account is found automatically."""
    _, archive = updated
    contents = archive.contents().query("table == 'line_items' and rows > 0")
    assert dict(zip(contents["month"], contents["rows"], strict=True)) == {"2026-01": 12, "2026-02": 12, "2026-03": 2}
    assert contents["complete"].all()
    assert (contents["bytes"] > 0).all()
    assert len(archive.load_orders("2020-01-01", "2026-01-31")) == 6


def test_a_span_ends_with_the_last_update(updated: tuple[Shop, cn.Archive]) -> None:
    """The archive has no clock of its own: `last` ends on the day of its last update."""
    assert list(updated[1].load_orders(last="10D")["order_no"]) == ["N-12"]


def test_columns_and_channels_can_be_chosen(updated: tuple[Shop, cn.Archive]) -> None:
    """A wrong name is refused with the one that was probably meant."""
    _, archive = updated
    found = archive.load_line_items(columns=["quantity", "product_sku"], channel_id="EU")
    assert list(found.columns) == ["account", "quantity", "product_sku"]
    assert archive.load_orders(channel_id="US").empty
    with pytest.raises(cn.errors.InvalidRequestError, match='did you mean "quantity"'):
        archive.load_line_items(columns=["quantiti"])
    with pytest.raises(cn.errors.InvalidRequestError, match="no account 'acme': it has sandbox:SANDBOX"):
        archive.load_orders(accounts="acme")


@pytest.mark.parametrize("as_of", ["soon", "2026-13-01", None, float("nan")])
def test_an_instant_that_is_none_is_refused(updated: tuple[Shop, cn.Archive], as_of: Any) -> None:
    """Nothing is guessed; None is the archive as it is."""
    if as_of is None:
        assert len(updated[1].load_orders(as_of=as_of)) == 13
    else:
        with pytest.raises(cn.errors.InvalidRequestError, match=r"isn't an instant: write it as '2026-10-01'"):
            updated[1].load_orders(as_of=as_of)


def test_all_loaders_have_the_same_parameters() -> None:
    """They are declared once, and Jupyter shows them."""
    names = [name for name in dir(cn.Archive) if name.startswith(("load_", "scan_"))]
    signatures = {str(inspect.signature(getattr(cn.Archive, name)).replace(return_annotation=None)) for name in names}
    assert len(names) == 10
    (shown,) = signatures
    assert shown.startswith("(self, start:")
    assert "as_of" in shown


@pytest.mark.parametrize(
    "dialect",
    [
        Dialect(end_included=False, sorting="newest"),
        Dialect(time_zone="America/Los_Angeles", pages="none"),
        Dialect(time_zone="Asia/Tokyo", end_included=False, sorting="none"),
    ],
)
def test_nothing_is_lost_whatever_the_server_calls_a_day(shop: Shop, new_archive: cn.Archive, dialect: Dialect) -> None:
    """The oldest month is found, and each order and shipment is archived once, whatever its zone and its end are."""
    shop.add(made_order("FIRST", "2025-12-31T23:59:59.000000Z"))
    shop.sandbox.dialect = dialect
    new_archive.update(shop.client)
    assert sorted(new_archive.load_orders()["order_no"]) == sorted(order.number for order in shop.sandbox.state.orders)
    live = cn.load_shipments(shop.client, "2025-12-01", "2026-03-31", order_nos=["N-00"])
    assert len(new_archive.load_shipments()) == 13
    assert len(live) == 1


def test_start_is_the_oldest_month(shop: Shop, new_archive: cn.Archive) -> None:
    """`start` on any day of a month archives the whole month."""
    new_archive.update(shop.client, start="2026-02-15")
    assert new_archive.load_orders()["order_date"].min() == pd.Timestamp("2026-02-01", tz="UTC")
    new_archive.update(shop.client)
    assert set(new_archive.contents().query("table == 'orders'")["month"]) == {"2026-02", "2026-03"}
    new_archive.update(shop.client, start="2026-01-01")
    assert len(new_archive.load_orders()) == len(shop.sandbox.state.orders)


def test_an_account_without_orders_is_archived(shop: Shop, new_archive: cn.Archive) -> None:
    """The archive is empty and complete."""
    for each in list(shop.sandbox.state.orders):
        shop.remove(each.number)
    new_archive.update(shop.client)
    empty = new_archive.load_orders("2026-03-01", "2026-03-10")
    assert empty.empty
    live = cn.load_orders(shop.client, "2026-03-01", "2026-03-10")
    assert list(empty.columns) == ["account", *live.columns]
    assert list(empty.dtypes)[1:] == list(live.dtypes)


def test_what_did_not_change_makes_no_version(shop: Shop, archive: cn.Archive, folder: Path) -> None:
    """A second update reads again, and writes only its reading of stock."""
    logs = {table: len(list((folder / table / "_delta_log").glob("*.json"))) for table in ("orders", "line_items")}
    shop.wait_days(1)
    changed = archive.update(shop.client)
    assert set(changed["table"]) == {"actual_stock", "available_stock"}
    assert {table: len(list((folder / table / "_delta_log").glob("*.json"))) for table in logs} == logs


def test_a_restated_order_is_counted_as_changed(shop: Shop, archive: cn.Archive) -> None:
    """Only its month is replaced, and the result counts the changes."""
    shop.restate("N-08", lambda record: record["lineItems"][0].update(quantity=7))
    shop.remove("N-09")
    shop.add(made_order("NEW", "2026-02-20T10:00:00.000000Z"))
    changed = archive.update(shop.client).set_index(["table", "month"])
    row = changed.loc[("line_items", "2026-02")]
    assert (row["added"], row["changed"], row["removed"], row["rows"]) == (2, 1, 2, 12)
    assert ("line_items", "2026-01") not in changed.index


@pytest.mark.parametrize(("days", "asked"), [(1, False), (8, True)])
def test_a_closed_month_is_read_again_after_a_week(shop: Shop, archive: cn.Archive, days: float, asked: bool) -> None:
    """Changes of orders in old months are found within a month."""
    shop.restate("N-02", lambda record: record["lineItems"][0].update(quantity=7))
    shop.wait_days(days)
    changed = archive.update(shop.client)
    assert ("2026-01" in set(changed.query("table == 'line_items'")["month"])) is asked


def test_a_month_with_open_lines_is_read_every_time(shop: Shop, new_archive: cn.Archive) -> None:
    """Open orders still change."""
    shop.restate("N-02", lambda record: record["lineItems"][0].update(status="pending"))
    new_archive.update(shop.client)
    shop.restate("N-02", lambda record: record["lineItems"][0].update(status="shipped"))
    assert "2026-01" in set(new_archive.update(shop.client).query("table == 'line_items'")["month"])


@pytest.mark.parametrize(("number", "to"), [("N-02", "2026-03-05"), ("N-12", "2026-01-20")])
def test_an_order_that_moved_to_another_month_is_in_one(shop: Shop, archive: cn.Archive, number: str, to: str) -> None:
    """Its old month is read again in the same update, although it wasn't due."""
    shop.restate(number, lambda record: record.update(orderDate=f"{to}T10:00:00.000000Z"))
    shop.wait_days(1 if to > "2026-02" else 8)
    archive.update(shop.client)
    orders = archive.load_orders()
    assert not orders.duplicated(["channel_id", "order_no"]).any()
    assert orders.set_index("order_no").loc[number, "order_date"] == pd.Timestamp(f"{to}T10:00Z")
    assert len(archive.load_line_items().query("order_no == @number")) == 2


def test_an_order_that_moved_to_a_month_that_is_not_due_is_followed(shop: Shop, archive: cn.Archive) -> None:
    """It vanished from a month that was read again, and is asked for by its number; one that is gone stays gone."""
    shop.restate("N-12", lambda record: record.update(orderDate="2026-01-20T10:00:00.000000Z"))
    shop.remove("N-09")
    shop.wait_days(1)
    archive.update(shop.client)
    live = cn.load_line_items(shop.client, "2026-01-01", "2026-03-11", refresh=True)
    pd.testing.assert_frame_equal(archive.load_line_items().drop(columns="account"), live)


def test_every_reading_of_stock_stays(shop: Shop, archive: cn.Archive) -> None:
    """The archive has one reading for each update, and loads the last one by default."""
    for _ in range(2):
        shop.wait_days(1)
        archive.update(shop.client)
    live = cn.load_actual_stock(shop.client, refresh=True)
    history = archive.load_actual_stock("2026-03-10", "2026-03-12")
    assert list(history["read_at"].dt.date.astype(str).unique()) == ["2026-03-10", "2026-03-11", "2026-03-12"]
    last = archive.load_actual_stock()
    assert last["read_at"].nunique() == 1
    pd.testing.assert_frame_equal(last.drop(columns=["account", "read_at"]), live, check_flags=False)
    assert set(archive.load_available_stock(channel_id="EU")["channel_id"]) == {"EU"}
    with pytest.raises(cn.errors.IncompleteError, match="was read from 2026-03-10 to 2026-03-12"):
        archive.load_actual_stock("2026-03-01", "2026-03-12")


def test_outcomes_of_own_updates_are_archived(shop: Shop, archive: cn.Archive) -> None:
    """The journal stays on one machine; the archive keeps its outcomes of stock updates."""
    actual = cn.load_actual_stock(shop.client)
    counts = actual[["warehouse_code", "product_sku", "quantity"]].assign(quantity=actual["quantity"] + 1)
    submission = cn.submit_updates(shop.client, cn.build_true_up(counts, actual, reason="count"))
    submission.wait()
    archive.update(shop.client)
    outcomes = archive.load_outcomes()
    assert list(outcomes["outcome"]) == ["applied"] * 3
    assert list(outcomes["submission_id"].unique()) == [submission.submission_id]


def test_rejects_are_archived_with_the_month(shop: Shop, new_archive: cn.Archive) -> None:
    """Unreadable records are in no frame, but aren't lost."""
    shop.restate(
        "N-02", lambda record: record.update(orderDate="2026-01-15T15:30:00.000000Z", lineItems=[{"quantity": 1}])
    )
    with pytest.warns(cn.errors.RejectedRowsWarning, match="record"):
        new_archive.update(shop.client)
    with pytest.warns(cn.errors.RejectedRowsWarning):
        live = cn.mask_pii(cn.rejected(cn.load_line_items(shop.client, "2026-01-01", "2026-03-10")))
    rejects = cn.rejected(new_archive.load_line_items())
    assert len(live) == 1
    pd.testing.assert_frame_equal(rejects, live, check_flags=False)
    assert cn.rejected(new_archive.load_line_items("2026-02-01", "2026-02-28")).empty  # type: ignore[union-attr]


def test_days_that_are_not_archived_are_incomplete(shop: Shop, new_archive: cn.Archive) -> None:
    """As with a loader: an error with the rows archived, or on request a warning."""
    new_archive.update(shop.client, start="2026-02-01")
    with pytest.raises(cn.errors.IncompleteError, match="2026-01 of sandbox:SANDBOX is not archived") as caught:
        new_archive.load_orders("2026-01-15", "2026-02-28")
    assert len(caught.value.partial) == 6  # type: ignore[arg-type]
    assert list(caught.value.missing["reason"]) == ["2026-01 is not archived"]  # type: ignore[index]
    with pytest.warns(cn.errors.IncompleteWarning, match="2026-01"):
        partial = new_archive.load_orders("2026-01-15", "2026-02-28", allow_partial=True)
    assert cn.provenance(partial).complete is False  # type: ignore[union-attr]
    with pytest.raises(cn.errors.IncompleteError, match="archived up to 2026-03-10 02:00 UTC"):
        new_archive.load_orders("2026-03-01", "2026-03-11")


def test_as_of_returns_the_archive_as_it_was(shop: Shop, archive: cn.Archive) -> None:
    """Between two updates it returns the earlier one, before the first one nothing."""
    first = archive.load_line_items()
    shop.wait_days(8)
    shop.restate("N-02", lambda record: record["lineItems"][0].update(quantity=7))
    archive.update(shop.client)
    then = archive.load_line_items("2026-01-01", "2026-03-10", as_of="2026-03-12")
    assert then["quantity"].tolist() == first["quantity"].tolist()
    assert archive.load_line_items()["quantity"].sum() == first["quantity"].sum() + 5
    with pytest.raises(cn.errors.InvalidRequestError, match="Nothing was archived by 2026-03-01"):
        archive.load_line_items(as_of="2026-03-01")
