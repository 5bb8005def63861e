"""Progress of a dry run or a sending that takes long."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

from cenports_nb.stock.plans.fingerprint import compute_fingerprint
from cenports_nb.submissions.context import get_context
from cenports_nb.submissions.journal.queries import count_sent_batches

if TYPE_CHECKING:
    from cenports_nb.api.client import Client

INTERVAL_SECONDS = 1.0


@contextlib.contextmanager
def report_progress(show: Callable[[str], None], describe: Callable[[], str]) -> Iterator[None]:
    """Show once a second how far the body is, and for how long it has run.

    Args:
        show: Called with the text, from another thread.
        describe: Describes how far it is.
    """
    began, finished = time.monotonic(), threading.Event()

    def repeat() -> None:
        while not finished.wait(INTERVAL_SECONDS):
            with contextlib.suppress(Exception):  # the work goes on, whatever becomes of its progress
                show(f"{describe()}, {time.monotonic() - began:.0f} s")

    thread = threading.Thread(target=repeat, name="cenports-nb progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def describe_sent_batches(client: Client, updates: pd.DataFrame, since: datetime) -> str:
    """Describe how many batches of an update frame are sent, as in ", 3 of 12 batches sent"; empty before the first one."""
    journal = get_context(client).journal
    sent, total = count_sent_batches(journal, client.settings.account, compute_fingerprint(updates), since)
    return f", {sent:,} of {total:,} batches sent" if total else ""
