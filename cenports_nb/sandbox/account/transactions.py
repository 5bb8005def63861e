"""Transactions: batches of rows, applied in order of submission when they end on the sandbox's clock."""

import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cenports_nb.sandbox.clock import format_instant
from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.records import Json

RowErrors = list[tuple[int, str]]
Undo = Callable[[], None]


class RowRefusal(Exception):  # noqa: N818 - a refused row is an ordinary outcome, not a fault of the sandbox
    """The reasons why a row can't be applied."""

    def __init__(self, *texts: str) -> None:
        super().__init__(*texts)
        self.texts = texts


@dataclass(frozen=True)
class Batch:
    """Rows, and a function that applies one of them: it returns how to undo it, or raises `RowRefusal`."""

    rows: list[Json]
    apply: Callable[[Json], Undo]
    refused: Mapping[int, str]  # rows that a fault refuses, with its message

    def run(self, *, whole: bool) -> RowErrors:
        """Apply every good row, or with `whole` none if one is bad; return the errors by position."""
        errors: RowErrors = []
        undos: list[Undo] = []
        for index, row in enumerate(self.rows):
            try:
                if index in self.refused:
                    raise RowRefusal(self.refused[index])
                undos.append(self.apply(row))
            except RowRefusal as refusal:
                errors += ((index, text) for text in refusal.texts)
        if errors and whole:
            for undo in reversed(undos):
                undo()
        return errors


@dataclass
class Transaction:
    """One asynchronous write: its rows, when it ends, and its errors."""

    id: int | str
    handle: str
    submitted_at: datetime
    ends_at: datetime
    batch: Batch
    errors: RowErrors | None = None  # None until it has ended

    def to_record(self, now: datetime, dialect: Dialect) -> Json:
        """Return the record that GET /transaction answers."""
        answer: Json = {
            "id": self.id,
            "handle": self.handle,
            "status": self.status(now),
            "submitted_at": format_instant(self.submitted_at),
            "completed_at": format_instant(self.ends_at) if self.errors == [] else None,
        }
        if self.errors and dialect.transaction_errors != "none":
            answer["errors"] = _format_errors(self.errors, dialect)
        return answer

    def status(self, now: datetime) -> str:
        """Return the status at a moment."""
        if self.errors is not None:
            return "FAILED" if self.errors else "COMPLETED"
        return "QUEUED" if now - self.submitted_at < (self.ends_at - self.submitted_at) / 3 else "PROCESSING"


class TransactionStore:
    """Every transaction of the account; each takes effect when it ends, asked for or not."""

    def __init__(self, seconds: float) -> None:
        self._life = timedelta(seconds=seconds)
        self._by_handle: dict[str, Transaction] = {}
        self._waiting: deque[Transaction] = deque()

    def __len__(self) -> int:
        return len(self._by_handle)

    def submit(self, batch: Batch, now: datetime, dialect: Dialect, *, stock: bool = False) -> Transaction:
        """Accept a write; one with `stock` gets the integer id and upper-case handle of PATCH /inventories."""
        number, handle = len(self._by_handle) + 1, str(uuid.uuid4())
        if dialect.handle_reuse and self._waiting:
            handle = self._waiting[-1].handle.lower()
        is_number = stock if dialect.transaction_ids == "mixed" else dialect.transaction_ids == "number"
        is_upper = stock if dialect.handles == "mixed" else dialect.handles in {"upper", "differing"}
        transaction = Transaction(
            id=number if is_number else str(number),
            handle=handle.upper() if is_upper else handle,
            submitted_at=now,
            ends_at=now + self._life,
            batch=batch,
        )
        self._by_handle[handle] = transaction
        self._waiting.append(transaction)
        return transaction

    def find(self, handle: str) -> Transaction | None:
        """Return a transaction by its handle, in either case."""
        return self._by_handle.get(handle.strip().lower())

    def settle(self, now: datetime, dialect: Dialect) -> None:
        """Apply everything that has ended; in reverse order, a write waits for all that were sent after it."""
        position = -1 if dialect.application_order == "reverse" else 0
        while self._waiting and self._waiting[position].ends_at <= now:
            transaction = self._waiting[position]
            del self._waiting[position]
            transaction.errors = transaction.batch.run(whole=dialect.failed_applies == "nothing")


def _format_errors(errors: RowErrors, dialect: Dialect) -> Any:
    errors = [(dialect.first_index + index, text) for index, text in errors]
    match dialect.transaction_errors:
        case "pairs":
            return [[index, text] for index, text in errors]
        case "map":
            texts: defaultdict[int, list[str]] = defaultdict(list)
            for index, text in errors:
                texts[index].append(text)
            return {str(index): found[0] if len(found) == 1 else found for index, found in texts.items()}
        case "texts":
            return [text for _, text in errors]
        case "text":
            return " ".join(text for _, text in errors)
        case _:
            return [{"index": index, "message": text} for index, text in errors]
