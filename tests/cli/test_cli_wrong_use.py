"""Wrong use of every command: the error names options and commands, never arguments of Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import Ran, RunCommand, run_command
from typer.main import get_command

from cenports_nb.cli import app
from cenports_nb.cli.options import ARGUMENT_OPTIONS
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Sandbox

PYTHON = re.compile(r"(?<![\w-])[a-z_]+=(?!value)|\b\w+\((?!s\))|DataFrame|`?cn\.|Value error|Input should")
"""What only Python writes: `last=`, `resume()`, `DataFrame`."""

COUNTS = {
    "headers.csv": "shelf,thing,counted\nNW-EAST,0003,5\n",
    "two.csv": "warehouse_code,product_sku,counted,counted\nNW-EAST,0003,1,2\n",
    "warehouse.csv": "warehouse_code,product_sku,quantity\nNOWHERE,0003,5\n",
    "no-warehouse.csv": "product_sku,quantity\n0003,5\n",
    "twice.csv": "warehouse_code,product_sku,quantity\nNW-EAST,0003,5\nNW-EAST,0003,6\n",
    "unknown.csv": "warehouse_code,product_sku,quantity\nNW-EAST,ZZ99,5\n",
    "low.csv": "warehouse_code,product_sku,quantity\nNW-EAST,0003,0\n",
    "old.csv": "warehouse_code,product_sku,quantity,counted_at\nNW-EAST,0003,14,2020-01-01T08:00Z\n",
    "cyrillic.csv": "warehouse_code,product_sku,quantity\nNW-EAST,caf\udce9\udcff\udc81,5\n",
}
DAYS = ["--last", "9D", "--out", "o.csv"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run commands where files of counts lie, with no account configured."""
    monkeypatch.setenv("CENPORTS_HOME", str(tmp_path))
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", "100000")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.chdir(tmp_path)
    for name, text in COUNTS.items():
        Path(name).write_bytes(text.encode(errors="surrogateescape"))
    Path("folder.csv").mkdir()

    def run(*arguments: str) -> Ran:
        return run_command(capsys, *arguments)

    return run


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(rate_limit=None) as sandbox:
        yield sandbox


@pytest.fixture
def staging(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let --env staging talk to a sandbox, whose journal outlives a command."""
    variables = {"BASE_URL": sandbox.url, "PARTNER_ID": PARTNER_ID, "CLIENT_ID": CLIENT_ID}
    for name, value in {**variables, "CLIENT_SECRET": CLIENT_SECRET, "ENVIRONMENT": "staging"}.items():
        monkeypatch.setenv(f"CENPORTS_{name}", value)


WITHOUT_ACCOUNT = [
    (["orders", *DAYS], "--env sandbox, --env staging or --env production"),
    (["orders", "--env", "staging", *DAYS], "`cenports-nb login --env staging`"),
    (["submit", "low.csv", "--env", "production", "--dry-run"], "`cenports-nb login --env production`"),
    (["hand-over", "--env", "production", "--out", "h.csv"], "`cenports-nb login --env production`"),
    (["doctor", "--env", "staging", "--offline"], "name a --profile"),
    (["orders", "--profile", "none", *DAYS], "no profile 'none'"),
    (["orders", "--lsat", "9D"], "--last, --start). See `cenports-nb orders --help`"),
    (["orders", "--last"], "See `cenports-nb orders --help`"),
    (["orders", "extra", *DAYS], "See `cenports-nb orders --help`"),
    (["submissions", "show"], "See `cenports-nb submissions show --help`"),
    (["submissions", "resolve", "x", "--outcome"], "See `cenports-nb submissions resolve --help`"),
    (["submissions", "nothing"], "See `cenports-nb submissions --help`"),
    (["submissions", "list", "--env", "nowhere"], "no environment 'nowhere'"),
    (["submit", "low.csv", "--by", "name"], "is not one of 'product_sku', 'product_upc', 'retailer_sku'"),
    (["submit", "low.csv", "--canary", "-1"], "--canary': it must be at least 0"),
    (["sandbox", "--port", "x"], "--port': it must be a whole number"),
    (["sandbox", "--port", "70000"], "--port': it must be at most 65535"),
    (["sandbox", "--orders", "-1"], "--orders': it must be at least 0"),
    (["sandbox", "--orders", "1", "--data", "x"], "--orders generates data and --data reads it"),
    (["login", "--env", "sandbox"], "--env production or --env staging"),
    (["login", "--env", "staging"], "--partner-id"),
    (["doctor", "--env", "sandbox", "--out", "no/x.json"], "--out no/x.json: there is no folder no"),
    (["doctor", "--env", "sandbox", "--out", "folder.csv"], "--out folder.csv is a folder"),
    (["report", "morning", "--env", "sandbox", "-p", "out=1"], "pass --out to the run instead"),
]

WITH_ACCOUNT = [
    (["orders", "--out", "o.csv", "--last", "9W"], "--last 9W isn't a period. Use --last 30D."),
    (["orders", "--out", "o.csv", "--start", "2026-02-01"], "--start is given without --end"),
    (["orders", "--out", "o.csv", "--start", "2026-02-30", "--end", "2026-03-01"], "--start 2026-02-30 isn't a day"),
    (["orders", "--out", "o.csv", "--start", "2026-02-02", "--end", "2026-02-01"], "is after --end 2026-02-01"),
    (["orders", *DAYS, "--start", "2026-02-02"], "Pass either --last or --start and --end"),
    (["orders", *DAYS, "--channel", ""], "--channel has ''"),
    (["orders", "--last", "9D", "--out", "folder.csv"], "'folder.csv' is a folder"),
    (["orders", "--last", "9D", "--out", "no/o.csv"], "no folder 'no'"),
    (["orders", "--last", "9D", "--out", "o.txt"], "no known ending"),
    (["submit", "none.csv", "--dry-run"], "none.csv can't be read"),
    (["submit", "headers.csv", "--dry-run"], "Name your headers with --column"),
    (["submit", "two.csv", "--dry-run"], "Rename one of them"),
    (["submit", "warehouse.csv", "--dry-run"], "translate your codes with --warehouse-map"),
    (["submit", "no-warehouse.csv", "--dry-run"], "(or pass --warehouse)"),
    (["submit", "low.csv", "--dry-run", "--warehouse", "X"], "a warehouse other than --warehouse X"),
    (["submit", "low.csv", "--dry-run", "--warehouse-map", "A=B"], "that --warehouse-map lacks"),
    (["submit", "low.csv", "--dry-run", "--column", "thing=stuff"], "--column "),
    (["submit", "low.csv", "--dry-run", "--sheet", "A"], "leave --sheet out"),
    (["submit", "low.csv", "--dry-run", "--by", "product_upc"], "pass --by product_sku"),
    (["submit", "low.csv", "--dry-run", "--allow", "max"], "--allow max: unknown guard"),
    (["submit", "low.csv", "--dry-run", "--unknown", "0003=new"], "--unknown settles '0003'"),
    (["submit", "low.csv", "--dry-run"], "--basis net_of_open if the file is less"),
    (["submit", "low.csv", "--dry-run", "--missing", "zero"], "--missing zero sets the others to 0"),
    (["submit", "unknown.csv", "--dry-run", "--missing", "zero"], '--unknown "ZZ99=new"'),
    (["submit", "old.csv", "--dry-run"], "pass the stock of then as --at-count"),
    (["submit", "twice.csv", "--dry-run"], "--duplicates sum adds bins up"),
    (["submit", "cyrillic.csv", "--dry-run"], "name the right one with --encoding cp1251"),
    (["submissions", "wait", "x"], "There is no journal"),
    (["hand-over", "--out", "h.csv", "--resend", "x"], "`cenports-nb submissions list` shows those that are"),
    (["hand-over", "--out", "h.csv", "--column", "Order=nothing"], "--column asks for 'nothing'"),
    (["hand-over", "--out", "h.csv", "--column", "Order=order_no"], "--column lacks product_sku, quantity"),
]


@pytest.mark.parametrize(("command", "words"), WITHOUT_ACCOUNT)
def test_wrong_use_is_answered_in_words_of_the_terminal(run: RunCommand, command: list[str], words: str) -> None:
    """The message names what a person types next."""
    ran = run(*command)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert PYTHON.findall(ran.stderr) == []


@pytest.mark.usefixtures("staging")
@pytest.mark.parametrize(("command", "words"), WITH_ACCOUNT)
def test_wrong_use_of_an_account_is_answered_so_too(run: RunCommand, command: list[str], words: str) -> None:
    """What loaders, readers of counts and guards say names options in a terminal."""
    ran = run(*command)
    said = ran.stdout + ran.stderr
    assert ran.returncode in (1, 2)
    assert words in said
    assert PYTHON.findall(said.replace(command[-1], "")) == []


@pytest.mark.usefixtures("staging")
def test_advice_about_a_submission_is_a_command(run: RunCommand, tmp_path: Path) -> None:
    """A second run of a file says how to go on with the first one, word for word."""
    Path("counts.csv").write_text("warehouse_code,product_sku,quantity\nNW-EAST,0003,12\n")
    first = run("submit", "counts.csv", "--yes", "--no-wait")
    (submission,) = set(re.findall(r"\d{8}-\d{6}-\w{8}", first.stdout))
    ran = run("submit", "counts.csv", "--yes")
    assert f"wait for it with `cenports-nb submissions wait {submission}`" in ran.stdout
    assert f"`cenports-nb submissions resume {submission}` sends what was not sent" in ran.stdout
    assert PYTHON.findall(ran.stdout + ran.stderr) == []
    late = run("submissions", "wait", submission, "--timeout", "0")
    assert "still has 1 row pending" in late.stderr
    assert f"`cenports-nb submissions wait {submission}`" in late.stderr
    assert "0 of 1 row settled" in late.stdout
    noteless = run("submissions", "resolve", submission, "--sku", "0003", "--outcome", "applied", "--note", "")
    assert "--note is empty" in noteless.stderr


@pytest.mark.usefixtures("staging")
def test_one_row_is_one_row(run: RunCommand) -> None:
    """A number and its noun agree."""
    Path("one.csv").write_text("warehouse_code,product_sku,quantity\nNW-EAST,0004,2\n")
    ran = run("submit", "one.csv", "--dry-run", "--allow", "below_reserved", "--allow", "max_drop")
    assert "1 of 1 row of one.csv changes the stock of staging" in ran.stdout
    assert "3 rows in c.csv" in run("channels", "--out", "c.csv").stdout


def list_commands() -> list[list[str]]:
    """The words of every command and group."""
    found: list[list[str]] = [[]]
    for words in found:
        command = get_command(app)
        for word in words:
            command = command.commands[word]  # type: ignore[attr-defined]
        found += [[*words, name] for name in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("command", list_commands(), ids=" ".join)
def test_help_names_values_as_people_do(run: RunCommand, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """No Python type stands beside an option."""
    monkeypatch.setenv("COLUMNS", "200")
    ran = run(*command, "--help")
    assert ran.returncode == 0
    options = ran.stdout[ran.stdout.index(" Options ") :]
    assert re.findall(r"<(?:bool|str|int|int range|path|list\[str\])>", options) == []


def test_options_of_messages_are_options_of_commands() -> None:
    """What a message names can be typed."""
    commands = [get_command(app)]
    known: set[str] = set()
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        known |= {option for parameter in command.params for option in parameter.opts}
    assert set(ARGUMENT_OPTIONS.values()) <= known
