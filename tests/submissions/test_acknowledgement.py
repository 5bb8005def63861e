"""Test acknowledgements: exactly the orders of the frame, once, with their true outcomes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import GuardRailError, InvalidRequestError, ReadOnlyError
from cenports_nb.sandbox import Sandbox

pytestmark = pytest.mark.slow


def open_orders(client: cn.Client) -> pd.DataFrame:
    return cn.load_orders(client, acknowledged=False)


def sent(sandbox: Sandbox, path: str = "/orders/acknowledge") -> list[Any]:
    return [request for request in sandbox.requests if (request.method, request.path) == ("PATCH", path)]


def words(found: pd.DataFrame) -> dict[str, str]:
    return dict(zip(found["order_no"], found["outcome"], strict=True))


def test_the_orders_of_a_frame_are_acknowledged_and_no_other(client: cn.Client, northwind: Sandbox) -> None:
    """Rows are in the frame's order, grouped by channel, in chunks that fit the call."""
    orders = open_orders(client)
    mine = pd.concat([orders.iloc[10:2:-1], orders.iloc[5:8]])[["order_no", "channel_id"]]
    found = cn.acknowledge_orders(client, mine)
    assert list(found.columns) == ["channel_id", "order_no", "outcome", "message"]
    assert found["order_no"].tolist() == orders["order_no"].iloc[10:2:-1].tolist()
    assert set(found["outcome"]) == {"acknowledged"}
    assert found["message"].isna().all()
    assert set(open_orders(client)["order_no"]) == set(orders["order_no"]) - set(mine["order_no"])
    assert len(sent(northwind)) == mine["channel_id"].nunique()


def test_many_orders_go_in_chunks_of_255_characters(client: cn.Client, northwind: Sandbox) -> None:
    """Each chunk is a request."""
    record = _record(client)
    for number in range(60):
        northwind.add_order({**record, "orderNo": f"LONG-NUMBER-{number:04}"})
    found = cn.acknowledge_orders(client, open_orders(client).query("order_no.str.startswith('LONG')"))
    assert found["outcome"].tolist() == ["acknowledged"] * 60
    lengths = [len(request.params["orders"]) for request in sent(northwind)]
    assert len(lengths) == 4
    assert max(lengths) <= 255


def test_orders_acknowledged_before_are_not_sent(client: cn.Client, northwind: Sandbox) -> None:
    """The result says so."""
    orders = open_orders(client).iloc[:4]
    cn.acknowledge_orders(client, orders.iloc[:2])
    assert cn.acknowledge_orders(client, orders)["outcome"].tolist() == ["already"] * 2 + ["acknowledged"] * 2
    count = len(sent(northwind))
    assert set(cn.acknowledge_orders(client, orders)["outcome"]) == {"already"}
    assert len(sent(northwind)) == count


def test_one_bad_number_affects_no_other(client: cn.Client, northwind: Sandbox) -> None:
    """Its chunk is refused as a whole and read again, and the other orders are sent one by one."""
    orders = open_orders(client)
    mine = orders[orders["channel_id"] == "NW-EU"].iloc[:3][["order_no", "channel_id"]]
    bad = pd.DataFrame({"order_no": ["nothing"], "channel_id": ["NW-EU"]})
    found = cn.acknowledge_orders(client, pd.concat([mine, bad]))
    assert words(found) == {**dict.fromkeys(mine["order_no"], "acknowledged"), "nothing": "refused"}
    assert found["message"].iloc[-1] == "Channel NW-EU has no order nothing: check number and channel."
    assert [request.params["orders"].count(",") for request in sent(northwind)] == [3, 0, 0, 0]


@pytest.mark.parametrize("fault", ["lost", "reset", "server_error", "drop"])
def test_a_lost_answer_is_looked_into(client: cn.Client, northwind: Sandbox, fault: str) -> None:
    """Orders found unacknowledged are sent again, which is safe."""
    northwind.faults.add(fault, "PATCH /orders/acknowledge")
    orders = open_orders(client)
    assert set(cn.acknowledge_orders(client, orders)["outcome"]) == {"acknowledged"}
    assert len(open_orders(client)) == 0


def test_what_stays_in_doubt_is_called_unknown_and_can_be_settled_later(client: cn.Client, northwind: Sandbox) -> None:
    """It is in the journal; verify or another call settles it."""
    orders = open_orders(client).iloc[:2]
    northwind.faults.add("server_error", "PATCH /orders/acknowledge", times=None)
    found = cn.acknowledge_orders(client, orders)
    assert found["outcome"].tolist() == ["unknown"] * 2
    assert found["message"].str.contains("no answer was seen").all()
    northwind.faults.clear()
    assert cn.acknowledge_orders(client, orders)["outcome"].tolist() == ["acknowledged"] * 2
    head = cn.list_submissions(home=client.home).iloc[0]
    assert (head["kind"], head["in_doubt"]) == ("acknowledgement", 2)
    submission = cn.open_submission(client, head["submission_id"])
    assert submission.verify().outcomes["outcome"].tolist() == ["applied"] * 2


def test_what_cannot_be_read_again_is_unknown(client: cn.Client, northwind: Sandbox) -> None:
    """After the first byte is sent, nothing raises."""
    orders = open_orders(client).iloc[:2]
    northwind.faults.add("lost", "PATCH /orders/acknowledge", times=None)
    northwind.faults.add("server_error", "GET /orders", after=2, times=None)
    found = cn.acknowledge_orders(client, orders)
    assert found["outcome"].tolist() == ["unknown"] * 2
    assert found["message"].str.contains("could not be read again").all()


def test_an_acknowledgement_is_resumed(client: cn.Client, northwind: Sandbox) -> None:
    """Orders in doubt or not sent may be sent again."""
    orders = open_orders(client).iloc[:2]
    northwind.faults.add("too_many", "PATCH /orders/acknowledge", times=None, retry_after=100)
    found = cn.acknowledge_orders(client, orders)
    assert found["outcome"].tolist() == ["unknown"] * 2
    northwind.faults.clear()
    name = cn.list_submissions(home=client.home)["submission_id"].iloc[0]
    assert set(cn.open_submission(client, name).resume().outcomes["outcome"]) == {"applied"}


def test_every_acknowledgement_is_in_the_journal(client: cn.Client) -> None:
    """The journal has time and outcome."""
    cn.acknowledge_orders(client, open_orders(client).iloc[:3])
    listed = cn.list_submissions(home=client.home)
    assert listed[["kind", "rows", "applied"]].values.tolist() == [["acknowledgement", 3, 3]]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"order_no": ["1"]}), "lacks the column channel_id"),
        (pd.DataFrame({"order_no": [1], "channel_id": ["C"]}), "is a number and must be text"),
        (pd.DataFrame({"order_no": ["1", None], "channel_id": ["C", "C"]}), "is missing"),
        (pd.DataFrame({"order_no": ["1,2"], "channel_id": ["C"]}), "the first '1,2': in a list they would mean other"),
        (pd.DataFrame({"order_no": ["1" * 256], "channel_id": ["C"]}), "1 numbers with a comma, blanks"),
        (pd.DataFrame({"order_no": ["1", " 2"], "channel_id": ["C", "C"]}), "the first ' 2'"),
    ],
)
def test_an_invalid_frame_is_refused(client: cn.Client, northwind: Sandbox, frame: pd.DataFrame, words: str) -> None:
    """The error comes before sending."""
    with pytest.raises(InvalidRequestError, match=words):
        cn.acknowledge_orders(client, frame)
    assert northwind.requests == []


def test_no_orders_are_no_request(client: cn.Client, northwind: Sandbox) -> None:
    """The result has the same columns."""
    found = cn.acknowledge_orders(client, pd.DataFrame({"order_no": [], "channel_id": []}, dtype="str"))
    assert (len(found), list(found.columns)) == (0, ["channel_id", "order_no", "outcome", "message"])
    assert northwind.requests == []


def test_a_read_only_client_acknowledges_nothing(northwind: Sandbox) -> None:
    """This holds for orders and shipments."""
    frame = pd.DataFrame({"order_no": ["1"], "channel_id": ["C"]})
    with cn.connect("sandbox", base_url=northwind.url, read_only=True) as client:
        with pytest.raises(ReadOnlyError):
            cn.acknowledge_orders(client, frame)
        with pytest.raises(ReadOnlyError):
            cn.acknowledge_shipments(client, frame)
    assert northwind.requests == []


def open_shipments(client: cn.Client) -> pd.DataFrame:
    return cn.load_shipments(client, acknowledged=False)


def test_shipments_are_acknowledged_and_followed(client: cn.Client, northwind: Sandbox) -> None:
    """Each order number is a row, in batches."""
    shipments = open_shipments(client)
    mine = shipments.iloc[:5]
    submission = cn.acknowledge_shipments(client, pd.concat([mine, mine]), batch_size=3)
    assert [len(request.params["shipments"]) for request in sent(northwind, "/shipments/acknowledge")] == [3, 2]
    assert submission.wait().outcomes["outcome"].tolist() == ["applied"] * 5
    assert set(open_shipments(client)["order_no"]) == set(shipments["order_no"]) - set(mine["order_no"])


def test_a_frame_without_channels_is_accepted(client: cn.Client) -> None:
    """Each number belongs to one channel only."""
    mine = open_shipments(client)[["order_no"]].iloc[:3]
    assert set(cn.acknowledge_shipments(client, mine).wait().outcomes["outcome"]) == {"applied"}


@pytest.mark.parametrize(
    "named",
    [
        {"order_no": ["7"]},
        {"order_no": ["7"], "channel_id": ["A"]},
        {"order_no": ["7", "7"], "channel_id": ["A", "B"]},
    ],
    ids=["none", "one", "both"],
)
def test_a_number_of_two_channels_is_an_objection(client: cn.Client, northwind: Sandbox, named: dict[str, Any]) -> None:
    """The call would acknowledge both, whatever the frame names; unlisted channels count too."""
    for channel in ("A", "B"):
        northwind.add_order({**_record(client), "orderNo": "7", "channelId": channel})
    with pytest.raises(GuardRailError, match="Order 7 is in the channels A, B") as caught:
        cn.acknowledge_shipments(client, pd.DataFrame(named))
    assert caught.value.objections[["channel_id", "order_no", "guard"]].values.tolist() == [
        ["A", "7", "ambiguous_order_no"], ["B", "7", "ambiguous_order_no"],
    ]  # fmt: skip
    assert sent(northwind, "/shipments/acknowledge") == []


def test_an_order_that_cannot_be_read_still_has_its_channel(client: cn.Client, northwind: Sandbox) -> None:
    """Its shipments would be acknowledged too."""
    for channel, date in (("A", _record(client)["orderDate"]), ("B", "soon")):
        northwind.add_order({**_record(client), "orderNo": "7", "channelId": channel})
        order = northwind.state.orders.find(channel, "7")
        assert order is not None
        order.record["orderDate"] = date
    with pytest.raises(GuardRailError, match="Order 7 is in the channels A, B"):
        cn.acknowledge_shipments(client, pd.DataFrame({"order_no": ["7"]}))


def test_an_unknown_number_stays_in_doubt_and_can_be_verified(client: cn.Client, northwind: Sandbox) -> None:
    """It is looked up in every channel."""
    northwind.faults.add("server_error", "PATCH /shipments/acknowledge")
    submission = cn.acknowledge_shipments(client, pd.DataFrame({"order_no": ["nothing"]}))
    assert submission.verify().outcomes["outcome"].tolist() == ["in_doubt"]
    assert "not acknowledged yet" in submission.outcomes["message"].iloc[0]


@pytest.mark.parametrize("fault", ["lost", "server_error"])
def test_a_shipment_whose_answer_was_lost_is_looked_for(client: cn.Client, northwind: Sandbox, fault: str) -> None:
    """It is acknowledged in the end; only resume() sends it again, which is safe."""
    northwind.faults.add(fault, "PATCH /shipments/acknowledge")
    submission = cn.acknowledge_shipments(client, open_shipments(client).iloc[:2])
    assert set(submission.outcomes["outcome"]) == {"in_doubt"}
    client.clock.sleep(5)
    submission.verify()
    assert set(submission.outcomes["outcome"]) == {"applied" if fault == "lost" else "in_doubt"}
    submission.resume().wait()
    assert set(submission.outcomes["outcome"]) == {"applied"}


def test_a_number_that_no_shipment_has_is_rejected_by_cenports(client: cn.Client) -> None:
    """The refusal names it; the others are looked up."""
    mine = pd.concat([open_shipments(client)[["order_no"]].iloc[:2], pd.DataFrame({"order_no": ["nothing"]})])
    submission = cn.acknowledge_shipments(client, mine).wait()
    assert submission.outcomes["outcome"].tolist() == ["unconfirmed", "unconfirmed", "rejected"]
    assert submission.verify().outcomes["outcome"].tolist() == ["applied", "applied", "rejected"]


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_a_batch_of_no_shipments_is_refused(client: cn.Client, size: Any) -> None:
    """The refusal names the numbers."""
    with pytest.raises(InvalidRequestError, match="batch_size"):
        cn.acknowledge_shipments(client, pd.DataFrame({"order_no": ["1"]}), batch_size=size)


def _record(client: cn.Client) -> dict[str, Any]:
    record: dict[str, Any] = client.api.get_orders(
        channelId="NW-EU", limit=1, startDate="1996-07-01", endDate="1998-06-01", isPaginated=True
    )["data"][0]
    return record
