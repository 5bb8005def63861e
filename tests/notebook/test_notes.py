"""Test the notes that clients, submissions and provenance show in a notebook."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import cenports_nb as cn
from cenports_nb.rendering.note import render_note
from cenports_nb.sandbox import Sandbox

NAUGHTY = "<img src=x onerror=alert(1)>"


class Words(HTMLParser):
    """Collects the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def seen(thing: object) -> str:
    return " ".join(" ".join(Words(thing._repr_html_()).words).split())


def test_a_client_tells_whose_it_is_and_what_it_spent(client: cn.Client) -> None:
    """The note has environment, partner, access, cache and requests, and no secret."""
    cn.load_actual_stock(client)
    reported = seen(client)
    for words in (
        "environment sandbox",
        "partner SANDBOX",
        "writes writable",
        "cache up to 1 min old",
        "2 requests sent",
    ):
        assert words in reported
    assert client.settings.credentials.client_secret.reveal() not in reported


def test_a_submission_tells_what_became_of_its_rows_and_how_to_go_on(client: cn.Client, northwind: Sandbox) -> None:
    """The note has counts by outcome, the reason, and the next call for open rows."""
    northwind.faults.add("failed_rows", "PATCH /inventories", rows=(0,), message="Busy.")
    actual = cn.load_actual_stock(client)
    counts = actual[actual["product_sku"].isin(["0003", "0011"])][["warehouse_code", "product_sku", "quantity"]]
    updates = cn.build_true_up(counts.assign(quantity=counts["quantity"] + 2), actual, reason=NAUGHTY)
    submission = cn.submit_updates(client, updates, progress=False)
    assert "pending, Cenports takes up to 15 minutes: submission.wait()" in seen(submission)
    submission.wait(progress=False)
    reported = seen(submission)
    assert "rejected 1 row" in reported
    assert "1 rejected, fix first what Cenports objects to: submission.retry()" in reported
    assert NAUGHTY in reported
    assert "<img" not in submission._repr_html_()


def test_a_dry_run_is_called_one_and_has_no_next_step(client: cn.Client) -> None:
    """A dry run can't be continued."""
    actual = cn.load_actual_stock(client)
    counts = actual[actual["product_sku"] == "0003"][["warehouse_code", "product_sku", "quantity"]]
    updates = cn.build_true_up(counts.assign(quantity=counts["quantity"] + 2), actual)
    reported = seen(cn.submit_updates(client, updates, dry_run=True, progress=False))
    assert reported.startswith("Dry run ")
    assert "submission." not in reported


def test_a_submission_of_a_closed_client_says_so(client: cn.Client) -> None:
    """The note has no traceback."""
    actual = cn.load_actual_stock(client)
    counts = actual[actual["product_sku"] == "0003"][["warehouse_code", "product_sku", "quantity"]]
    updates = cn.build_true_up(counts.assign(quantity=counts["quantity"] + 2), actual)
    submission = cn.submit_updates(client, updates, progress=False)
    client.close()
    assert "open_submission() goes on with it" in seen(submission)


def test_an_origin_is_a_note() -> None:
    """All of the provenance is shown escaped."""
    origin = cn.Provenance(
        "GET /orders", {"channel_id": NAUGHTY}, "sandbox", "P-1", datetime(2026, 11, 25, tzinfo=UTC), 1, 0,
        complete=False, rows=830, rejected=2, outside=0, package_version="0",
    )  # fmt: skip
    assert "complete NO" in seen(origin)
    assert "as of 2026-11-25 00:00:00 UTC" in seen(origin)
    assert "<img" not in origin._repr_html_()


def test_nothing_in_a_note_is_a_tag() -> None:
    """Titles, names, values and steps are escaped."""
    assert "<img" not in render_note(NAUGHTY, {NAUGHTY: NAUGHTY}, [(NAUGHTY, NAUGHTY)])
