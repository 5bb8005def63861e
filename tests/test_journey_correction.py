"""From a count to settled stock, as one journey; and what goes wrong on the way."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cenports_nb as cn
from cenports_nb.sandbox import CLIENT_SECRET, Sandbox
from cenports_nb.submissions.rules.transactions import group_errors_by_row

pytestmark = pytest.mark.slow

COUNT = "warehouse_code,product_sku,quantity\nNW-EAST,0011,40\nNW-EAST,0002,5\nNW-EAST,XX,9\nNW-WEST,0014,13\nNW-WEST,0051,1\n"


ALLOW = ("unknown_sku", "max_drop", "discontinued")


def planned(client: cn.Client, count: str = COUNT) -> pd.DataFrame:
    return cn.build_true_up(cn.read_counts(io.StringIO(count)), cn.load_actual_stock(client), reason="test")


def test_a_correction_goes_through_to_the_end(client: cn.Client, northwind: Sandbox) -> None:
    """Failed batch: others unconfirmed, the unknown one rejected; the other warehouse applied; verify settles."""
    submission = cn.submit_updates(client, planned(client), allow=ALLOW)
    assert set(submission.outcomes["outcome"]) == {"pending"}
    submission.wait()
    cn.schemas.Outcomes.validate(submission.outcomes)
    assert dict(submission.outcomes[["product_sku", "outcome"]].values) == {
        "0011": "unconfirmed", "0002": "unconfirmed", "XX": "rejected", "0014": "applied", "0051": "applied",
    }  # fmt: skip
    rejected = submission.outcomes.set_index("product_sku").loc["XX"]
    assert "XX does not exist" in rejected["message"]
    assert list(submission.transactions["status"]) == ["FAILED", "COMPLETED"]
    submission.verify()
    assert submission.outcomes["outcome"].value_counts().to_dict() == {"applied": 4, "rejected": 1}
    stock = cn.load_actual_stock(client).set_index("product_sku")["quantity"]
    assert (stock["0011"], stock["0002"], stock["0014"], stock["0051"]) == (40, 5, 13, 1)
    second = planned(client, COUNT.replace("NW-EAST,XX,9\n", ""))
    assert len(second) == 0
    assert len(cn.submit_updates(client, second).outcomes) == 0
    reopened = cn.open_submission(client, submission.submission_id)
    pd.testing.assert_frame_equal(reopened.outcomes, submission.outcomes)


def test_after_a_write_the_stock_is_read_again(client: cn.Client) -> None:
    """What was cached before a write is not served after it, nor while it may still land."""
    cn.submit_updates(client, planned(client), allow=ALLOW)
    sent = client.usage.sent
    cn.load_actual_stock(client)
    cn.load_actual_stock(client)
    assert client.usage.sent == sent + 2


def writes(sandbox: Sandbox) -> list[str]:
    return [request.path for request in sandbox.requests if request.method == "PATCH"]


def test_an_objection_stops_before_anything_is_sent(client: cn.Client, northwind: Sandbox) -> None:
    """An unknown SKU that is not allowed: the guard says so, and no write leaves."""
    with pytest.raises(cn.errors.GuardRailError, match="'XX' is not in warehouse 'NW-EAST'") as caught:
        cn.submit_updates(client, planned(client), allow=("max_drop", "discontinued"))
    assert list(caught.value.objections["guard"]) == ["unknown_sku"]
    assert writes(northwind) == []


def test_stock_that_moved_stops_before_anything_is_sent(client: cn.Client, northwind: Sandbox) -> None:
    """A plan older than the stock raises with old, current and wanted; rebase keeps the difference."""
    plan = planned(client, "warehouse_code,product_sku,quantity\nNW-EAST,0003,20\n")
    moved = planned(client, "warehouse_code,product_sku,quantity\nNW-EAST,0003,10\n")
    cn.submit_updates(client, moved).wait()
    with pytest.raises(cn.errors.StaleStockError) as caught:
        cn.submit_updates(client, plan)
    stale = caught.value.stale.iloc[0]
    assert (stale["current_quantity"], stale["stock_now"], stale["quantity"]) == (13, 10, 20)
    assert len(writes(northwind)) == 1
    assert list(cn.submit_updates(client, plan, on_stale="rebase").wait().outcomes["quantity"]) == [17]


def test_a_read_only_client_writes_nothing(northwind: Sandbox) -> None:
    """read_only=True refuses before anything is done."""
    with (
        cn.connect("sandbox", base_url=northwind.url, read_only=True) as client,
        pytest.raises(cn.errors.ReadOnlyError, match="nothing was sent"),
    ):
        cn.submit_updates(client, planned(client), allow=ALLOW)
    assert writes(northwind) == []


def test_a_journal_that_cannot_be_written_stops_the_write(client: cn.Client, northwind: Sandbox) -> None:
    """A damaged journal is a JournalError, and no write leaves."""
    plan = planned(client)
    (client.home / "journal.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(cn.errors.JournalError, match="can't be used"):
        cn.submit_updates(client, plan, allow=ALLOW)
    assert writes(northwind) == []


def test_secrets_and_tokens_are_in_no_file_and_no_text(client: cn.Client) -> None:
    """After reads, writes and a failure, neither secret nor token is on disk or in a repr; files are private."""
    cn.submit_updates(client, planned(client), allow=ALLOW).wait()
    with pytest.raises(cn.errors.InvalidRequestError) as caught:
        cn.load_orders(client, "1998-05-01", "1998-05-06", channel_id="NOPE")
    token = client.session.tokens.header().reveal().split(" ")[1]
    files = [path for path in Path(client.home).rglob("*") if path.is_file()]
    texts = [path.read_bytes() for path in files] + [repr(client).encode(), repr(client.settings).encode()]
    texts.append(repr(caught.value).encode())
    assert len(files) >= 2
    assert [text[:40] for text in texts if token.encode() in text or CLIENT_SECRET.encode() in text] == []
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("warehouse_code,product_sku\nA,1\n", "lacks the column quantity"),
        ("warehouse_code,product_sku,quantity\nA,1,-2\n", "a negative quantity in line 2"),
        ("warehouse_code,product_sku,quantity\nA,1,2\nA,1,3\n", "repeats"),
        ("warehouse_code,product_sku,quantity\nA,1,2.5\n", "not whole in line 2"),
        ("warehouse_code,product_sku,quantity\nA,1,x\n", "isn't a number in line 2"),
        ("warehouse_code,product_sku,quantity\nA,,2\n", "no product_sku in line 2"),
    ],
)
def test_a_bad_count_file_is_one_clear_line(text: str, words: str) -> None:
    """What is wrong and in which line."""
    with pytest.raises(cn.errors.InvalidRequestError, match=words) as caught:
        cn.read_counts(io.StringIO(text))
    assert "\n" not in str(caught.value)


def test_counts_keep_leading_zeros_and_sum_bins() -> None:
    """Text stays text; semicolons, a BOM and your own headers are read; bins add up when asked to."""
    text = "\ufeffLager;Artikel;Menge\nW;0012;3\nW;0012;4\n"
    columns = {"warehouse_code": "Lager", "product_sku": "Artikel", "quantity": "Menge"}
    counts = cn.read_counts(io.StringIO(text), columns=columns, duplicates="sum")
    assert counts.to_dict("list") == {"warehouse_code": ["W"], "product_sku": ["0012"], "quantity": [7]}


@given(st.dictionaries(st.integers(0, 9), st.text(min_size=1), max_size=5))
def test_errors_are_sorted_by_row_in_every_shape(errors: dict[int, str]) -> None:
    """Objects, pairs and an object of index to message say the same."""
    shapes = [
        [{"index": index, "message": text} for index, text in errors.items()],
        [[index, text] for index, text in errors.items()],
        {str(index): [text] for index, text in errors.items()},
    ]
    assert [group_errors_by_row(shape, 10)[0] for shape in shapes] == [errors] * 3
    assert group_errors_by_row([{"index": 99, "message": "m"}], 10) == ({}, ["99: m"])


@pytest.mark.parametrize("nothing", [None, "", " ", [], {}, [None], [""], [[]], {"message": None}])
def test_errors_without_row_and_text_are_none(nothing: Any) -> None:
    """A completed transaction is then applied; an index without text still names its row."""
    assert group_errors_by_row(nothing, 10) == ({}, [])
    assert group_errors_by_row([{"index": 3, "message": ""}], 10) == ({3: ""}, [])
