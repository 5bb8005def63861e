"""Records: orders, shipments, warehouses and channels in the API's format."""

import copy
import json
from dataclasses import dataclass
from typing import Any, Self

Json = dict[str, Any]
StockKey = tuple[str, str]
"""A warehouse code and a SKU."""


@dataclass(frozen=True, eq=False)
class Seed:
    """The records that an account starts with.

    Attributes:
        shared: Other accounts start with it too, so its records must not be changed.
    """

    orders: list[Json]
    shipments: list[Json]
    warehouses: list[Json]
    channels: list[Json]
    shared: bool = False


class SharedRecord:
    """A record with its JSON; a copy shares both with the original until one of them is changed."""

    __slots__ = ("_original", "_payload", "_record")

    def __init__(self, record: Json) -> None:
        self._record = record
        self._payload: bytes | None = None
        self._original: SharedRecord | None = None

    @property
    def record(self) -> Json:
        """The record, which may be changed."""
        if self._original is not None:
            self._record, self._original = copy.deepcopy(self._record), None
        return self._record

    @record.setter
    def record(self, record: Json) -> None:
        self._record, self._payload, self._original = record, None, None

    @property
    def payload(self) -> bytes:
        """The record as JSON, encoded once."""
        if self._original is not None:
            return self._original.payload
        if self._payload is None:
            self._payload = encode(self._record)
        return self._payload

    def copy(self) -> Self:
        """Return a copy that shares the record until one of them changes it."""
        copied = type(self).__new__(type(self))
        for name in self.__slots__:  # four times as fast as copy.copy
            setattr(copied, name, getattr(self, name))
        copied._record, copied._payload, copied._original = self._record, None, self
        return copied


def encode(value: object) -> bytes:
    """Encode compact JSON; non-ASCII characters are escaped, as in PHP."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")
