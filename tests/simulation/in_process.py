"""The public API over a sandbox in the same process: no sockets, no threads, and a step before and after each exchange."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import requests
import urllib3
from support.fake_clock import FakeClock

from cenports_nb.api.client import Client
from cenports_nb.api.runtime import Runtime
from cenports_nb.errors import TransportError
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox
from cenports_nb.sandbox.http.service import RawRequest
from cenports_nb.settings import resolve_settings
from cenports_nb.submissions.journal.store import Journal
from simulation.faulty_journal import InlineRunner

URL = "http://127.0.0.1:1/v2"
CUT_OFF = ("drop", "lost", "reset", "cut", "cut_headers")
"""Faults after which no answer is seen."""


class Killed(BaseException):
    """The process is no more."""


class Exchange:
    """Answers requests by asking a sandbox.

    Attributes:
        dies: Kills the process at the next write, "before" or "after" it reached the server.
        swaps: Answers the next question for a transaction with another one.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        sandbox._url = URL.removesuffix("/v2")
        self.dies: str | None = None
        self.swaps = False
        self._transactions: list[bytes] = []

    def __call__(
        self, what: str, request: requests.PreparedRequest, _: float, *, authorization: Any = None, **__: Any
    ) -> requests.Response:
        is_write = request.method != "GET" and not what.endswith("/authorize")
        if is_write and self.dies == "before":
            raise Killed
        body: Any = request.body
        body = b"".join(body) if not isinstance(body, str | bytes | None) else body
        header = None if authorization is None else authorization.reveal()
        raw = RawRequest(
            request.method or "", request.path_url, header, body.encode() if isinstance(body, str) else body or b""
        )
        answer, fault = self._sandbox._service.answer(raw)
        if is_write and self.dies == "after":
            raise Killed
        if fault is not None and fault.kind in CUT_OFF:
            raise TransportError(f"{what} was cut off")
        content = answer.body
        if what.endswith("/transaction"):
            self._transactions.append(content)
            if self.swaps:
                content, self.swaps = self._transactions[0], False
        return _build_response(request, answer.status, content, self._sandbox)


def _build_response(
    request: requests.PreparedRequest, status: int, content: bytes, sandbox: Sandbox
) -> requests.Response:
    response = requests.Response()
    response.status_code, response._content, response.url = status, content, request.url or ""
    response.headers["Content-Type"] = "application/json"
    response.headers["Date"] = f"{sandbox.clock.now():%a, %d %b %Y %H:%M:%S} GMT"
    response.request = request
    response.raw = urllib3.HTTPResponse(body=io.BytesIO(content), status=status, preload_content=False)
    return response


def run_in_line(work: Callable[[Any], Any], items: Sequence[Any], _: int) -> Iterator[tuple[Any, Any]]:
    """Do one piece of work after the other."""
    for item in items:
        try:
            yield item, work(item)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked, as threads do
            yield item, error


def connect_in_process(sandbox: Sandbox, clock: FakeClock, exchange: Exchange, home: Path) -> Client:
    """Connect as a new process would, with the files that the last one left."""
    settings = resolve_settings(
        "staging", base_url=URL, partner_id=PARTNER_ID, client_id=CLIENT_ID, client_secret=CLIENT_SECRET,
        rate_limit=100_000, cache=False,
    )  # fmt: skip
    runtime = Runtime(
        clock=clock,
        random=Random(0),
        exchange=exchange,
        run_concurrently=run_in_line,
        open_journal=lambda folder: Journal(folder, runner=InlineRunner()),
    )
    client = Client(settings, runtime=runtime)
    client.home = home
    return client
