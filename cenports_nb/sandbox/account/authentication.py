"""Credentials of the demo account, and its access tokens, which look like JWTs and expire as the dialect says."""

import base64
import secrets
from datetime import datetime, timedelta
from typing import Final

from cenports_nb.sandbox.dialect import Dialect
from cenports_nb.sandbox.records import Json, encode

# These are public.
PARTNER_ID: Final = "SANDBOX"
CLIENT_ID: Final = "sandbox-client"
CLIENT_SECRET: Final = "sandbox-secret"  # noqa: S105 - a demo credential, printed in the documentation


class TokenStore:
    """The issued tokens, with their expiry on the sandbox's clock."""

    def __init__(self) -> None:
        self._expiries: dict[str, datetime] = {}

    def issue(self, now: datetime, dialect: Dialect) -> Json:
        """Issue a token, with the dialect's statement of its expiry."""
        end = now + timedelta(seconds=dialect.token_life)
        place, exp = dialect.token_exp, {"exp": int(end.timestamp())}
        parts = (
            encode({"typ": "JWT", "alg": "RS256"}),
            encode({"jti": secrets.token_hex(20), **(exp if place == "claim" else {})}),
            secrets.token_bytes(64),
        )
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        self._expiries = {known: expiry for known, expiry in self._expiries.items() if expiry > now}
        self._expiries[token] = end
        return {
            **({} if dialect.expires_in is None else {"expires_in": dialect.expires_in}),
            **(exp if place == "field" else {}),
            "access_token": token,
        }

    def accepts(self, authorization: str | None, now: datetime) -> bool:
        """Return whether an Authorization header has a valid token."""
        scheme, _, token = (authorization or "").partition(" ")
        end = self._expiries.get(token.strip())
        return scheme.lower() == "bearer" and end is not None and now < end

    def revoke_all(self) -> None:
        """Revoke every token."""
        self._expiries.clear()
