"""Test the output, files and exit codes of commands."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from support.command_line import Ran, RunCommand, run_command
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.account import BASE_URLS
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID, Dialect, Sandbox

UNTOUCHED = "cenports-nb: "


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> RunCommand:
    """Run commands in this process, configured only by the given arguments."""
    monkeypatch.setenv("CENPORTS_HOME", str(tmp_path))
    monkeypatch.setenv("CENPORTS_RATE_LIMIT", "100000")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, url: str = "") -> Ran:
        if url:
            monkeypatch.setenv("CENPORTS_ENVIRONMENT", "sandbox")
            monkeypatch.setenv("CENPORTS_BASE_URL", url)
        return run_command(capsys, *arguments)

    return run


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Sandbox(shift=False, rate_limit=None) as sandbox:
        yield sandbox.url


def test_version_is_printed(run: RunCommand) -> None:
    """--version prints the version with exit code 0."""
    ran = run("--version")
    assert (ran.returncode, ran.stdout) == (0, f"cenports-nb {cn.__version__}\n")


def test_reports_are_listed_with_parameters(run: RunCommand) -> None:
    """The list shows each report with its parameters."""
    ran = run("reports")
    assert ran.returncode == 0
    assert "stock-reconciliation: Stock reconciliation\n" in ran.stdout
    assert "-p submit=False" in ran.stdout


@pytest.mark.parametrize("ending", ["csv", "xlsx", "parquet"])
def test_orders_are_written_in_each_format(run: RunCommand, tmp_path: Path, url: str, ending: str) -> None:
    """Each file has all 830 orders, and postal codes keep their leading zeros."""
    out = tmp_path / f"orders.{ending}"
    ran = run("orders", "--start", "1996-07-04", "--end", "1998-05-06", "--out", str(out), url=url)
    assert (ran.returncode, ran.stderr) == (0, "")
    frame = {
        "csv": lambda: pd.read_csv(out, dtype=str),
        "xlsx": lambda: pd.read_excel(out, dtype=str),
        "parquet": lambda: pd.read_parquet(out),
    }[ending]()
    assert len(frame) == 830
    assert frame["ship_to_postal_code"].str.startswith("0").sum() == 151


@pytest.mark.parametrize(
    ("command", "rows"),
    [
        (["line-items", "--start", "1996-07-04", "--end", "1998-05-06"], 2155),
        (["stock"], 77),
        (["stock", "--available"], 231),
        (["stock", "--available", "--channel", "NW-EU"], 77),
        (["channels"], 3),
    ],
)
def test_each_frame_is_written(run: RunCommand, tmp_path: Path, url: str, command: list[str], rows: int) -> None:
    """Every load command writes all rows."""
    out = tmp_path / "out.csv"
    ran = run(*command, "--out", str(out), url=url)
    assert ran.returncode == 0, ran.stderr
    assert len(pd.read_csv(out, dtype=str)) == rows


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["orders", "--env", "nowhere", "--last", "9D", "--out", "o.csv"], 2, "no environment 'nowhere'"),
        (["orders", "--last", "9D", "--out", "o.csv"], 2, "Say which account is meant"),
        (["orders", "--env", "staging", "--last", "9D", "--out", "o.csv"], 2, "No credentials for 'staging'"),
        (
            ["orders", "--env", "sandbox", "--start", "2026-02-30", "--end", "2026-03-01", "--out", "o.csv"],
            2,
            "isn't a day",
        ),
        (["orders", "--env", "sandbox", "--start", "2026-02-01", "--out", "o.csv"], 2, "without --end"),
        (["orders", "--env", "sandbox", "--last", "9D", "--out", "o.doc"], 2, "no known ending"),
        (["orders", "--env", "sandbox", "--last", "9D", "--out", "no/o.csv"], 2, "no folder"),
        (["stock", "--env", "sandbox", "--available", "--channel", "X", "--out", "s.csv"], 1, "channel id does not"),
        (
            ["export", "--env", "sandbox", "--last", "9D", "--out", "o.csv"],
            2,
            "four sheets need a file that ends in .xlsx",
        ),
        (
            ["orders", "--env", "sandbox", "--last", "9D", "--out", "o.csv", "--time-zone", "Mars"],
            2,
            "no time zone 'Mars'",
        ),
        (["bogus"], 2, "No such command"),
        (["orders"], 2, "Missing option"),
        (["report", "stock-reconcilation", "--env", "sandbox"], 2, 'did you mean "stock-reconciliation"'),
        (["report", "stock-reconciliation", "--env", "sandbox", "-p", "submti=true"], 2, 'did you mean "submit"'),
        (["report", "stock-reconciliation", "--env", "sandbox", "-p", "client_secret=x"], 2, "looks like a secret"),
        (["report", "stock-reconciliation", "--env", "sandbox", "-p", "submit=maybe"], 2, "true or false"),
        (["report", "stock-reconciliation", "--env", "sandbox", "-p", "submit"], 2, "is not name=value"),
        (["report", "stock-reconciliation"], 2, "Say which account is meant"),
        (["sandbox", "--data", "nowhere"], 2, "can't start"),
    ],
)
def test_an_error_is_one_line(run: RunCommand, command: list[str], code: int, words: str) -> None:
    """Any invalid input gives one line on stderr, the right exit code and no traceback."""
    ran = run(*command)
    assert ran.returncode == code
    assert words in ran.stderr
    assert ran.stderr.startswith(UNTOUCHED)
    assert ran.stderr.count("\n") == 1


DAYS = ["--start", "1998-04-01", "--end", "1998-04-30"]


def test_without_days_it_is_the_last_thirty(run: RunCommand, tmp_path: Path, url: str) -> None:
    """As `--last 30D`; one day alone still asks for the other."""
    for name, days in (("default", []), ("asked", ["--last", "30D"])):
        assert run("orders", *days, "--out", str(tmp_path / f"{name}.csv"), url=url).returncode == 0
    assert (tmp_path / "default.csv").read_bytes() == (tmp_path / "asked.csv").read_bytes()
    ran = run("orders", "--start", "2026-01-01", "--out", str(tmp_path / "x.csv"), url=url)
    assert (ran.returncode, "--end" in ran.stderr) == (2, True)


def test_a_month_is_written_into_one_workbook(run: RunCommand, tmp_path: Path, url: str) -> None:
    """One command writes orders, line items, shipments and stock as sheets."""
    ran = run("export", *DAYS, "--out", "month.xlsx", url=url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == "74 orders, 180 line items, 81 shipments, 77 stock rows in month.xlsx\n"
    sheets = pd.read_excel(tmp_path / "month.xlsx", sheet_name=None, dtype=str)
    assert list(sheets)[-1] == "About"
    assert {name: len(sheet) for name, sheet in list(sheets.items())[:-1]} == {
        "orders": 74, "line items": 180, "shipments": 81, "stock": 77,
    }  # fmt: skip
    assert sheets["stock"]["product_sku"][0] == "0001"


def test_a_file_can_be_masked_and_joined_all_the_same(run: RunCommand, tmp_path: Path, url: str) -> None:
    """With --mask the file has no names; without it the data is complete."""
    for name, more in (("plain", []), ("masked", ["--mask"])):
        ran = run("orders", *DAYS, *more, "--out", f"{name}.csv", url=url)
        assert (ran.returncode, ran.stderr) == (0, "")
    plain, masked = (pd.read_csv(tmp_path / f"{name}.csv", dtype=str) for name in ("plain", "masked"))
    text = (tmp_path / "masked.csv").read_text(encoding="utf-8-sig")
    people = {*plain["customer_name"], *plain["contact_name"], *plain["ship_to_address1"].dropna()}
    assert [name for name in people if name in text] == []
    assert masked["customer_name"].str.fullmatch("name-[0-9a-f]{12}").all()
    assert masked["customer_name"].nunique() == plain["customer_name"].nunique()
    assert (masked["ship_to_city"].fillna("") == plain["ship_to_city"].fillna("")).all()


def test_instants_are_written_in_the_zone_asked_for(run: RunCommand, tmp_path: Path, url: str) -> None:
    """--time-zone changes the clock time, not the instant; an order of exactly midnight UTC stays a plain day."""
    run("orders", *DAYS, "--out", "utc.csv", url=url)
    run("orders", *DAYS, "--time-zone", "Europe/Berlin", "--out", "berlin.csv", url=url)
    utc, berlin = (pd.read_csv(tmp_path / f"{name}.csv")["order_date"] for name in ("utc", "berlin"))
    assert berlin.str[-6:].value_counts().to_dict() == {"+02:00": 73, "+00:00": 1}
    assert (pd.to_datetime(berlin, utc=True) == pd.to_datetime(utc, utc=True)).all()


@pytest.fixture
def with_a_bad_order(server: ScriptedServer) -> str:
    """Serve orders, one of which has a name for a date."""
    order = {"orderNo": "BAD-1", "channelId": "X", "customerName": "Jane Doe", "orderDate": "Jane Doe"}
    server.on("GET /orders", Reply({"data": [order], "total": 1}))
    server.on("GET /channels", Reply({"data": [{"channelId": "X", "channelName": "Shop"}]}))
    server.on("GET /shipments", Reply({"data": []}))
    server.on("GET /inventories", Reply({"data": []}))
    return server.url


@pytest.mark.parametrize("more", [[], ["--mask"]])
def test_rejected_records_name_nobody_on_the_screen(
    run: RunCommand, tmp_path: Path, with_a_bad_order: str, more: list[str]
) -> None:
    """One message covers orders and lines; the rejects go to a file, which --mask masks too."""
    command = ["export", "--start", "1998-05-06", "--end", "1998-05-06", "--out", "day.xlsx", *more]
    ran = run(*command, url=with_a_bad_order)
    assert ran.returncode == 1
    assert ran.stderr == "cenports-nb: 1 record can't be read; see day-rejected.csv.\n"
    assert "Jane Doe" not in ran.stdout + ran.stderr
    rejected = pd.read_csv(tmp_path / "day-rejected.csv", dtype=str)
    assert list(rejected["key"]) == ["BAD-1"]
    assert json.loads(rejected["record"][0])["orderNo"] == "BAD-1"
    assert ("Jane Doe" in str(rejected.to_dict())) == (not more)


@pytest.mark.slow
def test_debug_adds_the_traceback() -> None:
    """--debug may come after the command."""
    command = ["orders", "--env", "nowhere", "--last", "9D", "--out", "o.csv", "--debug"]
    ran = subprocess.run([sys.executable, "-m", "cenports_nb", *command], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr


@pytest.mark.slow
def test_a_process_ends_with_the_code_and_the_line() -> None:
    """`python -m cenports_nb` runs the same program."""
    ran = subprocess.run([sys.executable, "-m", "cenports_nb", "bogus"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1)
    assert ran.stderr.startswith(UNTOUCHED)


@pytest.mark.slow
def test_completion_is_installed_and_completes(tmp_path: Path) -> None:
    """The shell's own file loads it; it knows commands."""
    command = [sys.executable, "-m", "cenports_nb"]
    surroundings = {**os.environ, "HOME": str(tmp_path)}
    install = f"{shlex.join(command)} --install-completion; exit $?"  # the shell is found among the process's parents
    subprocess.run(["bash", "-c", install], env=surroundings, capture_output=True, check=True)
    assert ".bash_completions" in (tmp_path / ".bashrc").read_text()
    asked = {"COMP_WORDS": "cenports-nb subm", "COMP_CWORD": "1", "_CENPORTS_NB_COMPLETE": "complete_bash"}
    ran = subprocess.run(command, env={**surroundings, **asked}, capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["submit", "submissions"]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.slow
def test_sandbox_command_serves_until_it_is_stopped(name: str) -> None:
    """It prints its address, serves orders to other processes, and ends with code 0, even if started with `&`."""
    command = [sys.executable, "-m", "cenports_nb", "sandbox", "--orders", "50", "--seed", "3", "--rate-limit", "0"]
    ignoring = [
        sys.executable,
        "-c",
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])",
    ]
    with subprocess.Popen([*ignoring, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        with cn.connect("sandbox", base_url=address) as client:
            found = len(cn.load_orders(client, last="370D"))
        process.send_signal(getattr(signal, name))
        _, said = process.communicate()
    assert found == 50
    assert process.returncode == 0
    assert "stopped" in said


def test_doctor_says_what_it_found_and_writes_shapes(run: RunCommand, tmp_path: Path, url: str) -> None:
    """Findings have answers and evidence, the file has field names and types, and no profile changes."""
    ran = run("doctor", "--out", str(tmp_path / "shape.json"), url=url)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Is endDate included?\n      yes (" in ran.stdout
    assert "Nothing saved" in ran.stdout
    shapes = json.loads((tmp_path / "shape.json").read_text())
    assert shapes["GET /orders"]["data"][0]["orderDate"] == "text: instant"
    assert not (tmp_path / "profiles.toml").exists()


def test_doctor_saves_what_it_learnt_to_the_profile(run: RunCommand, tmp_path: Path) -> None:
    """The next connection uses the saved dialect."""
    with Sandbox(shift=False, rate_limit=None, dialect=Dialect(get_parameters="query", order_limit=500)) as sandbox:
        text = f'[acme]\nenvironment = "sandbox"\nbase_url = "{sandbox.url}"\n'
        (tmp_path / "profiles.toml").write_text(text)
        shape = str(tmp_path / "shape.json")
        ran = run("doctor", "--profile", "acme", "--out", shape)
        assert (ran.returncode, ran.stderr) == (0, "")
        saved = tomllib.loads((tmp_path / "profiles.toml").read_text())["acme"]["dialect"]
        assert (saved["get_parameters"], saved["order_limit"], saved["end_included"]) == ("query", 500, True)
        out = tmp_path / "orders.csv"
        ran = run("orders", "--profile", "acme", "--start", "1997-01-01", "--end", "1997-01-31", "--out", str(out))  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(pd.read_csv(out)) == 33


def test_cache_tells_and_clears(run: RunCommand, tmp_path: Path, url: str) -> None:
    """`cache` lists accounts, answers, sizes and ages; `cache clear` deletes them."""
    ran = run("cache", "info")
    assert (ran.returncode, ran.stdout) == (0, f"0 answers in {tmp_path}\n")
    given = {"partner_id": PARTNER_ID, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    with cn.connect("staging", base_url=url, cache=tmp_path, **given) as client:
        cn.load_channels(client)
    ran = run("cache", "info")
    assert f"SANDBOX at {BASE_URLS['staging']}: 1 answer, 0.0 MiB, from 20" in ran.stdout
    assert run("cache", "clear").returncode == 0
    assert run("cache", "info").stdout == f"0 answers in {tmp_path}\n"


def test_items_of_shipments_are_written(run: RunCommand, tmp_path: Path, url: str) -> None:
    """Each line has a row, and SKUs keep their leading zeros."""
    command = ["shipments", "--items", "--start", "1998-01-01", "--end", "1998-01-31", "--out", "items.csv"]
    ran = run(*command, url=url)
    assert (ran.returncode, ran.stderr) == (0, "")
    items = pd.read_csv(tmp_path / "items.csv", dtype=str)
    assert items.columns[-3:].tolist() == ["line_item", "product_sku", "quantity"]
    assert items["product_sku"].str.fullmatch(r"\d{4}").all()
