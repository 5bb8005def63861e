"""Neither token nor client secret is anywhere but on the wire: a run with failures, and a search of all it left."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.fake_clock import FakeClock
from support.scripted_server import SECRET, TOKEN, Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import CenportsError, CenportsWarning

Connect = Callable[..., cn.Client]
ECHO = {"message": f"Bearer {TOKEN} of {SECRET}", "errors": {"x": [TOKEN, SECRET]}, "code": "1"}
STOCK = {"data": [{"warehouseCode": "W", "warehouseInventory": [{"productSku": "A", "quantity": "5"}]}]}


def _shown(error: BaseException) -> str:
    """All that a traceback, a log or a notebook could show of an error."""
    seen = [*traceback.format_exception(error), repr(error), str(vars(error))]
    for inner in (error.__cause__, error.__context__):
        if inner is not None and not error.__suppress_context__:
            seen.append(_shown(inner))
    return "".join(seen)


@pytest.mark.slow
def test_no_secret_is_left_anywhere(
    server: ScriptedServer, staging: Connect, home: Path, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    """Loads and writes that go well, and that go wrong in ways that echo the secrets."""
    caplog.set_level(logging.DEBUG)
    client = staging(FakeClock())
    shown: list[str] = []
    server.on("GET /channels", Reply({"data": [{"channelId": "A"}]})).on("GET /inventories", Reply(STOCK))
    cn.load_channels(client)
    actual = cn.load_actual_stock(client)
    counts = actual[["warehouse_code", "product_sku", "quantity"]].assign(quantity=7)
    updates = cn.build_true_up(counts, actual)
    for status in (200, 400, 401, 403, 404, 422, 429, 500, 503):
        say = Reply(ECHO, status=status, headers={"Retry-After": "90000", "X-Token": TOKEN})
        server.on("GET /orders", say, say, say, say, say).on("PATCH /inventories", say)
        with pytest.raises(CenportsError) as caught:
            cn.load_orders(client, "2026-03-01", "2026-03-02", refresh=True)
        shown.append(_shown(caught.value))
        submission = cn.submit_updates(client, updates, allow=["in_flight", "repeated"])
        shown += [repr(submission), submission.outcomes.to_csv(), submission.transactions.to_csv()]
    for body in (f"<html>{TOKEN} {SECRET}</html>".encode(), f'"{TOKEN} {SECRET}"'.encode(), b"", b"\xff" * 9):
        server.on("GET /orders", Reply(body))
        with pytest.raises(CenportsError) as caught:
            cn.load_orders(client, "2026-03-01", "2026-03-02", refresh=True)
        shown.append(_shown(caught.value))
    shown += [repr(client), client._repr_html_(), repr(client.settings), repr(client.usage), repr(vars(client))]
    shown += [cn.list_submissions().to_csv(), caplog.text, *capfd.readouterr()]
    client.close()
    files = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    assert {"cache.sqlite", "journal.sqlite", "pacing.sqlite"} <= {path.name for path in files}
    for secret in (TOKEN, SECRET):
        assert [path.name for path, content in files.items() if secret.encode() in content] == []
        assert [text for text in shown if secret in text] == []


def test_a_warning_shows_no_secret(server: ScriptedServer, staging: Connect) -> None:
    """A missing window is reported with the reason that Cenports gave."""
    orders = [{"orderNo": str(i), "orderDate": "2026-03-01T10:01:00Z", "channelId": "X"} for i in range(3)]
    page = {"data": orders, "last_page": 2, "total": 6, "next_page_url": None}
    server.on("GET /orders", Reply(page), Reply(ECHO, status=500))
    with pytest.warns(CenportsWarning) as reported:
        orders = cn.load_orders(staging(FakeClock()), "2026-03-01", "2026-03-02", allow_partial=True)
    assert len(orders) == 3
    assert all(secret not in str(one.message) for one in reported for secret in (TOKEN, SECRET))
