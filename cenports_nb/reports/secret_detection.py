"""What looks like a secret, by its name or by its value: a notebook keeps every parameter in clear."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from cenports_nb.redaction import SecretPattern
from cenports_nb.secret import Secret

SECRET_PARTS = ("secret", "password", "passwd", "passphrase", "credential", "apikey", "token", "bearer")
"""A name that holds one of these, however it is written, is refused …"""
HARMLESS_WORDS = ("secretary", "secretariat", "tokenizer", "tokenize")
"""… unless it is in one of these."""
SECRET_LAST_WORDS = frozenset({"pwd", "pw", "pass", "auth", "authorization", "jwt", "cookie", "cred", "creds"})
"""A name that has one of these as its last word is refused: `db_pwd`, but not `pass_rate`, nor `author`."""
KEY_WORDS = frozenset({"key", "keys"})
SECRET_KEY_OWNERS = frozenset(
    {
        "", "access", "account", "api", "auth", "cenports", "client", "encryption", "master", "my", "partner", "private",
        "secret", "service", "shared", "signing", "ssh",
    }
)  # fmt: skip
"""Before `key` as the last word: `api_key` and a lone `key` are refused, `sort_key` and `key_figures` are not."""

SECRET_VALUE_PATTERN = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\."  # a JSON web token
    r"|\bbearer\s+\S{8,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|://[^/\s:@]*:[^/\s@]+@",  # an address with a password in it
    re.IGNORECASE,
)
MIN_SECRET_LENGTH = 8
"""Signs; a shorter value may be a word of the report by chance."""
REDACTED = "[withheld]"


def is_secret_name(name: str) -> bool:
    """Tell whether something of this name would be a secret."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    joined = "".join(words)
    for word in HARMLESS_WORDS:
        joined = joined.replace(word, "")
    if any(part in joined for part in SECRET_PARTS) or (words and words[-1] in SECRET_LAST_WORDS):
        return True
    return bool(words) and words[-1] in KEY_WORDS and ("" if len(words) == 1 else words[-2]) in SECRET_KEY_OWNERS


def is_secret_value(value: Any, environ: Mapping[str, str] | None = None) -> bool:
    """Tell whether a value is a secret: by its looks, or because the environment has it under such a name."""
    if isinstance(value, list | tuple | set):
        return any(is_secret_value(spelling, environ) for spelling in value)
    text = str(value)
    return SECRET_VALUE_PATTERN.search(text) is not None or any(
        secret in text for secret in list_environment_secrets(environ)
    )


def list_environment_secrets(environ: Mapping[str, str] | None = None) -> list[str]:
    """List the secrets that the environment holds, longest first."""
    env = os.environ if environ is None else environ
    found = {value for name, value in env.items() if len(value) >= MIN_SECRET_LENGTH and is_secret_name(name)}
    return sorted((value for value in found if not os.path.isabs(value)), key=len, reverse=True)  # noqa: PTH117 - text


def redact_secret(text: str) -> str:
    """Strike the client secret out of a text, should a cell have printed it."""
    secret = os.environ.get("CENPORTS_CLIENT_SECRET", "")
    return SecretPattern(Secret(secret)).strike(text, REDACTED) if len(secret) >= MIN_SECRET_LENGTH else text
