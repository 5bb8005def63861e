"""The libraries' errors about files and buckets, each converted to one sentence."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator
from typing import Any

import pyarrow as arrow

from cenports_nb.errors import ArchiveError, CenportsError, ConfigurationError

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DISK_FULL_WORDS = ("No space left", "Disk quota exceeded", "File too large")
ESCAPES = re.compile(r"\x1b\[[0-9;]*m|↳")

KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
STORE_FAILURES: tuple[tuple[type[CenportsError], str, str], ...] = (
    (ArchiveError, "NoSuchBucket", "the bucket does not exist: create it, or correct its name"),
    (
        ConfigurationError,
        "InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|InvalidClientTokenId",
        f"the store refuses the keys of the environment: {KEYS}",
    ),
    (
        ConfigurationError,
        r"169\.254\.|latest/api/token|[Cc]redential|sts/|AssumeRole",
        f"there are no keys for the store: {KEYS}",
    ),
    (
        ConfigurationError,
        "PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|301 Moved|Received redirect",
        "the bucket is in another region: set AWS_REGION",
    ),
    (
        ConfigurationError,
        "URL scheme is not allowed",
        "AWS_ENDPOINT_URL is plain http: use https, or set AWS_ALLOW_HTTP=true for a server of your own",
    ),
    (
        ArchiveError,
        "AccessDenied|403 Forbidden|401 Unauthorized",
        "the store denies access: the keys of the environment need to list the bucket, and to read, write and delete "
        "objects under this prefix",
    ),
    (
        ArchiveError,
        r"error sending request|timed out|retry_timeout|HTTP error|status code 5\d\d|SlowDown|InternalError",
        "the store can't be reached, or doesn't answer: check the network and AWS_ENDPOINT_URL, then try again",
    ),
)
"""The error class, what the library's text contains, and what to do; the first that fits counts."""


def import_deltalake() -> Any:
    """Import deltalake, which only the extra `archive` installs.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        import deltalake  # noqa: PLC0415 - an extra, loaded at first use
        import deltalake.fs  # noqa: PLC0415
    except ImportError:
        raise ConfigurationError('The archive needs an extra: pip install "cenports-nb[archive]".') from None
    return deltalake


@contextlib.contextmanager
def clear_errors(location: object, *, writing: bool = False) -> Iterator[None]:
    """Convert the libraries' errors about files to one sentence.

    The text of the location is its path or address. With `writing`, a failure leaves the archive unchanged.

    Raises:
        ArchiveError: The disk is full, a file is missing or damaged, or it can't be written; the store can't be reached.
        ConfigurationError: The store's keys or its region are missing or wrong.
    """
    deltalake = import_deltalake()
    try:
        yield
    except (deltalake.exceptions.DeltaError, OSError, arrow.ArrowException) as error:
        text = " ".join(ESCAPES.sub("", str(error)).split())
        if str(location).startswith("s3://"):
            _raise_store_failure(location, text)
        if getattr(error, "errno", None) in DISK_FULL or any(words in text for words in DISK_FULL_WORDS):
            raise ArchiveError(
                f"The disk of {location} is full: the archive is as it was before. Make room and run the update again."
            ) from None
        if writing:
            raise ArchiveError(
                f"{location} can't be written ({text[-160:]}): the archive is as it was before. Check its owner and mode."
            ) from None
        raise ArchiveError(
            f"{location} is damaged or incomplete ({text[:160]}): restore it from a backup. Nothing was changed."
        ) from None


def _raise_store_failure(location: object, text: str) -> None:
    for kind, words, advice in STORE_FAILURES:
        if re.search(words, text):
            raise kind(f"{location}: {advice}. The archive is as it was before.") from None
