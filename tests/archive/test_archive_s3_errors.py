"""What goes wrong with a bucket is one sentence of one error each, in bounded time, and names no key."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.s3_server import name_environment, refuse_s3

import cenports_nb as cn
from cenports_nb.archive.storage import location
from cenports_nb.errors import ArchiveError, ConfigurationError

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("s3")]

Use = Callable[[str], None]


@pytest.fixture
def use(s3: str, monkeypatch: pytest.MonkeyPatch) -> Use:
    """Point the environment to another server, and ask only once."""
    monkeypatch.setattr(location, "STORE_OPTIONS", {**location.STORE_OPTIONS, "max_retries": "0", "timeout": "1s"})

    def use(url: str) -> None:
        for name, value in name_environment(url).items():
            monkeypatch.setenv(name, value)

    return use


def check_sentence(error: pytest.ExceptionInfo[Any], address: str) -> None:
    text = str(error.value)
    assert text.startswith(address)
    assert text.endswith(".")
    assert not [word for word in ("\n", "\x1b", "nobody-may-see", "<", "↳") if word in text]


def test_a_bucket_that_is_missing_is_one_sentence(s3: str) -> None:
    """The name is wrong, or the bucket isn't made."""
    with pytest.raises(ArchiveError, match="the bucket does not exist") as caught:
        cn.open_archive("s3://no-such-bucket/archive")
    check_sentence(caught, "s3://no-such-bucket/archive")


ANSWERS: dict[str, tuple[int, str]] = {
    "denied": (403, "AccessDenied"),
    "unknown-key": (403, "InvalidAccessKeyId"),
    "wrong-secret": (403, "SignatureDoesNotMatch"),
    "expired": (400, "ExpiredToken"),
    "other-region": (400, "AuthorizationHeaderMalformed"),
    "redirected": (301, "PermanentRedirect"),
    "busy": (503, "SlowDown"),
    "broken": (500, "InternalError"),
}


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """Start a server whose buckets refuse everything."""
    with refuse_s3(ANSWERS) as url:
        yield url


@pytest.mark.parametrize(
    ("bucket", "kind", "words"),
    [
        ("denied", ArchiveError, "the store denies access: the keys .* need to list the bucket"),
        ("unknown-key", ConfigurationError, "refuses the keys of the environment: set AWS_ACCESS_KEY_ID"),
        ("wrong-secret", ConfigurationError, "refuses the keys"),
        ("expired", ConfigurationError, "refuses the keys"),
        ("other-region", ConfigurationError, "in another region: set AWS_REGION"),
        ("redirected", ConfigurationError, "in another region: set AWS_REGION"),
        ("busy", ArchiveError, "can't be reached, or doesn't answer"),
        ("broken", ArchiveError, "can't be reached, or doesn't answer"),
    ],
)
def test_an_answer_of_the_store_is_one_sentence(
    use: Use, refusing: str, bucket: str, kind: type[Exception], words: str
) -> None:
    """When it is opened, and when it is read later."""
    use(refusing)
    address = f"s3://{bucket}/archive"
    for work in (cn.Archive(address, "UTC").contents, lambda: cn.open_archive(address)):
        with pytest.raises(kind, match=words) as caught:
            work()
        check_sentence(caught, address)


def test_a_store_that_can_not_be_reached_is_one_sentence(s3: str, use: Use) -> None:
    """Nothing listens there; or who listens never answers, which ends after a time."""
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        use(f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(ArchiveError, match="can't be reached, or doesn't answer: check the network") as caught:
            cn.open_archive(f"{s3}/archive")
        check_sentence(caught, f"{s3}/archive")
        assert time.monotonic() - start < 20
    with pytest.raises(ArchiveError, match="can't be reached, or doesn't answer: check the network") as caught:
        cn.open_archive(f"{s3}/archive")
    check_sentence(caught, f"{s3}/archive")


def test_without_keys_one_sentence_says_how_to_set_them(
    s3: str, use: Use, refusing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the environment nor the machine has any."""
    use(refusing)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", refusing)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(ConfigurationError, match="no keys for the store: set AWS_ACCESS_KEY_ID") as caught:
        cn.open_archive(f"{s3}/archive")
    check_sentence(caught, f"{s3}/archive")


def test_plain_http_is_refused_unless_it_is_allowed(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys would travel in the open."""
    monkeypatch.delenv("AWS_ALLOW_HTTP")
    with pytest.raises(ConfigurationError, match="AWS_ENDPOINT_URL is plain http: use https") as caught:
        cn.open_archive(f"{s3}/archive")
    check_sentence(caught, f"{s3}/archive")


def test_an_object_that_is_gone_is_one_sentence(s3: str) -> None:
    """As for a file: the archive is damaged."""
    archive = cn.open_archive(f"{s3}/gone")
    files: Any = location.find_location(archive.folder)._open_files()  # type: ignore[union-attr]
    with archive._open_for_writing() as (tables, log):
        log.create()
        assert tables.version("updates") == 0
    files.delete_file("updates/_delta_log/00000000000000000000.json")
    files.open_output_stream("updates/_delta_log/00000000000000000001.json").close()
    with pytest.raises(ArchiveError, match="is damaged or incomplete") as caught:
        archive.contents()
    check_sentence(caught, f"{s3}/gone")
