"""Test the parts of a report's page: tables, captions, values and rejects."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from support import chart_frames
from support.report_runs import HOSTILE, own_notebook

import cenports_nb as cn
from cenports_nb.errors import InvalidRequestError
from cenports_nb.notebook import report_page
from cenports_nb.notebook.report_page.attachments import ReportFiles
from cenports_nb.reports import run_report
from cenports_nb.sandbox import Sandbox


def cells(page: str) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", page)


def shown(values: list[object], dtype: str, **more: object) -> list[str]:
    """Show one column."""
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    return cells(report_page.table(frame, {"x": "X"}, **more).data)


def page_into(folder: Path | None, rows: int = 2) -> report_page.ReportPage:
    return report_page.ReportPage(
        ReportFiles(folder, "mine/run/"), "America/New_York", rows, pd.Timestamp("2026-03-02T03:00Z")
    )


def test_numbers_have_thousands_apart_and_one_number_of_decimals() -> None:
    """A column uses the same decimals for 2.5 and 3; nulls are blank."""
    assert shown([1234567, -2, None], "Int64") == ["1,234,567", "\N{MINUS SIGN}2", ""]
    assert shown([1234.5, 3.0, None], "float64") == ["1,234.50", "3.00", ""]
    assert shown([1234.0, 3.0], "float64") == ["1,234", "3"]
    assert shown([1234.0, 3.0], "float64", money=["x"]) == ["1,234.00", "3.00"]


def test_a_change_has_its_sign_and_nothing_has_none() -> None:
    """Increases have +, decreases −, and 0 no sign."""
    assert shown([3, -3, 0], "int64", signed=["x"]) == ["+3", "\N{MINUS SIGN}3", "0"]
    assert shown([0.001, -0.001], "float64", signed=["x"]) == ["0.00", "0.00"]


def test_instants_are_shown_in_the_zone() -> None:
    """They are in the given zone; a plain day stays that day."""
    instants = ["2026-01-01T03:30:00Z", "2026-01-01T00:00:00Z", None]
    reported = shown(instants, "datetime64[us, UTC]", time_zone="America/New_York")
    assert reported == ["2025-12-31 22:30", "2026-01-01", ""]


def test_yes_and_no_are_words() -> None:
    """A null is blank."""
    assert shown([True, False, None], "boolean") == ["yes", "no", ""]


def test_texts_are_no_markup() -> None:
    """Cells and heads are escaped."""
    page = report_page.table(pd.DataFrame({"x": [HOSTILE]}), {"x": HOSTILE}).data
    assert "<img" not in page


def test_nothing_is_drawn_as_a_formula(tmp_path: Path) -> None:
    """JupyterLab renders text between two `$` as math, which could include a link."""
    formula = r"$\href{javascript:alert(1)}{x}$"
    frame = pd.DataFrame({"x": [formula]})
    shown_ = [
        report_page.table(frame, {"x": formula}), report_page.note(formula), report_page.headline({formula: formula}),
        page_into(tmp_path).file("rows.csv", frame, formula),
    ]  # fmt: skip
    outer = [re.sub("<style>.*?</style>", "", each.data, flags=re.DOTALL).strip().partition(">")[0] for each in shown_]
    assert [tag for tag in outer if "mathjax_ignore" not in tag] == []


def test_a_table_says_how_many_more_there_are_and_where(tmp_path: Path) -> None:
    """The link is relative; the file has all rows and columns."""
    frame = pd.DataFrame({"a": ["0012", "=1+1", "x"], "b": 1})
    page = page_into(tmp_path).table(frame, {"a": "A"}, "all rows.csv").data
    assert '2 of 3 rows; all in <a href="mine/run/all%20rows.csv">all rows.csv</a>.' in page
    written = pd.read_csv(tmp_path / "all rows.csv", dtype="str")
    assert written["a"].tolist() == ["0012", "'=1+1", "x"]
    assert list(written) == ["a", "b"]


def test_without_a_folder_there_is_no_file_and_no_link() -> None:
    """A report run by hand writes nothing by default."""
    page = page_into(None).table(pd.DataFrame({"a": [1, 2, 3]}), {"a": "A"}, "rows.csv").data
    assert "2 of 3 rows." in page
    assert "<a" not in page


def test_people_are_masked_in_table_and_file(tmp_path: Path) -> None:
    """Personal data is shown only on request."""
    frame = pd.DataFrame({"customer_name": pd.Series(["Jane Doe"], dtype="str")})
    page = page_into(tmp_path).table(frame, {"customer_name": "who"}, "people.csv").data
    assert "Jane" not in page + (tmp_path / "people.csv").read_text("utf-8-sig")


def test_a_channel_without_a_name_shows_its_id() -> None:
    """GET /channels may lack former channels, whose rows still need a name."""
    channels = pd.DataFrame({"channel_id": ["EU"], "channel_name": ["Europe"]})
    named = page_into(None).add_channel_names(pd.DataFrame({"channel_id": ["EU", "OLD"]}), channels)
    assert named["channel_name"].tolist() == ["Europe", "OLD"]


def test_today_is_the_day_of_the_account() -> None:
    """10 pm in New York is the next day in UTC."""
    page = page_into(None)
    assert (str(page.today), str(page.day(-1))) == ("2026-03-01", "2026-02-28")


def test_an_invalid_number_of_rows_is_refused(client: cn.Client) -> None:
    """The error comes before loading."""
    with pytest.raises(InvalidRequestError, match="rows_shown=0 must be"):
        report_page.begin_report("mine", client, rows=0)


def test_a_report_that_only_reads_refuses_to_submit() -> None:
    """The parameter isn't silently ignored."""
    with pytest.raises(InvalidRequestError, match="only reads"):
        report_page.refuse_submit(True)


@pytest.mark.kernel
def test_unreadable_records_are_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order missing from both frames is one record, with its reason; exit code 1."""
    with Sandbox(rate_limit=None) as sandbox:
        with sandbox.state.lock:
            last = list(sandbox.state.orders)[-1]
            last.record["lineItems"] = "none"
            last.record["orderDate"] = "never"
        monkeypatch.setenv("CENPORTS_BASE_URL", sandbox.url)
        path = own_notebook(
            tmp_path / "mine.ipynb", "import cenports_nb as cn\nfrom cenports_nb.notebook import report_page",
            "client = cn.connect('sandbox')\norders = cn.load_orders(client, last='5D')",
            "line_items = cn.load_line_items(client, last='5D')",
            "report_page.show_origin({'orders': orders, 'line items': line_items})",
        )  # fmt: skip
        ran = run_report(path, out=tmp_path / "out", page=True)
    assert ran.result["rejected"] == 1
    assert ran.verdict == (1, "1 record can't be read: see the report.")
    page = ran.page.read_text()
    assert "1 record can" in page
    assert last.number in page


@pytest.mark.parametrize("number", range(1, 14))
def test_no_card_is_alone_in_the_last_row(number: int) -> None:
    """A single card is the only exception."""
    page = report_page.headline({f"number {each}": each for each in range(number)}).data
    columns = int(re.search(r"--columns:(\d+)", page)[1])
    assert number == 1 or number % columns != 1


def test_headline_numbers_are_values_too() -> None:
    """A notification shows them as the page does."""
    shown = report_page.headline({"orders": 1234, "late": 2, "short": 0}, bad=["late", "short"])
    values = shown._repr_mimebundle_()["application/vnd.cenports-nb.headline+json"]
    assert values == {"numbers": {"orders": "1,234", "late": "2", "short": "0"}, "bad": ["late"]}


def test_a_chart_of_a_page_has_a_narrow_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its title is whole, and so is each text beside a bar; without a page there is one form."""
    axes: list[Axes] = []

    def plot(ax: Axes | None = None) -> Axes:
        ax = ax or plt.subplots(figsize=(9, 2), layout="constrained")[1]
        axes.append(ax)
        ax.barh(["a long name of a bar"], [10])
        ax.set_xlim(0, 12)
        ax.set_ylim(1, -1)
        ax.set_title("Days until the stock runs out"[: int(ax.figure.get_figwidth()) * 4], loc="left")
        ax.annotate("a text of some length", (10, 0), xytext=(5, 0), textcoords="offset points").set_in_layout(False)
        return ax

    mime_type = "application/vnd.cenports-nb.narrow-png"
    assert mime_type not in report_page.chart(plot)._repr_mimebundle_()[0]
    monkeypatch.setenv("CENPORTS_NB_PAGE", "1")
    wide, narrow = report_page.chart(plot), axes[-1]
    assert mime_type in wide._repr_mimebundle_()[0]
    assert narrow.get_title(loc="left") == "Days until the stock runs out"
    narrow.figure.canvas.draw()
    assert narrow.texts[0].get_window_extent().x1 <= narrow.figure.bbox.x1 + 1


def test_a_long_remark_below_a_narrow_chart_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes on in a second line, where it would be wider than the picture."""
    axes: list[Axes] = []

    def plot(ax: Axes | None = None) -> Axes:
        sold_out = [(f"A long name {number:02}", 0, 90) for number in range(30)]
        lasting = [(f"Another long name {number:02}", 90, 9) for number in range(60)]
        axes.append(cn.plot_cover(chart_frames.cover(*sold_out, *lasting, ("Unsold", 9, 0)), ax=ax))
        return axes[-1]

    monkeypatch.setenv("CENPORTS_NB_PAGE", "1")
    report_page.chart(plot)
    remark = axes[-1].texts[-1]
    assert remark.get_text() == "25 more SKUs out of stock; 50 more SKUs that last longer; 1 SKU not sold."
    assert remark.get_window_extent().x1 <= axes[-1].figure.bbox.x1 + 1
