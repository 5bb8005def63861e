"""Test arguments of another type than a function takes: each is one clear sentence, and nothing is sent."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import cenports_nb as cn
from cenports_nb.errors import ConfigurationError, InvalidRequestError
from cenports_nb.sandbox import Sandbox

FRAME = pd.DataFrame({"order_no": ["1"]})
CALLS: dict[str, Callable[[cn.Client], Any]] = {
    "provenance takes a DataFrame, not NoneType": lambda _: cn.provenance(None),  # type: ignore[arg-type]
    "rejected takes a DataFrame, not list": lambda _: cn.rejected([]),  # type: ignore[arg-type]
    "show_pii takes a DataFrame, not int": lambda _: cn.show_pii(5),  # type: ignore[call-overload]
    "path=None isn't a path": lambda _: cn.export(FRAME, None),  # type: ignore[arg-type]
    "path=5 isn't a path": lambda client: cn.hand_over(client, 5),  # type: ignore[arg-type]
    "path=None isn't a path: pass it as text": lambda _: cn.open_archive(None),  # type: ignore[arg-type]
    "None isn't the name of a report": lambda _: cn.run_report(None),  # type: ignore[arg-type]
    "line_items must be a DataFrame or a scan, not NoneType": lambda _: cn.summarize_sales(None),  # type: ignore[arg-type]
    "before must be a DataFrame or a scan, not int": lambda _: cn.restatement(5, FRAME),  # type: ignore[arg-type]
    "closed=5 isn't text": lambda client: cn.load_open_items(client, closed=5),  # type: ignore[arg-type]
    "order_nos has {'a'}, which isn't text": lambda client: cn.load_orders(client, order_nos=[{"a"}]),  # type: ignore[list-item]
    "channel_id has 5, which isn't text": lambda client: cn.load_orders(client, last="5D", channel_id=5),  # type: ignore[arg-type]
    "TransactionTracker takes a submission": lambda _: cn.TransactionTracker(None),  # type: ignore[arg-type]
    "submit_updates takes one client from connect, not list": lambda client: cn.submit_updates([client], FRAME),  # type: ignore[arg-type]
    "acknowledge_orders takes one client": lambda _: cn.acknowledge_orders(None, FRAME),  # type: ignore[arg-type]
    "hand_over takes one client": lambda _: cn.hand_over(None, "a.csv"),  # type: ignore[arg-type]
    "open_submission takes one client": lambda _: cn.open_submission(None, "s"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("said", CALLS)
def test_an_argument_of_another_type_is_named(client: cn.Client, northwind: Sandbox, said: str) -> None:
    """The sentence names the argument or the function."""
    with pytest.raises(InvalidRequestError, match=said.replace("(", r"\(")):
        CALLS[said](client)
    assert not [request for request in northwind.requests if request.method != "GET" and request.path != "/authorize"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_zone": 5}, "time_zone=5 isn't text"),
        ({"base_url": 5}, "base_url=5 isn't text"),
        ({"cache": 5}, "cache=5 isn't a folder"),
        ({"dialect": {"order_limit": 5}}, r"dialect=\{'order_limit': 5\} isn't a Dialect"),
    ],
)
def test_a_setting_of_another_type_is_named(given: dict[str, Any], said: str) -> None:
    """Nothing is opened."""
    with pytest.raises(ConfigurationError, match=said):
        cn.connect("sandbox", **given)


def test_a_single_status_is_one_word(client: cn.Client) -> None:
    """Not its letters, of which no status consists."""
    lines = cn.load_line_items(client, "1998-04-01", "1998-05-06")
    whole = cn.summarize_sales(lines, by=())["lines"].sum()
    assert 0 < cn.summarize_sales(lines, by=(), exclude="shipped")["lines"].sum() < whole
    assert cn.summarize_sales(lines, exclude="shipped").equals(cn.summarize_sales(lines, exclude=("shipped",)))
    assert cn.load_open_items(client, lookback="400D", closed="shipped").equals(
        cn.load_open_items(client, lookback="400D", closed=["shipped"])
    )
