"""Remove secrets from texts that are about to be shown, however they are escaped."""

from __future__ import annotations

import base64
import html.entities
import re
from functools import cached_property

from cenports_nb.secret import Secret

MIN_LENGTH = 4
"""Shorter secrets are part of ordinary words."""
MAX_FULLY_ESCAPED_LENGTH = 256
"""Letters and digits of a longer secret, such as a token, are only searched unescaped."""
MAX_TOKENS = 4
STRUCK = "…"
ESCAPES = "\\%&+"
"""Every escaped character contains one of these; a plus is a space in a URL."""
SHORT_ESCAPES = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "/": "/", "'": "'"}
ENTITY_NAMES: dict[str, list[str]] = {}
for _name, _character in html.entities.html5.items():
    if len(_character) == 1:
        ENTITY_NAMES.setdefault(_character, []).append(_name.rstrip(";"))


class SecretPattern:
    """Finds a secret in a text: plain, or escaped for JSON, a URL, HTML or Python, once or several times."""

    def __init__(self, secret: Secret) -> None:
        self._secret = secret

    @cached_property
    def _pattern(self) -> re.Pattern[str]:  # no part of it is the secret: each character is in a group of its own
        every = len(self._secret) <= MAX_FULLY_ESCAPED_LENGTH
        return re.compile("".join(_match_character(one, every=every) for one in self._secret.reveal()))

    def strike(self, text: str, replacement: str = STRUCK) -> str:
        """Replace all occurrences of the secret."""
        if len(self._secret) < MIN_LENGTH:
            return text
        if not any(
            mark in text for mark in ESCAPES
        ):  # only the plain spelling is possible: building the pattern takes 20 ms
            return text.replace(self._secret.reveal(), replacement)
        return self._pattern.sub(lambda _: replacement, text)


class Redactor:
    """Removes a client secret, its HTTP encodings with the client id, and the latest tokens."""

    def __init__(self, client_id: str, client_secret: Secret) -> None:
        self._credentials = [SecretPattern(client_secret)]
        if len(client_secret) >= MIN_LENGTH:
            for prefix in (f"{client_id}:", ""):
                for encode in (base64.b64encode, base64.urlsafe_b64encode):
                    encoded = encode(f"{prefix}{client_secret.reveal()}".encode("utf-8", "replace"))
                    self._credentials.append(SecretPattern(Secret(encoded.decode().rstrip("="))))
        self._tokens: list[SecretPattern] = []

    def add_token(self, token: Secret) -> None:
        """Remove this token too; answers may still quote a discarded one."""
        self._tokens = [*self._tokens[1 - MAX_TOKENS :], SecretPattern(token)]

    def __call__(self, text: str) -> str:
        """Remove all secrets from a text."""
        for pattern in (*self._tokens, *self._credentials):
            text = pattern.strike(text)
        return text


def _match_character(character: str, *, every: bool) -> str:
    """Build the pattern of one character in all its spellings."""
    plain = re.escape(character)
    if not every and character.isalnum():
        return f"(?:{plain})"
    code = ord(character)
    units = character.encode("utf-16-be", "surrogatepass")
    hexadecimals = [units[place : place + 2].hex() for place in range(0, len(units), 2)]
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    escaped = [
        "".join(rf"\\{{1,8}}u{unit}" for unit in hexadecimals),  # JSON, possibly within JSON
        percent,
        rf"\\{{0,8}}&(?:amp;)*#0*{code};?",
        rf"\\{{0,8}}&(?:amp;)*#x0*{code:x};?",
        rf"\\{{1,8}}u{code:08x}",  # Python's \\U
    ]
    if code < 0x100:
        escaped.append(rf"\\{{1,8}}x{code:02x}")
    names = "|".join(map(re.escape, ENTITY_NAMES.get(character, ())))
    exact = [rf"\\{{0,8}}&(?:amp;)*(?:{names});?"] if names else []
    if character == "\\":
        exact.append(r"\\{2,8}")
    elif character in SHORT_ESCAPES:
        exact.append(rf"\\{{1,8}}{re.escape(SHORT_ESCAPES[character])}")
    elif character == " ":
        exact.append(r"\+")
    any_case = f"(?i:{'|'.join(escaped)})"
    return f"(?:{'|'.join([*exact, any_case, plain])})"
