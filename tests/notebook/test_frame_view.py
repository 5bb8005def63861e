"""Test frames in a notebook: pandas' table, one line of provenance, and no personal data in the saved file."""

from __future__ import annotations

import html
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from nbclient import NotebookClient
from support.frame_views import loaded, shown

import cenports_nb as cn
from cenports_nb.frames.privacy import display
from cenports_nb.notebook import report_page
from cenports_nb.notebook.frame_view import frame_view
from cenports_nb.notebook.frame_view.frame_view import render_frame

NAUGHTY = "<img src=x onerror=alert(1)>"


def formatter() -> DisplayFormatter:
    """Return IPython's formatter with the package loaded into it."""
    found = DisplayFormatter()
    cn.load_ipython_extension(SimpleNamespace(display_formatter=found))
    return found


LOAD = """
import cenports_nb as cn
client = cn.connect("sandbox")
orders = cn.load_orders(client, last="60D")
orders
"""
VIEWS = (
    "orders[orders['ship_to_country'] == 'Germany']", "orders.head(2).T", "orders.iloc[0]", "orders['customer_name']",
    "orders.set_index('ship_to_name').sort_index()", "display(orders.tail(2))", "orders.copy()",
)  # fmt: skip
NAMES = "', '".join(["customer_name", "contact_name", "ship_to_address1", "ship_to_name", "bill_to_name"])
LIST = f"cn.show_pii(orders[['{NAMES}']]).to_csv('names.csv')"


MINE = "import pandas as pd\npd.DataFrame({'customer_name': ['Plain Jane'], 'n': [1.5]})"
REQUEST = "plain = cn.show_pii(orders)\nplain[plain['order_no'] == plain['order_no'].iloc[-1]].copy()"
CELLS = [MINE, LOAD, MINE, *VIEWS, LIST, "orders.tail(1)", REQUEST]


@pytest.mark.kernel
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_saved_notebook_holds_the_line_and_nobodys_name(tmp_path: Path) -> None:
    """HTML and text of a frame, its parts, a row and a column have the line and no names.

    Filters and copies of a `show_pii` frame show them, and a frame without provenance looks as without the package.
    """
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    *cells, requested = notebook.cells
    people = set(pd.read_csv(tmp_path / "names.csv", index_col=0).stack())
    text = str([cell.outputs for cell in cells])
    assert [name for name in people if name in text] == []
    (data,) = [output.data for output in cells[1].outputs]
    for kind in ("text/html", "text/plain"):
        assert " rows · as of 20" in data[kind]
        assert "UTC · complete · 0 rejected · GET /orders · sandbox" in data[kind]
        assert "31 more columns: orders.columns, or" in html.unescape(data[kind])
        assert "1 column masked, cn.show_pii(orders) shows it" in data[kind]
    assert data["text/html"].count("<table") == 1
    assert len(people) > 50
    plain = requested.outputs[0].data["text/html"]
    assert "Rattlesnake Canyon Grocery" in plain
    assert "masked" not in plain
    before, after = (cells[at].outputs[0].data for at in (0, 2))
    assert {**before} == {**after}
    assert "Plain Jane" in after["text/html"]


@pytest.mark.slow
def test_outside_of_ipython_the_import_touches_nothing() -> None:
    """A script loads neither IPython nor the view."""
    code = "import cenports_nb as cn, sys; cn.load_orders; print([n for n in sys.modules if 'IPython' in n or 'frame_view' in n])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_the_line_says_rows_time_completeness_rejects_source_and_account() -> None:
    """Word for word."""
    line = "830 rows · as of 2026-11-25 10:12:03 UTC · complete · 0 rejected · GET /orders · sandbox"
    bundle = shown(loaded())
    assert line in bundle["text/plain"]
    assert line in bundle["text/html"]


def test_what_must_not_be_missed_stands_out_without_colour() -> None:
    """Warnings have a sign and bold text; in plain text they have the sign."""
    bundle = shown(loaded(complete=False, rejected=2))
    assert "⚠ INCOMPLETE</b> · <b" in bundle["text/html"]
    assert "⚠ 2 rejected</b>" in bundle["text/html"]
    assert "⚠ INCOMPLETE · ⚠ 2 rejected" in bundle["text/plain"]


@pytest.mark.parametrize(("rows", "words"), [(12, "12 of 830 rows · "), (900, "900 rows made of 830 · ")])
def test_a_changed_number_of_rows_stands_beside_the_loaded_one(rows: int, words: str) -> None:
    """A filtered frame must not look like all rows."""
    assert words in shown(loaded(rows))["text/html"]


def test_rejects_are_masked_too() -> None:
    """Rejects have whole orders."""
    rejects = cn.rejected(loaded(rejected=2))
    bundle = shown(rejects)
    assert "Jane Doe" not in str(bundle)
    assert ">2 rejected records<" in bundle["text/html"]
    assert ">2 columns masked, cn.show_pii(frame) shows them<" in bundle["text/html"]


def test_everything_from_outside_is_escaped() -> None:
    """Cells, columns and provenance can't add a tag to the page."""
    frame = (
        loaded(3, source=NAUGHTY, environment=NAUGHTY).assign(product_name=NAUGHTY).rename(columns={"status": NAUGHTY})
    )
    assert "<img" not in shown(cn.show_pii(frame))["text/html"]


@pytest.mark.parametrize(("most", "rows"), [(10, 4), (4, 4), (None, 200), (300, 200)])
def test_pandas_display_options_are_respected(most: int | None, rows: int) -> None:
    """`max_rows` and `min_rows` cut the same rows as pandas does."""
    frame = loaded(200)
    with pd.option_context("display.max_rows", most, "display.min_rows", 4, "display.show_dimensions", False):
        page, plain = shown(frame)["text/html"], frame._repr_html_()
    assert page.count("<tr") == plain.count("<tr") == rows + 1 + (rows < 200)
    assert "<th>199</th>" in page


def test_text_only_is_text_only() -> None:
    """With HTML switched off in pandas there is no HTML."""
    with pd.option_context("display.notebook_repr_html", False):
        assert set(shown(loaded())) == {"text/plain"}


class Unreadable:
    """A value whose conversion to text fails."""

    def __str__(self) -> str:
        raise RuntimeError("this value was read")


def unreadable(frame: pd.DataFrame, rows: slice) -> pd.DataFrame:
    names = list(frame["customer_name"])
    names[rows] = [Unreadable()] * len(names[rows])
    return frame.assign(customer_name=pd.Series(names, dtype=object))


@pytest.mark.parametrize("part", [lambda frame: frame, lambda frame: frame["customer_name"]])
def test_only_displayed_rows_are_masked(part: Any) -> None:
    """Showing ten of 20,000 rows doesn't read the rows between."""
    text = shown(part(unreadable(loaded(20_000), slice(100, -100))))["text/plain"]
    assert "19999" in text
    assert "can't be shown" not in text


def test_a_long_column_says_its_own_length() -> None:
    """Not the length of the part that was masked."""
    assert "Length: 20000" in shown(loaded(20_000)["customer_name"])["text/plain"]


def test_a_view_that_fails_shows_no_personal_data() -> None:
    """IPython would otherwise show pandas' unmasked view."""
    broken = unreadable(loaded(3), slice(0, 1))
    bundle, _ = formatter().format(broken)
    said = frame_view.FALLBACK_TEXT.format("RuntimeError")
    assert bundle == {"text/plain": said, "text/html": html.escape(said)}


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [
        ("display.html.table_schema", True, "application/vnd.dataresource+json"),
        ("styler.render.repr", "latex", "text/latex"),
        ("display.large_repr", "info", "text/plain"),
        ("display.notebook_repr_html", False, "text/plain"),
        ("display.max_rows", 0, "text/html"),
    ],
)
def test_no_display_option_of_pandas_shows_people(option: str, value: Any, kind: str) -> None:
    """JSON tables, LaTeX and info views are masked too."""
    shell = formatter()
    with pd.option_context(option, value):
        for frame in (loaded(), loaded(3)):
            bundle, _ = shell.format(frame)
            assert kind in bundle
            assert "Maria" not in str(bundle)


def test_a_terminal_sees_the_masked_text() -> None:
    """IPython in a terminal shows text only."""
    shell = formatter()
    shell.active_types = ["text/plain"]
    bundle, _ = shell.format(loaded(3)[["order_no", "customer_name"]])
    assert "Maria" not in bundle["text/plain"]
    assert "Customer " in bundle["text/plain"]


def test_tables_of_a_report_page_are_masked() -> None:
    """Only frames of show_pii are not."""
    frame = cn.schemas.Orders.example()
    columns = {"order_no": "order", "customer_name": "customer", "ship_to_city": "city"}
    page = report_page.table(frame, columns).data
    assert "Maria Anders" not in page
    assert ">Customer " in page
    assert "Tracy" in page
    assert "Maria Anders" in report_page.table(cn.show_pii(frame), columns).data


def lose_origin(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What pandas makes without `attrs`, and still has people in it."""
    return {
        "concat": pd.concat([frame, frame], ignore_index=True),
        "merge": frame.merge(cn.schemas.LineItems.example()[["order_no", "product_sku"]], on="order_no", how="left"),
        "merged with itself": frame.merge(frame, on="order_no"),
        "order number as index": pd.DataFrame(frame.set_index("order_no").to_dict("index")).T.rename_axis("order_no"),
        "from a file": pd.DataFrame(frame.to_dict("list")),
    }


@pytest.mark.parametrize("step", [*lose_origin(loaded(2))])
def test_the_mask_survives_what_pandas_makes_of_a_frame(step: str) -> None:
    """Whatever it went through: people are masked where a key column says that it is ours."""
    frame = lose_origin(loaded(3))[step]
    names = set(loaded(3)["customer_name"]) | set(loaded(3)["ship_to_address1"])
    data, _ = formatter().format(frame)
    assert not any(name in text for name in names for text in data.values())
    assert "masked, cn.show_pii(frame) shows" in data["text/html"]
    assert any(name in formatter().format(cn.show_pii(frame))[0]["text/html"] for name in names)


def test_a_strangers_frame_is_left_alone() -> None:
    """A contact of somebody else's table is nobody of ours."""
    frame = pd.DataFrame({"contact_name": ["Hanna Moos"], "score": [1]})
    assert render_frame(frame) is None
    assert "Hanna Moos" in formatter().format(frame)[0]["text/html"]


@pytest.mark.parametrize(
    "wrap", [lambda frame: [frame], lambda frame: {"orders": (frame, 1)}, lambda frame: [frame["contact_name"]]]
)
def test_elements_of_lists_and_dicts_are_masked(wrap: Any) -> None:
    """A list of frames is shown as text."""
    frame = loaded(3)[["order_no", "contact_name"]]
    text = formatter().format(wrap(frame))[0]["text/plain"]
    assert not any(name in text for name in frame["contact_name"])
    assert "Customer " in text


def test_a_styled_frame_is_one_sentence_until_it_is_masked() -> None:
    """Styles format values themselves, so that a mask can't reach them."""
    frame = loaded(3)
    assert "cn.mask_pii(frame).style" in formatter().format(frame.style)[0]["text/html"]
    for shown_frame in (cn.show_pii(frame), frame[["order_no", "grand_total"]]):
        assert "<table" in formatter().format(shown_frame.style)[0]["text/html"]


def test_latex_is_masked_too() -> None:
    """For papers and slides."""
    frame = loaded(3)
    with pd.option_context("styler.render.repr", "latex"):
        data = formatter().format(frame)[0]
    assert not any(name in text for name in frame["contact_name"] for text in data.values())


def test_a_session_may_show_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the kernel ends."""
    monkeypatch.setattr(display._display, "is_unmasked", False)
    frame = loaded(3)[["order_no", "contact_name"]]
    assert frame["contact_name"].iloc[0] not in shown(frame)["text/html"]
    assert cn.show_pii() is None
    assert frame["contact_name"].iloc[0] in shown(frame)["text/html"]
    assert frame["contact_name"].iloc[0] in formatter().format([frame])[0]["text/plain"]


def test_views_show_short_pseudonyms() -> None:
    """They fit into a column; the data has the whole ones."""
    frame = loaded(3)
    whole = cn.mask_pii(frame)["contact_name"].iloc[0]
    assert whole.startswith("name-")
    for text in (shown(frame)["text/html"], shown(cn.mask_pii(frame))["text/html"]):
        assert f"Customer {whole[5:9]}" in text
        assert whole not in text
