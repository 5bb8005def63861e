"""Faults: failures that are injected into certain requests, and counted."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cenports_nb.sandbox.http.routes import ROUTES

# Every kind with its options. `fault_responses` has what a kind does to the response, `response_writer` what it does
# to the connection, and `service` what it does to the account.
FAULT_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "too_many": {"retry_after": None},  # 429; the header as it is given, or none
    "server_error": {"status": 500},
    "bad_gateway": {},
    "unavailable": {"retry_after": None},
    "drop": {},  # the connection ends without a byte, and nothing is carried out
    "reset": {},  # the same, with a reset
    "cut_headers": {},
    "cut": {},
    "no_length": {},
    "short_length": {},
    "cut_json": {},
    "cut_gzip": {},
    "bomb": {"size": 300_000_000},
    "slow": {"seconds": 1.0},
    "drip": {"seconds": 0.05, "headers": False},
    "html": {},
    "empty": {},
    "garbage": {},
    "error_200": {},
    "wrong_shape": {},
    "expired_token": {},
    "unauthorized": {},
    "redirect": {"to": "http://127.0.0.1:9/v2/elsewhere"},
    "foreign_link": {"host": "https://evil.example"},
    "lost": {},  # carried out, and then the connection ends without a byte
    "late_error": {"status": 500},  # carried out, and then answered as if it had not been
    "failed_rows": {"rows": (0,), "message": "The row was refused."},
}

_ALL_CALLS: Final = [f"{method} {path}" for path, methods in ROUTES.items() for method in methods]
_TRANSACTION_CALLS: Final = [
    f"{method} {path}"
    for path, methods in ROUTES.items()
    for method, route in methods.items()
    if route.makes_transaction
]


@dataclass(eq=False)
class Fault:
    """One fault; `count` is how many requests it hit."""

    kind: str
    call: str
    after: int  # so many requests pass first
    times: int | None  # then it hits so many; None for every one
    page: int | None  # only requests for this page
    options: Mapping[str, Any]
    count: int = 0
    passed: int = 0

    def matches(self, call: str, page: int) -> bool:
        """Tell whether it may hit such a request."""
        if self.kind == "failed_rows" and call not in _TRANSACTION_CALLS:
            return False
        is_meant = call != "POST /authorize" if self.call == "*" else call == self.call
        return is_meant and self.page in {None, page} and (self.times is None or self.count < self.times)


class Faults:
    """The faults of one sandbox, in the order in which they were added."""

    kinds: Final = tuple(FAULT_OPTIONS)

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(
        self,
        kind: str,
        call: str = "GET /orders",
        *,
        after: int = 0,
        times: int | None = 1,
        page: int | None = None,
        **options: Any,
    ) -> Fault:
        """Inject a fault into requests; of several faults only the first that matches a request hits it.

        Args:
            kind: One of `kinds`.
            call: Method and end point, or "*" for all but POST /authorize.
            after: So many requests pass first.
            times: Then it hits so many; None for every one.
            page: Only requests for this page; 1 is also a request that asks for none.
            options: Of the kind.

        Raises:
            ValueError: A kind, call, option or number that there is not; says which there are.
        """
        if kind not in FAULT_OPTIONS:
            raise ValueError(f"There is no fault {kind!r}: use one of {', '.join(FAULT_OPTIONS)}.")
        unknown = sorted(options.keys() - FAULT_OPTIONS[kind].keys())
        if unknown:
            known = ", ".join(FAULT_OPTIONS[kind]) or "none"
            raise ValueError(f"The fault {kind!r} has no option {', '.join(unknown)}: its options are {known}.")
        calls = ["*", *(_TRANSACTION_CALLS if kind == "failed_rows" else _ALL_CALLS)]
        if call not in calls:
            raise ValueError(f"The fault {kind!r} can't strike {call!r}: use one of {', '.join(calls)}.")
        if after < 0 or (times is not None and times < 1) or (page is not None and page < 1):
            raise ValueError("A fault needs after= of at least 0, and times= and page= of at least 1 or None.")
        fault = Fault(kind, call, after, times, page, {**FAULT_OPTIONS[kind], **options})
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Forget every fault; their counts stay."""
        with self._lock:
            self._faults.clear()

    def trigger(self, call: str, page: int) -> Fault | None:
        """Find the fault that hits a request, and count it."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(call, page):
                    continue
                if fault.passed < fault.after:
                    fault.passed += 1
                    continue
                fault.count += 1
                return fault
        return None

    def __repr__(self) -> str:
        with self._lock:
            return f"<Faults {', '.join(f'{fault.kind} ({fault.count})' for fault in self._faults) or 'none'}>"
