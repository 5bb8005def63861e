"""Pseudonyms: the same one for a value in every frame of an account, and another one in other accounts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

from cenports_nb.frames.schema.column_docs import ADDRESS, EMAIL, NAME, PHONE, TEXT

SHORT_KINDS = {NAME: "Customer", ADDRESS: "Address", PHONE: "Phone", EMAIL: "Email", TEXT: "Message"}
SHORT_DIGITS = 4
"""How pseudonyms are shown in views."""

DIGEST_BYTES = 6  # 48 bits: of a million people, two share a pseudonym in one of 560 accounts
PSEUDONYM = re.compile(rf"({'|'.join(SHORT_KINDS)})-[0-9a-f]{{{2 * DIGEST_BYTES}}}")

Pseudonymize = Callable[[str, Any], str]


def build_pseudonymizer(account: str, *, shorten: bool = False) -> Pseudonymize:
    """Build the function that returns the pseudonym of a value in an account.

    Args:
        account: The account's key.
        shorten: Return pseudonyms for views, such as `Customer 3f9a`.
    """
    key = hashlib.blake2b(account.encode()).digest()
    starts = {kind: hashlib.blake2b(digest_size=DIGEST_BYTES, key=key, person=kind.encode()) for kind in SHORT_KINDS}
    known: dict[tuple[str, str], str] = {}

    def pseudonymize(kind: str, value: Any) -> str:
        text = str(value)
        if (kind, text) not in known:
            digest = starts[kind].copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            stays = PSEUDONYM.fullmatch(text) is not None
            known[kind, text] = text if stays else f"{kind}-{digest.hexdigest()}"
        return known[kind, text]

    return pseudonymize if not shorten else lambda kind, value: shorten_pseudonym(pseudonymize(kind, value))


def shorten_pseudonym(pseudonym: str) -> str:
    """Shorten a pseudonym for a view, such as `Customer 3f9a`."""
    kind, _, digits = pseudonym.rpartition("-")
    return f"{SHORT_KINDS[kind]} {digits[:SHORT_DIGITS]}"
