"""The command-line reference: every command and option, written from the program.

`python -m cenports_nb.cli.command_reference > docs/reference/command-line.md` updates it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from typer import Context
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from cenports_nb.cli.program import PROGRAM, app

INTRODUCTION = f"""\
# Command line

Written by `python -m cenports_nb.cli.command_reference`; `{PROGRAM} COMMAND --help` shows the same. `python -m cenports_nb` is
another way to call the program.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | failed, or with rows that were rejected, held, dropped or not sent |
| 2 | wrong usage; nothing was sent |
| 3 | incomplete data |
| 4 | rows are in doubt or still pending |

Errors are one line on stderr. `--debug`, anywhere before `--`, adds the traceback. Nothing is sent without `--yes` or a typed
confirmation. An option that can be repeated is marked with `…`. `{PROGRAM} --install-completion` lets your shell complete
commands and options.
"""


def write_reference() -> str:
    """Write the reference as Markdown."""
    return "\n".join([INTRODUCTION, *_write_commands(get_command(app), PROGRAM)])


def _write_commands(command: Any, path: str) -> Iterator[str]:
    """Write a section for each command below this one."""
    for name, below in getattr(command, "commands", {}).items():
        if isinstance(below, TyperGroup):
            yield f"## {path} {name}\n\n{_read_about(below)} Without a word it runs `{next(iter(below.commands))}`.\n"
            yield from _write_commands(below, f"{path} {name}")
        else:
            yield _write_section(below, f"{path} {name}")


def _write_section(command: Any, path: str) -> str:
    context = Context(command, info_name=path)
    parameters = [each for each in command.get_params(context) if "--help" not in each.opts]
    arguments = [each for each in parameters if not isinstance(each, TyperOption)]
    options = [each for each in parameters if isinstance(each, TyperOption)]
    words = [_name_argument(each) for each in arguments]
    words += [f"{each.opts[0]} {_name_value(each, context)}".strip() for each in options if each.required]
    words += ["[OPTIONS]"] if any(not each.required for each in options) else []
    lines = [f"## {path}", "", _read_about(command), "", "```text", " ".join([path, *words]), "```", ""]
    rows = [(f"`{_name_argument(each)}`", "", each.help or "") for each in arguments]
    rows += [(_name_option(each, context), _name_default(each), each.help or "") for each in options]
    if rows:
        lines += ["| option | default | meaning |", "|---|---|---|"]
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        lines.append("")
    return "\n".join(lines)


def _read_about(command: Any) -> str:
    return inspect.cleandoc(command.help or "")


def _name_argument(argument: Any) -> str:
    name = (argument.metavar or argument.name).strip("[]")
    return name.upper() if argument.required else f"[{name.upper()}]"


def _name_option(option: TyperOption, context: Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = _name_value(option, context)
    return f"{names} {value}{' …' if option.multiple else ''}".strip()


def _name_value(option: TyperOption, context: Context) -> str:
    return (
        "" if option.is_flag else (option.metavar or str(option.display_type(context)).strip("<>").replace("|", ", "))
    )


def _name_default(option: TyperOption) -> str:
    if option.required:
        return "required"
    if option.is_flag or option.default in (None, "", 0):
        return ""
    return f"`{option.default}`"


if __name__ == "__main__":
    sys.stdout.buffer.write(write_reference().encode())
