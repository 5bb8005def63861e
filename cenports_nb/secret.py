"""Secrets that tools which show variables can't show: tracebacks with locals, debuggers, error reporters.

A secret is clear text only while it is sent, compared or encoded. Errors that passed through such code lose their frames
(`drop_frames`), because a library's variables may hold the secret.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator
from typing import NoReturn, TypeVar

PIECE_BYTES = 3
"""A secret is sent in pieces of this size, so that not even the socket's variables ever hold all of it."""

E = TypeVar("E", bound=BaseException)


class Secret:
    """A text that only `reveal` returns; it is masked in memory, and neither printed nor pickled."""

    __slots__ = ("_mask", "_masked")

    def __init__(self, text: str) -> None:
        content = text.encode("utf-8", "surrogatepass")
        self._mask = os.urandom(len(content))
        self._masked = bytes(a ^ b for a, b in zip(content, self._mask, strict=True))

    def reveal(self) -> str:
        """Return the text; don't assign it to a variable."""
        return b"".join(self.pieces()).decode("utf-8", "surrogatepass")

    def pieces(self) -> Iterator[bytes]:
        """Yield the text as UTF-8, a few bytes at a time."""
        for start in range(0, len(self._masked), PIECE_BYTES):
            pair = self._masked[start : start + PIECE_BYTES], self._mask[start : start + PIECE_BYTES]
            yield bytes(a ^ b for a, b in zip(*pair, strict=True))

    def __len__(self) -> int:
        return len(self._masked)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret | str):
            return NotImplemented
        plain = other if isinstance(other, str) else other.reveal()
        return hmac.compare_digest(self.reveal().encode("utf-8", "replace"), plain.encode("utf-8", "replace"))

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "<secret>"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret can't be pickled.")


def hide(text: str | Secret | None) -> Secret | None:
    """Wrap a text in a secret; None stays None."""
    return Secret(text) if isinstance(text, str) else text


class SecretBody:
    """The JSON of some texts, sent in pieces; it can be sent again."""

    def __init__(self, fields: dict[str, str | Secret]) -> None:
        plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in fields.items()}
        self._content = Secret(json.dumps(plain))

    def __len__(self) -> int:
        return len(self._content)

    def __iter__(self) -> Iterator[bytes]:
        return self._content.pieces()


def drop_frames(error: E) -> E:
    """Return an error without its frames and the errors that caused it."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    return error
