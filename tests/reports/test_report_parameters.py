"""Test parameters of reports: types follow their defaults, and secrets are refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.command_line import RunCommand
from support.report_runs import own_notebook

from cenports_nb.errors import InvalidRequestError
from cenports_nb.reports import Report, check_parameters, find_report, list_reports


def report_with(**defaults: Any) -> Report:
    return Report("mine", "Mine", Path("mine.ipynb"), defaults)


def test_texts_take_the_type_of_the_default() -> None:
    """For a text default `0012` stays text; numbers, booleans and lists are parsed."""
    report = find_report("stock-reconciliation")
    given_ = {"channel_id": "0012", "submit": "yes", "rows_shown": "7", "allow": "unknown_sku, other"}
    assert check_parameters(report, given_) == {
        "channel_id": "0012", "submit": True, "rows_shown": 7, "allow": ["unknown_sku", "other"],
    }  # fmt: skip


def test_values_of_python_are_taken_as_they_are() -> None:
    """Paths and days become text, which a notebook can show."""
    report = report_with(counts=None, day="", share=0.5, names=[], rows=1)
    given_ = {"counts": Path("a.csv"), "day": date(2026, 1, 31), "share": 1, "names": ("a",), "rows": 3}
    assert check_parameters(report, given_) == {
        "counts": "a.csv", "day": "2026-01-31", "share": 1.0, "names": ["a"], "rows": 3,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("default", "value", "must"),
    [
        (True, "maybe", "true or false"),
        (True, 1, "true or false"),
        (15, "many", "a whole number"),
        (15, 1.5, "a whole number"),
        (15, True, "a whole number"),
        (0.5, "nan", "a number"),
        (0.5, "half", "a number"),
        ([], 7, "texts"),
        ([], [1], "texts"),
        ("", 202610, "text"),
        (None, 12, "text"),
    ],
)
def test_a_wrong_type_is_named(default: Any, value: Any, must: str) -> None:
    """The error names the parameter, the value and the expected type."""
    with pytest.raises(InvalidRequestError, match=rf"Parameter 'thing' is .*: it must be {must}"):
        check_parameters(report_with(thing=default), {"thing": value})


def test_an_unknown_parameter_is_refused_with_a_suggestion() -> None:
    """The error suggests the closest name and lists all."""
    with pytest.raises(InvalidRequestError, match=r"""no parameter 'rows_show'; did you mean "rows_shown"\? It has"""):
        check_parameters(find_report("morning"), {"rows_show": 3})


def test_the_folder_is_no_parameter() -> None:
    """It has its own option, so that page and files are together."""
    with pytest.raises(InvalidRequestError, match="pass out= to the run"):
        check_parameters(find_report("morning"), {"out": "elsewhere"})


@pytest.mark.parametrize(
    "name",
    [
        "client_secret", "clientSecret", "CENPORTS_TOKEN", "accessToken", "password", "db_passwd", "pwd", "passphrase",
        "api_key", "apikey", "API-Key", "key", "privateKey", "partner_key", "credential", "credentials", "bearer", "auth",
        "basic_auth", "cookie", "jwt", "smtp_pass",
    ],
)  # fmt: skip
def test_names_of_secrets_are_refused(name: str) -> None:
    """A notebook saves every parameter as plain text; the error doesn't have the value."""
    with pytest.raises(InvalidRequestError, match="looks like a secret") as refused:
        check_parameters(report_with(**{name: ""}), {name: "hunter2hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "product_sku", "key_figures", "sort_key", "primary_key", "keyword", "monkey", "author", "authors", "pass_rate",
        "secretary", "tokenizer", "compass", "credit_limit", "client_id", "passes", "currency",
    ],
)  # fmt: skip
def test_harmless_names_are_accepted(name: str) -> None:
    """Names that only contain the letters of a secret's name are fine."""
    assert check_parameters(report_with(**{name: ""}), {name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "value",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Bearer abcdefgh12345",
        "-----BEGIN RSA PRIVATE KEY-----",
        "https://me:hunter2@example.com",
        "s3cr3t-of-staging",
        ["a", "s3cr3t-of-staging"],
    ],
)
def test_values_of_secrets_are_refused(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are recognized by format or from the environment, and not quoted."""
    monkeypatch.setenv("CENPORTS_CLIENT_SECRET", "s3cr3t-of-staging")
    with pytest.raises(InvalidRequestError, match="looks like a secret") as refused:
        check_parameters(report_with(note=[] if isinstance(value, list) else ""), {"note": value})
    assert str(value) not in str(refused.value)


@given(value=st.integers())
def test_a_number_is_read_as_it_was_written(value: int) -> None:
    """Text and number give the same value."""
    assert check_parameters(report_with(rows=1), {"rows": str(value)}) == {"rows": value}


@given(value=st.text(min_size=1, max_size=30).filter(lambda text: not text.isspace()))
def test_a_text_stays_what_it_is(value: str) -> None:
    """`0012`, `1e5`, `None` and quotes stay text."""
    assert check_parameters(report_with(channel=None), {"channel": value}) == {"channel": value}


def test_every_report_says_what_its_parameters_are() -> None:
    """Each parameter has a description, and nothing is submitted by default."""
    for report in list_reports().values():
        assert set(report.comments) == set(report.parameters), report.name
        assert report.parameters["submit"] is False


def test_parameters_of_an_own_notebook_are_read(tmp_path: Path) -> None:
    """Types may be annotated; computed defaults are text."""
    cell = "from datetime import date\nrows: int = 5  # how many\nday = date.today()\nname = 'a'"
    report = find_report(own_notebook(tmp_path / "mine.ipynb", "1", parameters=cell))
    assert report.parameters == {"rows": 5, "day": None, "name": "a"}
    assert report.comments == {"rows": "how many"}
    assert report.title == "My report"


@pytest.mark.parametrize(
    ("content", "reported"),
    [(None, "There is no notebook"), ("{", "can't be read as a notebook"), ("[]", "can't be read as a notebook")],
)
def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path, content: str | None, reported: str) -> None:
    """A one-line error replaces the traceback."""
    path = tmp_path / "mine.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InvalidRequestError, match=reported):
        find_report(path)


def test_an_unknown_report_is_refused_with_a_suggestion() -> None:
    """The error lists all reports."""
    with pytest.raises(
        InvalidRequestError, match=r"""did you mean "morning".*month-end, morning, stock-reconciliation"""
    ):
        find_report("mornin")


def test_an_environment_given_twice_is_refused(run_here: RunCommand) -> None:
    """The environment decides which account is used."""
    ran = run_here("morning", "--env", "sandbox", "-p", "environment=staging")
    assert ran.returncode == 2
    assert "are both given: give one of them" in ran.stderr
