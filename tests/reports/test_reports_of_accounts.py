"""Test reports of several accounts: two shops with the same order numbers, and a third that can't be loaded."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from support.command_line import Ran, RunCommand
from support.report_runs import build_environment, cards, own_notebook, run
from support.scripted_server import Reply, ScriptedServer

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook import report_page
from cenports_nb.notebook.report_page.page import ALL_ACCOUNTS
from cenports_nb.sandbox import Sandbox

kernel = [pytest.mark.kernel, pytest.mark.xdist_group("reports of accounts")]


def write_profiles(home: Path, **addresses: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    tables = [f'[{name}]\nenvironment = "sandbox"\nbase_url = "{url}"\n' for name, url in addresses.items()]
    (home / "profiles.toml").write_text("\n".join(tables))


@dataclass(frozen=True)
class Reports:
    """Runs of two equal shops, `acme` and `globex`, and of `broken`."""

    out: Path
    morning: Ran
    month_ends: list[Ran]
    restated: str
    waiting: int

    def page(self, name: str) -> str:
        return (self.out / f"{name}.html").read_text("utf-8")

    def table(self, report: str, file: str, which: int = -1) -> pd.DataFrame:
        folder = sorted((self.out / report).glob("*Z*"))[which]
        return pd.read_csv(folder / f"{file}.csv", dtype="str", keep_default_na=False)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reports]:
    """Run the morning report with the broken account, and the month-end report before and after a change in one shop."""
    folder = tmp_path_factory.mktemp("accounts")
    with ExitStack() as stack:
        shops = {name: stack.enter_context(Sandbox(rate_limit=None)) for name in ("globex", "acme")}
        broken = ScriptedServer()
        broken.on("GET /orders", Reply({"message": "no"}, status=403))
        stack.callback(broken.close)
        urls = {name: shop.url for name, shop in shops.items()}
        write_profiles(folder / "home", **urls, broken=broken.url)
        environ, both = build_environment(folder), ["--profile", "globex", "--profile", "acme"]
        morning = run(folder, "morning", *both, "--profile", "broken", "--html", environ=environ)
        month = f"{datetime.now(UTC).replace(day=1) - timedelta(days=1):%Y-%m}"
        first = run(folder, "month-end", "-p", "profiles=acme,globex", environ=environ)
        state = shops["globex"].state
        with state.lock:
            order = next(each for each in state.orders if f"{each.at:%Y-%m}" == month)
            record = copy.deepcopy(order.record)
            state.orders.remove(order)
            record["lineItems"][0].update(quantity=91)
            state.orders.add(record, acknowledged=True)
        second = run(folder, "month-end", *both, environ=environ)
        waiting = sum(not order.acknowledged for order in shops["acme"].state.orders)
        yield Reports(folder / "out", morning, [first, second], order.number, waiting)


@pytest.mark.usefixtures("reports")
class TestReports:
    pytestmark = kernel

    def test_an_account_that_fails_is_named_and_the_others_are_kept(self, reports: Reports) -> None:
        """The exit code is 3."""
        assert reports.morning.returncode == 3, reports.morning.stderr
        assert "Account broken could not be loaded, and the report is without it" in reports.morning.stderr
        page = reports.page("morning")
        assert "Account broken is missing from this report, because it could not be loaded:" in page
        assert "2 accounts: acme, globex" in page

    def test_each_account_has_its_numbers_and_all_have_their_sum(self, reports: Reports) -> None:
        """Equal order numbers of two accounts are two orders."""
        accounts = reports.table("morning", "accounts").set_index("account")
        assert list(accounts.index) == ["acme", "globex", ALL_ACCOUNTS]
        assert accounts["orders not acknowledged"].astype(int).tolist() == [
            reports.waiting,
            reports.waiting,
            2 * reports.waiting,
        ]
        assert (accounts.loc["acme"] == accounts.loc["globex"]).all()
        assert cards(reports.page("morning"))["orders not acknowledged"] == str(2 * reports.waiting)

    @pytest.mark.parametrize("file", ["not-acknowledged", "late", "oversold", "sold-out"])
    def test_every_table_has_the_account_in_front(self, reports: Reports, file: str) -> None:
        """Each account has as many rows as the other."""
        table = reports.table("morning", file)
        assert table.columns[0] == "account"
        assert table["account"].value_counts().nunique() == 1
        assert set(table["account"]) == {"acme", "globex"}

    def test_the_oldest_orders_of_all_accounts_come_first(self, reports: Reports) -> None:
        """The rows are not grouped by account."""
        late = reports.table("morning", "late")
        assert late["account"].tolist()[:2] == ["acme", "globex"]
        assert late["order_date"].is_monotonic_increasing

    def test_a_month_of_two_accounts_is_restated_within_each(self, reports: Reports) -> None:
        """The order of the profiles doesn't matter, and the line that changed in one account is that of no other."""
        assert [ran.returncode for ran in reports.month_ends] == [0, 0], reports.month_ends
        assert "There is no earlier run" in (
            sorted((reports.out / "month-end").glob("*Z*"))[0] / "month-end.ipynb"
        ).read_text("utf-8")
        lines = reports.table("month-end", "restated-lines")
        assert lines[["account", "order_no", "kind"]].to_numpy().tolist() == [
            ["globex", reports.restated, "quantity changed"]
        ]
        steps = reports.table("month-end", "restated-steps")
        kinds = ["earlier", "now", "earlier", "quantity changed", "now", "earlier", "quantity changed", "now"]
        assert steps["kind"].tolist() == kinds
        assert steps["account"].drop_duplicates().tolist() == ["acme", "globex", ALL_ACCOUNTS]

    def test_a_month_has_the_sums_of_each_account_and_of_all(self, reports: Reports) -> None:
        """Channels of the same id are named and summed by account."""
        accounts = reports.table("month-end", "accounts", which=0).set_index("account")["units"].astype(int)
        assert accounts["acme"] == accounts["globex"] == accounts[ALL_ACCOUNTS] // 2
        channels = reports.table("month-end", "channels", which=0)
        assert channels.groupby("account")["units"].apply(lambda units: units.astype(int).sum()).to_dict() == {
            "acme": accounts["acme"],
            "globex": accounts["globex"],
        }


def test_a_profile_that_does_not_exist_stops_the_report_before_it_runs(run_here: RunCommand) -> None:
    """The exit code is 2."""
    ran = run_here("morning", "--profile", "acme", "--profile", "globex")
    assert ran.returncode == 2
    assert "There is no profile 'acme'" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["morning", "--env", "staging", "--profile", "a", "--profile", "b"],
            "give --env or several profiles, not both",
        ),
        (["morning", "-p", "profiles=a,b", "--profile", "c", "--profile", "d"], "are both given"),
    ],
)
def test_accounts_that_do_not_fit_are_refused(run_here: RunCommand, arguments: list[str], sentence: str) -> None:
    """A report that sends is for one account; an account is given once."""
    ran = run_here(*arguments)
    assert ran.returncode == 2
    assert sentence in ran.stderr


def test_a_report_without_the_parameter_takes_one_account(run_here: RunCommand, tmp_path: Path) -> None:
    """It is refused before it runs, as a correction of several accounts is."""
    path = own_notebook(tmp_path / "mine.ipynb", "1", parameters="environment = None\nprofile = None")
    ran = run_here(str(path), "--profile", "a", "--profile", "b")
    assert (ran.returncode, "Report 'mine' takes one account: give --profile once." in ran.stderr) == (2, True)
    with pytest.raises(InvalidRequestError, match="A correction is for one account: pass profile, not profiles"):
        report_page.ReportAccounts([], several=True).require_one("A correction")


def test_two_profiles_of_one_account_are_refused(home: Path) -> None:
    """It would count twice."""
    with Sandbox(rate_limit=None) as sandbox:
        write_profiles(home, a=sandbox.url, b=sandbox.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(InvalidRequestError, match="The profiles a and b are of one account"):
            report_page.connect_accounts(None, profiles=["a", "b"])
        with pytest.raises(InvalidRequestError, match="give one of them"):
            report_page.connect_accounts(None, profile="a", profiles=["b"])


def test_accounts_of_two_time_zones_are_refused(home: Path) -> None:
    """A day would mean two things."""
    write_profiles(home, a="http://127.0.0.1:1/v2", b="http://127.0.0.1:2/v2")
    with (home / "profiles.toml").open("a") as file:
        file.write('time_zone = "Europe/Berlin"\n')
    accounts = report_page.connect_accounts(None, profiles=["a", "b"])
    with pytest.raises(InvalidRequestError, match=r"different time zones \(UTC of a, Europe/Berlin of b\)"):
        report_page.begin_report("mine", accounts)
    accounts.close()


def test_one_account_has_no_account_column(client: cn.Client) -> None:
    """Its numbers are a single row."""
    page = report_page.begin_report("mine", client)
    assert page.account_key == []
    numbers = page.count({"rows": pd.DataFrame({"a": [1, 2]}), "sum": (pd.DataFrame({"a": [1, 2]}), "a")})
    assert numbers.to_dict("records") == [{"rows": 2, "sum": 3}]
