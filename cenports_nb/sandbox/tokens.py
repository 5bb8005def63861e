"""Access tokens: random, shaped like a JWT, dead after twelve hours."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final

from cenports_nb.sandbox.replies import encode

# The reference's text says 12 hours and its example 86400 seconds; the text holds here.
TOKEN_LIFE: Final = timedelta(hours=12)
EXPIRES_IN: Final = 86_400


class Tokens:
    """The tokens given out and when they end by the sandbox clock."""

    def __init__(self) -> None:
        self._ends: dict[str, datetime] = {}

    def give(self, now: datetime) -> str:
        """Give out a new token."""
        parts = (
            encode({"typ": "JWT", "alg": "RS256"}),
            encode({"jti": secrets.token_hex(20)}),
            secrets.token_bytes(64),
        )
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        self._ends = {known: end for known, end in self._ends.items() if end > now}
        self._ends[token] = now + TOKEN_LIFE
        return token

    def accepts(self, authorization: str | None, now: datetime) -> bool:
        """Tell whether an Authorization header carries a living token."""
        scheme, _, token = (authorization or "").partition(" ")
        end = self._ends.get(token.strip())
        return scheme.lower() == "bearer" and end is not None and now < end
