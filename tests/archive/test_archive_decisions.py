"""Decisions of an archive, without files: what differs, which months are due, which days are there."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cenports_nb.archive.reading.coverage import find_missing_months, list_span_months
from cenports_nb.archive.storage import update_log
from cenports_nb.archive.storage.delta_tables import DeltaTables
from cenports_nb.archive.storage.update_log import (
    BEGIN,
    CHECKPOINT,
    FORGET,
    UPDATE,
    AccountState,
    Reading,
    UpdateLog,
    UpdateRecord,
    fold,
    fold_all,
    summarize,
)
from cenports_nb.archive.writing.comparison import Change, compare, drop_shared_shipments, find_shared_keys
from cenports_nb.archive.writing.schedule import find_first_month, list_due_months, list_months, month_days

NOW = datetime(2026, 11, 30, 2, tzinfo=UTC)
ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([None, "x", "y"]), max_size=8)


def frame(rows: dict[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame(
        {"key": pd.Series(list(rows), dtype="str"), "value": pd.Series(list(rows.values()), dtype="str")}
    )


@given(ROWS, ROWS)
def test_a_change_is_counted_by_key(before: dict[str, str | None], after: dict[str, str | None]) -> None:
    """Whatever the order of rows, and null is a value."""
    added, removed = after.keys() - before.keys(), before.keys() - after.keys()
    changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
    reversed_rows = frame(after)[::-1].reset_index(drop=True)
    assert compare(frame(before), reversed_rows, ["key"]) == Change(len(added), len(changed), len(removed))


@given(st.lists(st.sets(st.sampled_from("abcdefgh"), max_size=8), max_size=4))
def test_keys_that_several_months_hold_are_found(months: list[set[str]]) -> None:
    """Each copy is a row that names its month."""
    names = [f"2026-{place + 1:02}" for place in range(len(months))]
    keys = dict(zip(names, months, strict=True))
    found = [
        (row.channel_id, row.month)
        for copies in find_shared_keys(
            names, lambda name: pd.DataFrame({"channel_id": sorted(keys[name])}, dtype="str"), 20
        )
        for row in copies.itertuples()
    ]
    wanted = [(key, name) for name in names for key in keys[name] if sum(key in each for each in months) > 1]
    assert sorted(found) == sorted(wanted)


def shipments(*rows: tuple[str, str | None, str]) -> pd.DataFrame:
    numbers, tracking, carriers = zip(*rows, strict=True) if rows else ((), (), ())
    return pd.DataFrame(
        {
            "channel_id": pd.Series(["EU"] * len(rows), dtype="str"),
            "order_no": pd.Series(numbers, dtype="str"),
            "tracking_number": pd.Series(tracking, dtype="str"),
            "ship_date": pd.Series([pd.Timestamp("2026-02-01", tz="UTC")] * len(rows), dtype="datetime64[us, UTC]"),
            "carrier_code": pd.Series(carriers, dtype="str"),
        }
    )


def test_of_two_months_one_holds_a_shared_shipment() -> None:
    """An identical copy stays where it is, of two that differ the newer stays, and two without a number are two."""
    neighbor = shipments(
        ("1", "T1", "UPS"), ("2", "T2", "UPS"), ("3", None, "UPS"), ("3", None, "UPS"), ("4", "T4", "UPS")
    )
    own = shipments(("1", "T1", "UPS"), ("2", "T2", "DHL"), ("3", None, "UPS"), ("3", None, "UPS"), ("5", "T5", "UPS"))
    mine, theirs = drop_shared_shipments(own, neighbor)
    assert mine["order_no"].tolist() == ["2", "5"]
    assert theirs["order_no"].tolist() == ["1", "3", "3", "4"]


@given(st.integers(0, 300), st.booleans())
def test_every_month_is_read_within_four_weeks(age_days: int, has_open_lines: bool) -> None:
    """Whatever its age; the two youngest and those with open lines every time."""
    months = list_months("2024-01", "2026-11")
    at = NOW - timedelta(days=age_days)
    readings = {("orders", month): Reading("orders", month, at, {}, has_open_lines) for month in months}
    due = list(list_due_months(AccountState("acme", at, {}, readings), "orders", months, NOW))
    assert due[-2:] == ["2026-10", "2026-11"]
    if has_open_lines or age_days >= 28:
        assert due == months
    elif age_days < 7:
        assert due == months[-2:]


@given(st.dates(date(1990, 1, 1), date(2026, 11, 30)))
def test_the_oldest_month_is_found_by_halving(oldest: date) -> None:
    """With about nine questions."""
    asked: list[date] = []

    def has_orders_before(day: date) -> bool:
        asked.append(day)
        return oldest < day

    assert find_first_month(has_orders_before, NOW) == f"{oldest:%Y-%m}"
    assert len(asked) <= 9


@pytest.mark.parametrize(
    ("first", "last", "zone", "months"),
    [
        ("2026-02-01", "2026-02-28", "UTC", ["2026-02"]),
        ("2026-02-01", "2026-02-28", "America/New_York", ["2026-02", "2026-03"]),
        ("2026-02-01", "2026-02-28", "Asia/Tokyo", ["2026-01", "2026-02"]),
        ("2025-12-31", "2026-01-01", "UTC", ["2025-12", "2026-01"]),
    ],
)
def test_local_days_lie_in_utc_months(first: str, last: str, zone: str, months: list[str]) -> None:
    """A day more on the side where the zone needs it."""
    assert list_span_months(date.fromisoformat(first), date.fromisoformat(last), ZoneInfo(zone)) == months


def state(*months: str, at: datetime = NOW) -> AccountState:
    return AccountState("acme", at, {}, {("orders", month): Reading("orders", month, at, {}) for month in months})


@pytest.mark.parametrize(
    ("first", "last", "zone", "reasons"),
    [
        ("2026-10-01", "2026-11-29", "UTC", []),
        ("2026-10-01", "2026-11-30", "UTC", []),
        (
            "2026-10-01",
            "2026-12-01",
            "UTC",
            ["2026-12 is not archived"],
        ),
        ("2026-09-30", "2026-10-02", "UTC", ["2026-09 is not archived"]),
        ("2026-11-01", "2026-11-29", "America/New_York", []),
        ("2026-11-01", "2026-11-30", "America/New_York", ["2026-11 is archived up to", "2026-12 is not archived"]),
    ],
)
def test_days_are_archived_up_to_the_last_reading(first: str, last: str, zone: str, reasons: list[str]) -> None:
    """The day of the reading counts as there, as it does for a loader; a day after it does not."""
    days = date.fromisoformat(first), date.fromisoformat(last)
    missing = find_missing_months(state("2026-10", "2026-11"), "orders", *days, ZoneInfo(zone))
    found = [f"{gap.month} {gap.reason}" for gap in missing]
    assert len(found) == len(reasons)
    assert all(text.startswith(reason) for text, reason in zip(found, reasons, strict=True))


def record(kind: str, days: int, **more: object) -> UpdateRecord:
    readings = [Reading("orders", "2026-10", NOW + timedelta(days=days), {})]
    given_values = {"versions": {"orders": days}, "readings": readings, **more}
    account = str(given_values.pop("account", "acme"))
    return UpdateRecord(account, f"{days}", NOW + timedelta(days=days), kind, **given_values)  # type: ignore[arg-type]


def test_readers_see_finished_updates_alone() -> None:
    """A checkpoint is for the update that goes on; as of an instant it is the last end before it."""
    records = [
        record(CHECKPOINT, 0),
        record(UPDATE, 1),
        record(CHECKPOINT, 2),
        record(UPDATE, 3),
        record(CHECKPOINT, 4),
    ]
    assert fold(records, "acme").versions == {"orders": 3}
    assert fold(records, "acme", with_checkpoints=True).is_unfinished
    assert fold(records, "acme", as_of=NOW + timedelta(days=2.5)).versions == {"orders": 1}
    assert fold(records, "acme", as_of=NOW).at is None
    assert fold(records, "other").at is None


def test_what_is_forgotten_is_forgotten_as_of_earlier_days_too() -> None:
    """Unless it was read again since."""
    records = [record(UPDATE, 1), record(FORGET, 2, versions={}, readings=[], forgotten_before="2026-11")]
    earlier = fold(records, "acme", as_of=NOW + timedelta(days=1))
    assert earlier.versions == {"orders": 1}
    assert earlier.find_forgotten("orders", "2026-10") == NOW + timedelta(days=2)
    assert fold([*records, record(UPDATE, 3)], "acme").list_months("orders") == ["2026-10"]


def test_checkpoints_before_forgetting_are_undone() -> None:
    """Those before an update are what it continued from."""
    forget = record(FORGET, 3, versions={}, readings=[], forgotten_before="2026-01")
    records = [record(UPDATE, 1), record(CHECKPOINT, 2), forget, record(CHECKPOINT, 4)]
    assert fold(records, "acme").readings["orders", "2026-10"].at == NOW + timedelta(days=1)
    assert fold(records, "acme", with_checkpoints=True).readings["orders", "2026-10"].at == NOW + timedelta(days=4)
    finished = fold([*records, record(UPDATE, 5, readings=[])], "acme")
    assert finished.readings["orders", "2026-10"].at == NOW + timedelta(days=4)


def test_accounts_between_updates_share_the_latest_versions() -> None:
    """Nothing of them was written since; one in the middle of an update stays at its own."""
    acme = [record(UPDATE, 1), record(UPDATE, 3)]
    other = [record(UPDATE, 2, account="other"), record(BEGIN, 4, account="other", versions={}, readings=[])]
    third = [record(BEGIN, 5, account="third", versions={}, readings=[])]
    records = sorted([*acme, *other, *third], key=lambda each: each.at)
    found = {state.account: state for state in fold_all(records)}
    assert found["acme"].versions == {"orders": 3}
    assert found["other"].versions == {"orders": 2}
    assert found["third"].versions == {}
    finished = fold_all([*records, record(UPDATE, 6, account="other")])
    assert [state.versions for state in finished] == [{"orders": 6}, {"orders": 6}, {}]
    assert {state.is_unfinished for state in finished[:2]} == {False}
    earlier = fold_all(records, as_of=NOW + timedelta(days=2))
    assert [state.versions for state in earlier] == [{"orders": 2}, {"orders": 2}, {}]


def test_the_next_update_lies_after_the_last(tmp_path: Path) -> None:
    """Whatever the clock says."""
    log = UpdateLog(DeltaTables(tmp_path))
    assert log.next_instant(NOW) == NOW
    log.append(record(UPDATE, 1))
    assert log.next_instant(NOW) > NOW + timedelta(days=1)


def test_the_first_day_after_december_is_in_the_next_year() -> None:
    """Months are counted over years."""
    assert month_days("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))


@st.composite
def log_rows(draw: st.DrawFn) -> list[UpdateRecord]:
    """Rows of two accounts in any order of kinds, some of them without versions or readings."""
    rows = []
    for tick in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from([BEGIN, CHECKPOINT, UPDATE, UPDATE, FORGET]))
        at = NOW + timedelta(hours=tick)
        months = [] if kind in (BEGIN, FORGET) else draw(st.lists(st.sampled_from(["2026-09", "2026-10"]), max_size=2))
        readings = [Reading("orders", month, at, {"orders": tick}, draw(st.booleans())) for month in months]
        versions = {} if kind == BEGIN or draw(st.booleans()) else {"orders": tick}
        before = "2026-10" if kind == FORGET else ""
        begins = draw(st.sampled_from(["", "2026-09"])) if kind in (CHECKPOINT, UPDATE) else ""
        account = draw(st.sampled_from(["acme", "other"]))
        rows.append(UpdateRecord(account, f"{tick}", at, kind, versions, readings, before, begins))
    return rows


@given(log_rows(), st.integers(0, 14))
def test_a_summary_combines_to_the_same_as_all_rows(rows: list[UpdateRecord], place: int) -> None:
    """With whatever comes after it, for readers and for the update that goes on."""
    older, newer = rows[:place], rows[place:]
    left = [*summarize(older), *newer]
    for as_of in (None, *(row.at for row in [*older[-1:], *newer])):
        assert fold_all(left, as_of=as_of) == fold_all(rows, as_of=as_of)
    for account in ("acme", "other"):
        assert fold(left, account, with_checkpoints=True) == fold(rows, account, with_checkpoints=True)
    assert max((row.at for row in summarize(older)), default=None) == max((row.at for row in older), default=None)


def test_a_long_log_is_read_from_its_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state is that of all rows, as of earlier instants too; a summary that isn't this log's is left alone."""
    monkeypatch.setattr(update_log, "MAX_FILES", 4)
    monkeypatch.setattr(update_log, "SUMMARY_ROWS", 6)
    log = UpdateLog(DeltaTables(tmp_path / "archive"))
    rows = [record(kind, 2 * day + step) for day in range(9) for step, kind in enumerate((CHECKPOINT, UPDATE))]
    for row in rows:
        log.append(row)
    assert len(log.read()) < len(rows)
    assert log.read("acme") == log.read()
    for day in (None, 0.5, 3.5, 9.5, 17.5):
        as_of = None if day is None else NOW + timedelta(days=day)
        assert fold_all(log.read(as_of=as_of), as_of=as_of) == fold_all(rows, as_of=as_of)
    other = UpdateLog(DeltaTables(tmp_path / "other"))
    other.append(record(UPDATE, 1))
    shutil.copytree(tmp_path / "archive" / "updates_summary", tmp_path / "other" / "updates_summary")
    assert other.read() == [record(UPDATE, 1)]
