"""How a message names arguments and methods: as Python writes them, or as a person types them in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# One for the whole process: messages are also built in threads, which do not inherit a context variable.
_option_tables: list[Mapping[str, str]] = []


@contextmanager
def use_options(options: Mapping[str, str]) -> Iterator[None]:
    """Write messages for a terminal.

    Args:
        options: Argument names to the options that stand for them.
    """
    _option_tables.append(options)
    try:
        yield
    finally:
        _option_tables.pop()


def name_parameter(argument: str) -> str:
    """Name an argument without a value, as part of a sentence: `last`, or `--last` in a terminal."""
    return name_argument(argument).removesuffix("=")


def name_argument(argument: str, *value: object) -> str:
    """Name an argument, with a value if one is given.

    Example:
        `name_argument("last", "30D")` is `last='30D'` in Python and `--last 30D` in a terminal.
    """
    if not _option_tables:
        return f"{argument}={value[0]!r}" if value else f"{argument}="
    option = _option_tables[-1].get(argument, argument)
    if not value or value[0] is True:
        return option
    if isinstance(value[0], Mapping):
        return " ".join(f"{option} {_quote(f'{name}={given}', always=True)}" for name, given in value[0].items())
    if isinstance(value[0], list | tuple):
        return " ".join(f"{option} {_quote(str(item))}" for item in value[0])
    return f"{option} {_quote(str(value[0]))}"


def name_method(method: str, submission_id: str, arguments: str = "") -> str:
    """Name a method of a submission: as a call, or as a command of the group `submissions`.

    Args:
        method: Its name.
        submission_id: The submission.
        arguments: As Python writes them; the help of the command names its options.
    """
    return choose_wording(
        python=f'open_submission(client, "{submission_id}").{method}({arguments})',
        terminal=f"`cenports-nb submissions {method} {submission_id}`",
    )


def name_submission(submission_id: str) -> str:
    """Name the call, or the command, that opens or shows a submission."""
    return choose_wording(
        python=f'open_submission(client, "{submission_id}")',
        terminal=f"`cenports-nb submissions show {submission_id}`",
    )


def name_submission_list() -> str:
    """Name the call, or the command, that lists submissions."""
    return choose_wording(python="list_submissions()", terminal="`cenports-nb submissions list`")


def choose_wording(*, python: str, terminal: str) -> str:
    """Choose the text for the reader, where the two have no words in common."""
    return terminal if _option_tables else python


def _quote(text: str, *, always: bool = False) -> str:
    """Quote for a shell where that is needed; double quotes work in every shell, Windows' too."""
    return text if not always and re.fullmatch(r"[\w.,:/@%+=-]+", text) else f'"{text}"'
