"""Access tokens: random, shaped like a JWT, dead after as many seconds as the dialect gives them."""

import base64
import secrets
from datetime import datetime, timedelta

from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.http.replies import Json, encode


class Tokens:
    """The tokens given out and when they end by the sandbox clock."""

    def __init__(self) -> None:
        self._ends: dict[str, datetime] = {}

    def give(self, now: datetime, dialect: Dialect) -> Json:
        """Give out a new token, with what is said about its end."""
        end = now + timedelta(seconds=dialect.token_life)
        said, exp = dialect.token_exp, {"exp": int(end.timestamp())}
        parts = (
            encode({"typ": "JWT", "alg": "RS256"}),
            encode({"jti": secrets.token_hex(20), **(exp if said == "claim" else {})}),
            secrets.token_bytes(64),
        )
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        self._ends = {known: death for known, death in self._ends.items() if death > now}
        self._ends[token] = end
        return {
            **({} if dialect.expires_in is None else {"expires_in": dialect.expires_in}),
            **(exp if said == "field" else {}),
            "access_token": token,
        }

    def accepts(self, authorization: str | None, now: datetime) -> bool:
        """Tell whether an Authorization header carries a living token."""
        scheme, _, token = (authorization or "").partition(" ")
        end = self._ends.get(token.strip())
        return scheme.lower() == "bearer" and end is not None and now < end

    def forget(self) -> None:
        """End every token."""
        self._ends.clear()
