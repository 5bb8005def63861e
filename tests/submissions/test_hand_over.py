"""Test that a hand-over neither loses an order nor hands one over twice, whatever fails."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support.handover_shop import acknowledgements, arrive, open_orders, orders_in, orders_in_file, read
from support.scripted_server import ReceivedRequest, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import (
    ApiError,
    HandoverWarning,
    InvalidRequestError,
    JournalError,
    ReadOnlyError,
    RejectedRowsWarning,
)
from cenports_nb.sandbox import Sandbox

ORDER = {
    "orderNo": "A12345", "orderDate": "2026-03-01T16:35:11.000000Z", "channelId": "C", "status": "Incompleted",
    "lineItems": [{"orderNo": "A12345", "lineItem": "1", "productSku": "S", "quantity": 1, "price": 2.5, "status": "pending"}],
}  # fmt: skip


def test_unacknowledged_orders_are_in_the_file_and_then_acknowledged(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """Each order and line is in it once, and no temporary file is left."""
    wanted, lines = open_orders(client), len(cn.load_line_items(client, acknowledged=False))
    made = cn.hand_over(client, tmp_path / "orders.csv")
    table = read(tmp_path / "orders.csv")
    assert set(table["order_no"]) == wanted
    assert len(table) == made.lines == lines
    assert (made.orders, made.acknowledged, made.refused, made.unknown) == (len(wanted), len(wanted), 0, 0)
    assert open_orders(client) == set()
    assert [path.name for path in tmp_path.iterdir() if path.name != "cenports-home"] == ["orders.csv"]
    assert repr(made) == (
        f"<Handover {made.handover_id}: {len(wanted)} orders, {lines} lines in orders.csv; {len(wanted)} acknowledged>"
    )
    assert made.outcomes["outcome"].unique().tolist() == ["acknowledged"]


def test_a_workbook_and_a_layout_of_the_warehouse(client: cn.Client, tmp_path: Path) -> None:
    """Headers and their order are the warehouse's, and only the requested channel is included."""
    layout = {"Order": "order_no", "SKU": "product_sku", "Pieces": "quantity", "Channel": "channel_id"}
    cn.hand_over(client, tmp_path / "orders.xlsx", channel_id="NW-EU", layout=layout)
    sheet = pd.read_excel(tmp_path / "orders.xlsx", dtype=str)
    assert list(sheet.columns) == list(layout)
    assert set(sheet["Channel"]) == {"NW-EU"}
    assert set(cn.load_orders(client, acknowledged=False)["channel_id"]) == {"NW-NA", "NW-SA"}


def test_nothing_to_hand_over_makes_no_file(client: cn.Client, tmp_path: Path) -> None:
    """The journal has no entry either."""
    cn.hand_over(client, tmp_path / "first.csv")
    made = cn.hand_over(client, tmp_path / "second.csv")
    assert (made.handover_id, made.path, made.orders, repr(made)) == (None, None, 0, "<Handover: nothing to hand over>")
    assert not (tmp_path / "second.csv").exists()
    assert cn.list_submissions(home=client.home)["kind"].tolist() == ["hand_over"]


def test_an_order_that_arrives_meanwhile_is_for_the_next_one(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """It is acknowledged only with its own file."""
    northwind.faults.add("too_many", "PATCH /orders/acknowledge", times=None, retry_after=100)
    made = cn.hand_over(client, tmp_path / "first.csv")
    assert made.unknown == made.orders
    northwind.faults.clear()
    arrive(client, northwind, "MEANWHILE")
    with pytest.warns(HandoverWarning, match="was not finished and is now"):
        second = cn.hand_over(client, tmp_path / "second.csv")
    assert second.outcomes["order_no"].tolist() == ["MEANWHILE"]
    assert open_orders(client) == set()
    assert len(orders_in(tmp_path)) == len(set(orders_in(tmp_path))) == made.orders + 1


def test_a_rerun_of_the_same_path_finishes_it(client: cn.Client, northwind: Sandbox, tmp_path: Path) -> None:
    """It is the same hand-over, and the file is unchanged."""
    northwind.faults.add("server_error", "PATCH /orders/acknowledge", times=None)
    made = cn.hand_over(client, tmp_path / "orders.csv")
    content = (tmp_path / "orders.csv").read_bytes()
    northwind.faults.clear()
    with pytest.warns(HandoverWarning, match="was not finished"):
        repeated = cn.hand_over(client, tmp_path / "orders.csv")
    assert (repeated.handover_id, repeated.acknowledged) == (made.handover_id, made.orders)
    assert (tmp_path / "orders.csv").read_bytes() == content


def test_a_file_that_a_warehouse_took_is_not_written_again_by_itself(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """Its orders are acknowledged; the file is repeated only on request, with the same bytes."""
    northwind.faults.add("server_error", "PATCH /orders/acknowledge", times=None)
    made = cn.hand_over(client, tmp_path / "orders.csv")
    content = (tmp_path / "orders.csv").read_bytes()
    (tmp_path / "orders.csv").unlink()
    northwind.faults.clear()
    with pytest.warns(HandoverWarning):
        finished = cn.hand_over(client, tmp_path / "orders.csv")
    assert (finished.handover_id, finished.acknowledged) == (made.handover_id, made.orders)
    assert not (tmp_path / "orders.csv").exists()
    cn.hand_over(client, tmp_path / "again.csv", resend=made.handover_id)
    assert (tmp_path / "again.csv").read_bytes() == content


def stop_before_it_is_published(client: cn.Client, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """End the process between the journal entry and the file's final name."""

    def die(_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr("cenports_nb.submissions.handover.output_file.Draft.publish", die)
        with pytest.raises(SystemExit):
            cn.hand_over(client, target)


def test_a_file_that_never_had_its_name_gets_it(
    client: cn.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can have seen it."""
    stop_before_it_is_published(client, tmp_path / "orders.csv", monkeypatch)
    assert [path.suffix for path in tmp_path.glob(".*")] == [".part"]
    with pytest.warns(HandoverWarning):
        finished = cn.hand_over(client, tmp_path / "orders.csv")
    assert finished.acknowledged == finished.orders > 0
    assert ([*tmp_path.glob(".*")], (tmp_path / "orders.csv").exists()) == ([], True)


def test_a_file_of_unknown_fate_is_a_question_to_the_user(
    client: cn.Client, northwind: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ended between the final name and its record: nothing is written or acknowledged without the user."""
    stop_before_it_is_published(client, tmp_path / "orders.csv", monkeypatch)
    next(tmp_path.glob(".*")).unlink()
    with pytest.raises(InvalidRequestError, match=r"nobody but the warehouse can tell.*resend=") as caught:
        cn.hand_over(client, tmp_path / "other.csv")
    assert ([*tmp_path.glob("*.csv")], acknowledgements(northwind)) == ([], [])
    handover_id = str(caught.value).split()[1]
    again = cn.hand_over(client, tmp_path / "again.csv", resend=handover_id)
    assert again.acknowledged == again.orders > 0


def test_a_file_that_was_changed_stops_it_before_anything_is_acknowledged(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """It is unknown which version the warehouse has; once it is moved away, the file is written again."""
    northwind.faults.add("server_error", "PATCH /orders/acknowledge", times=None)
    made = cn.hand_over(client, tmp_path / "orders.csv")
    (tmp_path / "orders.csv").write_bytes(b"changed")
    northwind.faults.clear()
    sent = len(acknowledgements(northwind))
    with pytest.raises(InvalidRequestError, match=r"was changed since.*resend='\d{8}.*writes the file once more"):
        cn.hand_over(client, tmp_path / "other.csv")
    assert len(acknowledgements(northwind)) == sent
    repeated = cn.hand_over(client, tmp_path / "moved.csv", resend=made.handover_id)
    assert (repeated.acknowledged, repeated.path) == (made.orders, tmp_path / "moved.csv")
    assert open_orders(client) == set()


def test_an_existing_file_is_never_overwritten(client: cn.Client, northwind: Sandbox, tmp_path: Path) -> None:
    """It may be another hand-over, and no request is sent."""
    (tmp_path / "orders.csv").write_text("mine")
    with pytest.raises(InvalidRequestError, match="is there already and may be another hand-over"):
        cn.hand_over(client, tmp_path / "orders.csv")
    assert ((tmp_path / "orders.csv").read_text(), northwind.requests) == ("mine", [])


def test_an_order_that_still_shows_as_not_acknowledged_is_not_handed_over_twice(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """It is acknowledged again instead."""
    made = cn.hand_over(client, tmp_path / "first.csv")
    number = made.outcomes["order_no"].iloc[0]
    order = northwind.state.orders.find(made.outcomes["channel_id"].iloc[0], number)
    assert order is not None
    order.acknowledged = False
    second = cn.hand_over(client, tmp_path / "second.csv")
    assert second.repeated[["order_no", "outcome"]].values.tolist() == [[number, "acknowledged"]]
    assert (second.path, repr(second)) == (None, "<Handover: nothing to hand over, 1 of earlier hand-overs again>")
    assert open_orders(client) == set()


def test_a_refused_chunk_costs_only_the_bad_order(client: cn.Client, northwind: Sandbox, tmp_path: Path) -> None:
    """The others are sent one by one, and the refused one is reported."""
    fault = northwind.faults.add("error_200", "PATCH /orders/acknowledge")
    made = cn.hand_over(client, tmp_path / "orders.csv")
    assert fault.count == 1
    assert made.acknowledged == made.orders


@pytest.mark.filterwarnings("ignore::cenports_nb.errors.UnknownFieldsWarning")
def test_an_order_that_cannot_be_read_whole_is_left_out_and_reported(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """It is neither in the file nor acknowledged."""
    arrive(client, northwind, "BAD-DATE")
    arrive(client, northwind, "BAD-LINE")
    for number, change in (("BAD-DATE", {"orderDate": "soon"}), ("BAD-LINE", None)):
        order = northwind.state.orders.find("NW-EU", number)
        assert order is not None
        if change is None:
            order.record["lineItems"][0]["quantity"] = "many"
        else:
            order.record.update(change)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = cn.hand_over(client, tmp_path / "orders.csv")
    assert set(made.rejected["order_no"]) == {"BAD-DATE", "BAD-LINE"}
    assert {HandoverWarning, RejectedRowsWarning} <= {warning.category for warning in caught}
    assert not {"BAD-DATE", "BAD-LINE"} & set(read(tmp_path / "orders.csv")["order_no"])
    left = [northwind.state.orders.find("NW-EU", number) for number in ("BAD-DATE", "BAD-LINE")]
    assert [order is not None and order.acknowledged for order in left] == [False, False]


@pytest.mark.parametrize("number", ["{0},{1}", " {0}", "{0} "])
def test_a_number_that_would_mean_other_orders_is_left_out(
    client: cn.Client, northwind: Sandbox, tmp_path: Path, number: str
) -> None:
    """In the call's comma-separated list it would acknowledge others."""
    arrive(client, northwind, "0001")
    arrive(client, northwind, "0002")
    cn.acknowledge_orders(client, cn.load_orders(client, acknowledged=False).query("order_no not in ['0001', '0002']"))
    arrive(client, northwind, number.format("0001", "0002"))
    northwind.requests.clear()
    northwind.faults.add("server_error", "PATCH /orders/acknowledge", times=None)
    with pytest.warns(HandoverWarning, match="it can't be acknowledged by it"):
        made = cn.hand_over(client, tmp_path / "orders.csv")
    assert made.outcomes["order_no"].tolist() == ["0001", "0002"]
    assert {request.params["orders"] for request in acknowledgements(northwind)} <= {"0001,0002", "0001", "0002"}


def test_an_incomplete_answer_hands_nothing_over(client: cn.Client, northwind: Sandbox, tmp_path: Path) -> None:
    """A missing order would be forgotten."""
    northwind.faults.add("server_error", "GET /orders", times=None)
    with pytest.raises(ApiError):
        cn.hand_over(client, tmp_path / "orders.csv")
    assert not (tmp_path / "orders.csv").exists()
    assert acknowledgements(northwind) == []


def test_a_handover_is_repeated_byte_by_byte_without_asking(
    client: cn.Client, northwind: Sandbox, tmp_path: Path
) -> None:
    """Any name with the same ending works; an intact file stays as it is."""
    made = cn.hand_over(client, tmp_path / "orders.csv")
    asked = len(northwind.requests)
    repeated = cn.hand_over(client, tmp_path / "again.csv", resend=made.handover_id)
    cn.hand_over(client, tmp_path / "orders.csv", resend=made.handover_id)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "orders.csv").read_bytes()
    assert (repeated.path, repeated.acknowledged) == (tmp_path / "again.csv", made.orders)
    assert len(northwind.requests) == asked


def test_an_invalid_repeat_is_refused(client: cn.Client, tmp_path: Path) -> None:
    """Another file format, another file in its place, another submission, or none."""
    made = cn.hand_over(client, tmp_path / "orders.csv")
    (tmp_path / "taken.csv").write_text("mine")
    with pytest.raises(InvalidRequestError, match=r"is a \.csv file and is repeated as one"):
        cn.hand_over(client, tmp_path / "orders.xlsx", resend=made.handover_id)
    with pytest.raises(InvalidRequestError, match="is there already"):
        cn.hand_over(client, tmp_path / "taken.csv", resend=made.handover_id)
    with pytest.raises(JournalError, match="There is no submission 'nothing'"):
        cn.hand_over(client, tmp_path / "new.csv", resend="nothing")
    other = cn.acknowledge_shipments(client, cn.load_shipments(client, acknowledged=False).iloc[:1])
    with pytest.raises(InvalidRequestError, match="isn't a hand-over"):
        cn.hand_over(client, tmp_path / "new.csv", resend=other.submission_id)


def test_a_file_is_kept_in_the_journal_for_thirty_days(client: cn.Client, northwind: Sandbox, tmp_path: Path) -> None:
    """The next hand-over then deletes it; its list of orders stays."""
    made = cn.hand_over(client, tmp_path / "orders.csv")
    client.clock.sleep(31 * 86_400)
    cn.hand_over(client, tmp_path / "later.csv")
    with pytest.raises(InvalidRequestError, match="is no longer kept"):
        cn.hand_over(client, tmp_path / "again.csv", resend=made.handover_id)
    assert len(cn.open_submission(client, made.handover_id).outcomes) == made.orders


def test_resume_says_how_a_handover_is_finished(client: cn.Client, tmp_path: Path) -> None:
    """The file has to be written first."""
    made = cn.hand_over(client, tmp_path / "orders.csv")
    with pytest.raises(InvalidRequestError, match=r"hand_over\(client, path\) finishes it"):
        cn.open_submission(client, made.handover_id).resume()


def test_invalid_arguments_are_refused_first(client: cn.Client, northwind: Sandbox, tmp_path: Path) -> None:
    """Invalid layouts, endings and folders; a read-only client writes no file."""
    for path, options, words in (
        ("orders.csv", {"layout": ["order_no"]}, "layout lacks"),
        ("orders.parquet", {}, "use .csv or .xlsx"),
        ("no/orders.csv", {}, "There is no folder"),
    ):
        with pytest.raises(InvalidRequestError, match=words):
            cn.hand_over(client, tmp_path / path, **options)
    with cn.connect("sandbox", base_url=northwind.url, read_only=True) as reader, pytest.raises(ReadOnlyError):
        cn.hand_over(reader, tmp_path / "orders.csv")
    assert northwind.requests == []


def test_a_file_that_appears_on_the_way_stops_it_and_its_orders_come_again(
    server: ScriptedServer, staging: Callable[..., cn.Client], tmp_path: Path
) -> None:
    """Nothing is acknowledged, the hand-over can't be repeated, and the next one has its orders."""
    target = tmp_path / "orders.csv"

    def answer(seen: ReceivedRequest) -> Reply:
        if seen.body.get("isAcknowledged") is False:
            target.write_text("of somebody else")
        return Reply({"data": [ORDER], "current_page": 1, "last_page": 1, "next_page_url": None, "total": 1})

    server.on("GET /orders", answer).on("PATCH /orders/acknowledge", Reply({"code": 200, "data": []}))
    client = staging()
    with pytest.raises(InvalidRequestError, match="is there already"):
        cn.hand_over(client, target)
    assert target.read_text() == "of somebody else"
    assert server.of("PATCH /orders/acknowledge") == []
    with pytest.raises(InvalidRequestError, match="was not handed over"):
        cn.hand_over(client, tmp_path / "again.csv", resend=cn.list_submissions()["submission_id"].iloc[0])
    made = cn.hand_over(client, tmp_path / "next.csv")
    assert (made.orders, made.acknowledged) == (1, 1)
    assert orders_in_file(tmp_path / "next.csv") == ["A12345"]
