"""Detect secrets by name or value, because a notebook stores its parameters in clear text."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from cenports_nb.redaction import SecretPattern
from cenports_nb.secret import Secret

SECRET_PARTS = ("secret", "password", "passwd", "passphrase", "credential", "apikey", "token", "bearer")
"""A name that contains one of these, in any spelling, is refused …"""
HARMLESS_WORDS = ("secretary", "secretariat", "tokenizer", "tokenize")
"""… unless as part of one of these."""
SECRET_LAST_WORDS = frozenset({"pwd", "pw", "pass", "auth", "authorization", "jwt", "cookie", "cred", "creds"})
"""A name with one of these as its last word is refused: `db_pwd`, but not `pass_rate` or `author`."""
KEY_WORDS = frozenset({"key", "keys"})
SECRET_KEY_OWNERS = frozenset(
    {
        "", "access", "account", "api", "auth", "cenports", "client", "encryption", "master", "my", "partner", "private",
        "secret", "service", "shared", "signing", "ssh",
    }
)  # fmt: skip
"""Words before a final `key`: `api_key` and a lone `key` are refused, `sort_key` and `key_figures` are not."""

SECRET_VALUE_PATTERN = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\."  # a JSON web token
    r"|\bbearer\s+\S{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|://[^/\s:@]*:[^/\s@]+@",  # a URL with a password
    re.IGNORECASE,
)
NOTIFY_VARIABLE = "CENPORTS_NOTIFY_URL"
"""The environment variable of the notification URL, which holds passwords or tokens."""
MIN_SECRET_LENGTH = 8
"""Characters; a shorter value may be an ordinary word of the report."""
REDACTED = "[withheld]"


def is_secret_name(name: str) -> bool:
    """Return whether a name suggests a secret."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    joined = "".join(words)
    for word in HARMLESS_WORDS:
        joined = joined.replace(word, "")
    if any(part in joined for part in SECRET_PARTS) or (words and words[-1] in SECRET_LAST_WORDS):
        return True
    return bool(words) and words[-1] in KEY_WORDS and ("" if len(words) == 1 else words[-2]) in SECRET_KEY_OWNERS


def is_secret_value(value: Any, environ: Mapping[str, str] | None = None) -> bool:
    """Return whether a value looks like a secret, or is one that the environment has under a secret's name."""
    if isinstance(value, list | tuple | set):
        return any(is_secret_value(spelling, environ) for spelling in value)
    text = str(value)
    return SECRET_VALUE_PATTERN.search(text) is not None or any(
        secret in text for secret in list_environment_secrets(environ)
    )


def list_environment_secrets(environ: Mapping[str, str] | None = None) -> list[str]:
    """List the secrets of the environment, longest first."""
    env = os.environ if environ is None else environ
    found = {
        value
        for name, value in env.items()
        if len(value) >= MIN_SECRET_LENGTH and (name == NOTIFY_VARIABLE or is_secret_name(name))
    }
    return sorted((value for value in found if not os.path.isabs(value)), key=len, reverse=True)  # noqa: PTH117 - text


def redact_secret(text: str) -> str:
    """Replace the client secret in a text, in case a cell printed it."""
    secret = os.environ.get("CENPORTS_CLIENT_SECRET", "")
    return SecretPattern(Secret(secret)).strike(text, REDACTED) if len(secret) >= MIN_SECRET_LENGTH else text
