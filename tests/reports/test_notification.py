"""Test notifications of reports, over a real mail server and a webhook on this machine."""

from __future__ import annotations

import base64
import email
import email.policy
import io
import logging
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keyring
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from support.command_line import RunCommand, run_command
from support.memory_keyring import MemoryKeyring
from support.report_runs import build_environment, own_notebook, run
from support.scripted_server import Reply, ScriptedServer

from cenports_nb.errors import CenportsError, ConfigurationError
from cenports_nb.reports import ReportError, ReportRun, find_report
from cenports_nb.reports.notification import Notifier, build_notifier, describe_failure, describe_run, find_url, send
from cenports_nb.secret import Secret

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

PASSWORD = "pass-that-nobody-may-see"
TOKEN = "path-that-nobody-may-see"
MORNING = find_report("morning")
PAGE = "<!doctype html><title>Morning report</title>"

HEADLINE = """
import os
from cenports_nb.notebook import report_page
display(report_page.headline({"orders late": 12, "SKUs oversold": 0}, bad=["orders late", "SKUs oversold"]))
print(os.environ.get("CENPORTS_NOTIFY_URL", "not in the kernel"))
report_page.show_origin({})
"""


@dataclass
class Mailbox:
    """A mail server that wants a password, and its mail."""

    mails: list[Any] = field(default_factory=list)
    url: str = ""
    is_full: bool = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.is_full:
            return "552 Mailbox full"
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == PASSWORD.encode())

    found = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(
        found, hostname="127.0.0.1", port=port, authenticator=check, auth_required=True, auth_require_tls=False
    )
    controller.start()
    found.url = f"mailto://me:{PASSWORD}@127.0.0.1:{port}?from=cenports@example.com&to=stock@example.com"
    yield found
    controller.stop()


@dataclass(frozen=True)
class Webhook:
    """A webhook with a token in its path, and what it got."""

    server: ScriptedServer

    @property
    def url(self) -> str:
        return f"json://{self.server.url.partition('//')[2].removesuffix('/v2')}/{TOKEN}"

    @property
    def messages(self) -> list[Any]:
        return [request.body for request in self.server.requests]

    def answer(self, status: int) -> None:
        self.server.on(f"POST /{TOKEN}", Reply({}, status=status))


@pytest.fixture
def webhook(server: ScriptedServer) -> Webhook:
    found = Webhook(server)
    found.answer(200)
    return found


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "morning.html"
    path.write_text(PAGE)
    return path


def make_run(page: Path | None = None, late: int = 12, **counts: int) -> ReportRun:
    headline = {"orders late": f"{late:,}", "units short": "0"}
    action = ("orders late",) if late else ()
    return ReportRun(
        Path("a.ipynb"), page, counts, account="production, partner P-1", headline=headline, needs_action=action
    )


def notifier(url: str, when: Any = "always", **account: Any) -> Notifier:
    return Notifier(Secret(url), when, MORNING, account)


@pytest.fixture(scope="module")
def mailed(mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    """Run a report whose notification URL is in the environment."""
    folder = tmp_path_factory.mktemp("mailed")
    path = own_notebook(folder / "mine.ipynb", HEADLINE)
    environ = build_environment(folder, CENPORTS_NOTIFY_URL=mailbox.url)
    ran = run(folder, path, "--notify-on", "problems", environ=environ)
    return ran, mailbox.mails[-1], folder


@pytest.mark.kernel
@pytest.mark.xdist_group("notification")
class TestMail:
    def test_a_mail_has_the_headline_the_summary_and_the_page(self, mailed: tuple[Any, Any, Path]) -> None:
        """The page is written although nobody asked for it."""
        ran, mail, folder = mailed
        assert ran.returncode == 0, ran.stderr
        assert mail["Subject"] == "My report: 12 orders late"
        assert "! 12 orders late" in mail.get_body(("plain",)).get_content()
        assert "0 SKUs oversold" in mail.get_body(("plain",)).get_content()
        (attachment,) = mail.iter_attachments()
        assert attachment.get_filename() == "mine.html"
        attached = attachment.get_payload(decode=True).decode()
        assert attached.split() == (folder / "out" / "mine.html").read_text("utf-8").split()

    def test_the_url_is_nowhere(self, mailed: tuple[Any, Any, Path]) -> None:
        """Neither kernel, notebook, page, state nor terminal has it."""
        ran, mail, folder = mailed
        written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
        assert b"not in the kernel" in written
        for text in (written.decode("utf-8", "replace"), ran.stdout, ran.stderr, mail.as_string()):
            assert PASSWORD not in text


def test_a_webhook_gets_the_page_as_an_attachment(webhook: Webhook, page: Path) -> None:
    """Its summary has the account and every number."""
    assert notifier(webhook.url).notify_run(make_run(page))
    (message,) = webhook.messages
    assert message["title"] == "Morning report: 12 orders late"
    lines = [
        "Morning report of production, partner P-1",
        "",
        "! 12 orders late",
        "0 units short",
        "",
        "The page is attached.",
    ]
    assert message["message"].splitlines() == lines
    (attachment,) = message["attachments"]
    assert (attachment["filename"], attachment["mimetype"]) == ("morning.html", "text/html")
    assert base64.b64decode(attachment["base64"]).decode() == PAGE


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "Morning report: 12 orders late"),
        ({"late": 0}, "Morning report: nothing needs action"),
        ({"late": 0, "incomplete": 1}, "Morning report: Data is incomplete"),
        ({"rejected": 2}, "Morning report: 12 orders late; 2 records can't be read"),
    ],
)
def test_a_title_says_what_needs_action(changes: dict[str, int], title: str) -> None:
    """What is wrong with the run itself is in it too."""
    assert describe_run(MORNING, make_run(**changes)).title == title


def test_a_long_headline_is_cut() -> None:
    """The summary has the rest."""
    numbers = {f"kind {number}": "1" for number in range(5)}
    message = describe_run(MORNING, replace(make_run(), headline=numbers, needs_action=tuple(numbers)))
    assert message.title == "Morning report: 1 kind 0, 1 kind 1, 1 kind 2, and 2 more numbers"


@pytest.mark.parametrize(
    ("changes", "is_sent"),
    [
        ({"late": 0}, False),
        ({"late": 1}, True),
        ({"late": 0, "incomplete": 1}, True),
        ({"late": 0, "in_doubt": 1}, True),
    ],
)
def test_only_problems_are_sent(webhook: Webhook, changes: dict[str, int], is_sent: bool) -> None:
    """A problem is a number that needs action, or an exit code other than 0."""
    assert notifier(webhook.url, "problems").notify_run(make_run(**changes)) is is_sent
    assert len(webhook.messages) == is_sent


def test_only_changes_are_sent(webhook: Webhook) -> None:
    """Each report and account has its own last headline; one that could not be sent is sent by the next run."""
    acme, globex = (notifier(webhook.url, "change", profile=name) for name in ("acme", "globex"))
    assert acme.notify_run(make_run())
    assert not acme.notify_run(make_run())
    assert globex.notify_run(make_run())
    webhook.answer(500)
    with pytest.raises(CenportsError):
        acme.notify_run(make_run(late=13))
    webhook.answer(200)
    assert acme.notify_run(make_run(late=13))
    assert not acme.notify_run(make_run(late=13))
    error = ReportError("It stopped.", cause="X", notebook=Path("a"))
    assert [acme.notify_failure(error), acme.notify_failure(error)] == [True, False]


def test_the_last_headline_is_kept_as_a_digest(webhook: Webhook, home: Path) -> None:
    """No number, name or account is on disk, and only the user can read it."""
    notifier(webhook.url, profile="acme").notify_run(make_run())
    (path,) = (home / "headlines").iterdir()
    assert len(path.read_bytes()) == 64
    assert path.stat().st_mode & 0o077 == 0


def test_a_failed_report_sends_its_sentence(page: Path) -> None:
    """The page so far is attached."""
    message = describe_failure(
        MORNING, ReportError("Report morning stopped in cell 3.", cause="X", notebook=page, page=page)
    )
    assert (message.title, message.page, message.is_problem) == ("Morning report: stopped", page, True)
    assert "Report morning stopped in cell 3." in message.summary


def test_a_report_that_can_not_start_sends_its_sentence(run_here: RunCommand, webhook: Webhook) -> None:
    """Its exit code is that of its error."""
    ran = run_here("morning", "--profile", "nobody", "--notify", webhook.url)
    assert ran.returncode == 2
    (message,) = webhook.messages
    assert "There is no profile 'nobody'" in message["message"]


@pytest.mark.parametrize("service", ["webhook", "mail", "closed"])
def test_what_can_not_be_sent_is_one_sentence_without_the_url(
    webhook: Webhook,
    mailbox: Mailbox,
    page: Path,
    service: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Servers refuse the message, or are not there; nothing is logged."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.CRITICAL, "mail.log")  # the server's
    monkeypatch.setattr(mailbox, "is_full", True)
    webhook.answer(503)
    urls = {
        "webhook": webhook.url,
        "mail": mailbox.url,
        "closed": f"json://127.0.0.1:1/{TOKEN}",
    }
    with pytest.raises(CenportsError) as caught:
        notifier(urls[service]).notify_run(make_run(page))
    reasons = {
        "webhook": "json: it answered 503",
        "mail": "mailto: it did not take the message",
        "closed": "json: it can't be reached",
    }
    assert str(caught.value).startswith(f"The notification could not be sent ({reasons[service]}")
    assert str(caught.value).endswith("; the report itself is kept.")
    for text in (str(caught.value), caplog.text, repr(notifier(urls[service]))):
        assert PASSWORD not in text
        assert TOKEN not in text


@pytest.mark.kernel
@pytest.mark.xdist_group("notification")
def test_a_report_is_kept_when_its_notification_can_not_be_sent(tmp_path: Path) -> None:
    """The exit code is 1."""
    path = own_notebook(tmp_path / "mine.ipynb", "print('ran')")
    ran = run(tmp_path, path, "--quiet", "--notify", f"json://127.0.0.1:1/{TOKEN}", environ=build_environment(tmp_path))
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("cenports-nb: The notification could not be sent")
    assert "ran" in (tmp_path / "out" / "mine.html").read_text("utf-8")


@pytest.mark.parametrize("url", [f"nonsense://{TOKEN}", TOKEN, f"json://127.0.0.1/ nonsense://{TOKEN}"])
def test_a_url_that_apprise_does_not_know_is_refused_before_the_report_runs(run_here: RunCommand, url: str) -> None:
    """It is not quoted."""
    ran = run_here("morning", "--env", "sandbox", "--notify", url)
    assert ran.returncode == 2
    assert "isn't one that apprise can use" in ran.stderr
    assert TOKEN not in ran.stderr


def test_without_apprise_one_sentence_says_what_to_install(
    run_here: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was run."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    ran = run_here("morning", "--env", "sandbox", "--notify", "json://localhost")
    assert ran.returncode == 2
    assert 'pip install "cenports-nb[notify]"' in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--notify-on", "always"], "There is no notification URL: set CENPORTS_NOTIFY_URL"),
        (["--notify-on", "sometimes"], "--notify-on sometimes must be one of always, problems, change."),
    ],
)
def test_a_notification_without_a_url_or_with_an_unknown_word_is_refused(
    run_here: RunCommand, arguments: list[str], sentence: str
) -> None:
    """Nothing was run."""
    ran = run_here("morning", "--env", "sandbox", *arguments)
    assert ran.returncode == 2
    assert sentence in ran.stderr


def test_without_an_option_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL in the environment alone sends nothing."""
    monkeypatch.setenv("CENPORTS_NOTIFY_URL", "json://localhost")
    assert build_notifier(MORNING, {}, None, None) is None


def test_the_url_is_kept_in_the_keyring(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> None:
    """The option wins over the environment, and that over the keyring; another profile uses the default one's."""
    before, ring = keyring.get_keyring(), MemoryKeyring()
    keyring.set_keyring(ring)
    try:
        monkeypatch.setattr("sys.stdin", io.StringIO(webhook.url + "\n"))
        stored = run_command(capsys, "login", "--notify", "--secret-stdin")
        assert (stored.returncode, TOKEN in stored.stdout + stored.stderr) == (0, False)
        assert find_url(None, None) == find_url(None, "acme") == Secret(webhook.url)
        monkeypatch.setenv("CENPORTS_NOTIFY_URL", "json://environment")
        assert find_url(None, None) == Secret("json://environment")
        assert find_url(Secret("json://option"), None) == Secret("json://option")
        monkeypatch.delenv("CENPORTS_NOTIFY_URL")
        assert "is gone from the keyring" in run_command(capsys, "logout", "--notify").stdout
        with pytest.raises(ConfigurationError, match="There is no notification URL"):
            find_url(None, None)
    finally:
        keyring.set_keyring(before)


def test_a_parameter_that_is_the_url_is_refused(run_here: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameters are written into the notebook."""
    monkeypatch.setenv("CENPORTS_NOTIFY_URL", f"json://example.com/{TOKEN}")
    ran = run_here("morning", "--env", "sandbox", "-p", f"profile=json://example.com/{TOKEN}")
    assert ran.returncode == 2
    assert "looks like a secret" in ran.stderr


def test_a_message_goes_to_every_service(webhook: Webhook, mailbox: Mailbox, page: Path) -> None:
    """URLs are separated by spaces; the one that fails is named."""
    message = describe_run(MORNING, make_run(page))
    webhook.answer(500)
    with pytest.raises(CenportsError, match=r"\(json: it answered 500\)"):
        send(Secret(f"{webhook.url} {mailbox.url}"), message)
    assert mailbox.mails[-1]["Subject"] == message.title
