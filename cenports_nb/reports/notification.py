"""Notifications of reports: the headline, the summary and the page, sent by apprise.

find_url ─▶ Notifier ─▶ notify_run, notify_failure
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import logging.handlers
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from cenports_nb.credentials import read_notify_url
from cenports_nb.errors import CenportsError, ConfigurationError, InvalidRequestError
from cenports_nb.exit_codes import DONE
from cenports_nb.private_files import write_private_file
from cenports_nb.rendering.surface import name_argument
from cenports_nb.rendering.text import format_count
from cenports_nb.reports.catalogue import Report
from cenports_nb.reports.failure import ReportError
from cenports_nb.reports.result import ReportRun
from cenports_nb.reports.secret_detection import NOTIFY_VARIABLE
from cenports_nb.secret import Secret
from cenports_nb.settings import home_folder

NotifyOn = Literal["always", "problems", "change"]
DEFAULT_NOTIFY_ON: NotifyOn = "always"
HEADLINES_FOLDER = "headlines"
"""The folder in `CENPORTS_HOME` with the digest of the headline that was sent last, one file for each report and account."""
MAX_TITLE_NUMBERS = 3
LIBRARY_LOGGERS = ("urllib3", "requests", "oauthlib", "requests_oauthlib")
"""Loggers whose debug messages hold the URL."""
MAX_LOGGED = 10_000
STATUS_PATTERN = re.compile(r"error=(\d{3})\b")


@dataclass(frozen=True)
class Notification:
    """A message.

    Attributes:
        title: The report and its headline in one line.
        summary: The account, the headline numbers, and what is wrong.
        page: The page to attach; None if there is none.
        is_problem: Somebody must look at it.
    """

    title: str
    summary: str
    page: Path | None
    is_problem: bool


@dataclass(frozen=True)
class Notifier:
    """Sends the notifications of one report and account.

    Attributes:
        url: Where to.
        when: `"always"`; `"problems"`: only if the report needs action, is incomplete or failed; `"change"`: only if the
            headline differs from the last one that was sent.
        report: The report.
        account: The parameters that name the account.
        home: The folder of the last headlines.
    """

    url: Secret
    when: NotifyOn
    report: Report
    account: Mapping[str, Any]
    home: Path = field(default_factory=home_folder)

    def notify_run(self, run: ReportRun) -> bool:
        """Send the notification of a run, if it is due; return whether it was.

        Raises:
            CenportsError: It could not be sent.
        """
        return self._notify(describe_run(self.report, run))

    def notify_failure(self, error: CenportsError) -> bool:
        """Send the notification of a report that failed, if it is due; return whether it was.

        Raises:
            CenportsError: It could not be sent.
        """
        return self._notify(describe_failure(self.report, error))

    def _notify(self, message: Notification) -> bool:
        digest = hashlib.sha256(f"{message.title}\n{message.summary}".encode()).hexdigest()
        if self.when == "problems" and not message.is_problem:
            return False
        if self.when == "change" and self._read_last_digest() == digest:
            return False
        send(self.url, message)
        self._store_digest(digest)
        return True

    @property
    def _digest_file(self) -> Path:
        name = f"{self.report.path.absolute()} {sorted(self.account.items())!r}"
        return self.home / HEADLINES_FOLDER / hashlib.sha256(name.encode()).hexdigest()[:32]

    def _read_last_digest(self) -> str:
        try:
            return self._digest_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def _store_digest(self, digest: str) -> None:
        """Store what was sent; where that fails, the next run sends it again."""
        with contextlib.suppress(OSError):
            self._digest_file.parent.mkdir(parents=True, exist_ok=True)
            write_private_file(self._digest_file, digest.encode())


def build_notifier(
    report: Report, parameters: Mapping[str, Any], url: Secret | None, when: str | None
) -> Notifier | None:
    """Build the notifier of a report, before it runs; None if no notification is asked for.

    Args:
        report: The report.
        parameters: Its parameters; those that name the account are used.
        url: The URL, if given; otherwise that of `CENPORTS_NOTIFY_URL`, or of the profile in the keyring.
        when: As in `Notifier`; `"always"` by default. Given without a URL, it asks for a notification too.

    Raises:
        InvalidRequestError: `when` is none of the choices.
        ConfigurationError: There is no URL, it can't be used, or apprise isn't installed.
    """
    if url is None and when is None:
        return None
    chosen = next((choice for choice in get_args(NotifyOn) if choice == (when or DEFAULT_NOTIFY_ON)), None)
    if chosen is None:
        raise InvalidRequestError(f"{name_argument('notify_on', when)} must be one of {', '.join(get_args(NotifyOn))}.")
    account = {name: parameters.get(name) or None for name in ("environment", "profile", "profiles")}
    found = find_url(url, account["profile"])
    check_url(found)
    return Notifier(found, chosen, report, account)


def find_url(given: Secret | None, profile: str | None) -> Secret:
    """Find the notification URL: the given one, else that of the environment, else that of a profile in the keyring.

    Raises:
        ConfigurationError: There is none.
    """
    if given:
        return given
    if os.environ.get(NOTIFY_VARIABLE):
        return Secret(os.environ[NOTIFY_VARIABLE])
    for name in dict.fromkeys((profile or os.environ.get("CENPORTS_PROFILE") or "default", "default")):
        if found := read_notify_url(name):
            return found
    raise ConfigurationError(
        f"There is no notification URL: set {NOTIFY_VARIABLE}, store one with `cenports-nb login --notify`, or give "
        "--notify URL."
    )


def check_url(url: Secret) -> None:
    """Check that apprise can use a URL; nothing is sent.

    Raises:
        ConfigurationError: apprise isn't installed, or knows no such service.
    """
    with _silence_libraries():
        usable = _add_services(url) is not None
    if not usable:  # the URL is a secret, so it isn't quoted
        raise ConfigurationError(
            "The notification URL isn't one that apprise can use: write it as apprise documents it, such as "
            "mailto://user:password@example.com."
        )


def send(url: Secret, message: Notification) -> None:
    """Send a message to every service of a URL.

    Raises:
        ConfigurationError: apprise isn't installed, or knows no such service.
        CenportsError: A service could not be reached, or refused the message.
    """
    check_url(url)
    problem = ""
    with _silence_libraries() as logged:
        try:
            failed = [scheme for scheme, sent in _send_to_services(url, message) if not sent]
        except Exception:  # noqa: BLE001 - plugins raise what their libraries raise, with the URL in it
            failed = ["apprise"]
            logged.clear()
        if failed:
            problem = f"{', '.join(failed)}: {_explain(logged)}"
    if problem:  # raised after the handler, so that no reference leads to frames that hold the URL
        raise CenportsError(f"The notification could not be sent ({problem}); the report itself is kept.")


def describe_run(report: Report, run: ReportRun) -> Notification:
    """Describe a run in a message."""
    code, complaint = run.verdict
    marked = [f"{run.headline[name]} {name}" for name in run.needs_action]
    headline = ", ".join(marked[:MAX_TITLE_NUMBERS])
    if len(marked) > MAX_TITLE_NUMBERS:
        headline += f", and {format_count(len(marked) - MAX_TITLE_NUMBERS, 'more number')}"
    if not headline:
        headline = "nothing needs action" if code == DONE else complaint.partition(":")[0]
    elif code != DONE:
        headline += f"; {complaint.partition(':')[0]}"
    numbers = [f"{'! ' if name in run.needs_action else ''}{number} {name}" for name, number in run.headline.items()]
    about = f"{report.title}{f' of {run.account}' if run.account else ''}"
    lines = [about, "", *numbers, *(["", complaint] if complaint else [])]
    return Notification(f"{report.title}: {headline}", "\n".join(lines), run.page, bool(marked) or code != DONE)


def describe_failure(report: Report, error: CenportsError) -> Notification:
    """Describe a report that failed in a message, with the page so far."""
    page = error.page if isinstance(error, ReportError) else None
    return Notification(f"{report.title}: stopped", f"{report.title} stopped.\n\n{error}", page, is_problem=True)


def _add_services(url: Secret) -> Any:
    """Let apprise read a URL, or several with spaces between them; None if it can't use one of them."""
    try:
        import apprise  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError('Notifications need apprise: pip install "cenports-nb[notify]".') from None
    services = apprise.Apprise()
    try:
        is_known = services.add(url.reveal())
    except Exception:  # noqa: BLE001 - plugins raise what their libraries raise, with the URL in it
        is_known = False
    return services if is_known and len(services) else None


def _send_to_services(url: Secret, message: Notification) -> Iterator[tuple[str, bool]]:
    """Send a message to each service; yield its scheme, and whether it took the message."""
    import apprise  # noqa: PLC0415
    from apprise.attachment.memory import AttachMemory  # noqa: PLC0415

    kind = apprise.NotifyType.WARNING if message.is_problem else apprise.NotifyType.INFO
    for service in _add_services(url):
        body, attached = message.summary, None
        if message.page is not None and service.attachment_support:
            attached = AttachMemory(message.page.read_bytes(), name=message.page.name, mimetype="text/html")
            body += "\n\nThe page is attached."
        one = apprise.Apprise()
        one.add(service)
        sent = one.notify(body, title=message.title, notify_type=kind, body_format="text", attach=attached)
        yield service.url(privacy=True).partition(":")[0], bool(sent)


def _explain(logged: list[logging.LogRecord]) -> str:
    """Say why a service didn't take a message; nothing of what was logged is quoted, because it may hold the URL."""
    text = " ".join(record.getMessage() for record in logged)
    if status := STATUS_PATTERN.search(text):
        return f"it answered {status[1]}"
    if "onnection error" in text:
        return "it can't be reached, or refused the message"
    return "it did not take the message"


@contextlib.contextmanager
def _silence_libraries() -> Iterator[list[logging.LogRecord]]:
    """Collect what apprise logs, and let nobody see it: messages may hold the URL."""
    collector = logging.handlers.BufferingHandler(MAX_LOGGED)
    logger = logging.getLogger("apprise")
    before = logger.propagate, logger.level, logger.handlers
    levels = {name: logging.getLogger(name).level for name in LIBRARY_LOGGERS}
    logger.propagate, logger.handlers = False, [collector]
    logger.setLevel(logging.WARNING)
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield collector.buffer
    finally:
        logger.propagate, logger.handlers = before[0], before[2]
        logger.setLevel(before[1])
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
