"""The pages hold: their links lead somewhere, their examples run, and the lists on them forget nothing."""

from __future__ import annotations

import inspect
import re
import warnings
from dataclasses import fields
from pathlib import Path

import pytest
from support.newcomer import run_as_newcomer

import cenports_nb as cn
from cenports_nb.api.http.cache_policy import CacheAges
from cenports_nb.cli.command_reference import write_reference
from cenports_nb.exit_codes import choose_error_code
from cenports_nb.sandbox.http.faults import FAULT_KINDS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
MAX_WORDS = {"README.md": 700, "ARCHITECTURE.md": 1_500}
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def list_anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the repository, and to a heading that it has."""
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in list_anchors(path)):
            broken.append(link)
    assert broken == []


def test_the_index_has_every_page() -> None:
    """What is not on it is not found."""
    text = (DOCS / "index.md").read_text()
    pages = [path for path in DOCS.rglob("*.md") if path.name != "index.md" and path.parent.name != "adr"]
    assert [name(page) for page in pages if f"({page.relative_to(DOCS)})" not in text] == []


@pytest.mark.parametrize(("page", "most"), MAX_WORDS.items())
def test_front_pages_stay_short(page: str, most: int) -> None:
    """What is longer belongs on a page of docs/."""
    assert len((ROOT / page).read_text().split()) < most


def test_the_changelog_of_the_first_version_is_short() -> None:
    """What a user gets, and no fixes of what was never released."""
    text = (ROOT / "CHANGELOG.md").read_text()
    section = text[text.index("## [0.1.0]") :].partition("\n## [")[2] or text[text.index("## [0.1.0]") :]
    assert len(section.splitlines()) < 60
    assert "### Fixed" not in text


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_is_one_page(page: Path) -> None:
    """Context, decision, consequences; numbered as its file is."""
    text = page.read_text()
    assert text.startswith(f"# {int(page.stem[:4])}. ")
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Context", "Decision", "Consequences"]
    assert re.search(r"^Status: \w+$", text, re.MULTILINE)
    assert len(text.split()) < 520


def list_scripts() -> list[Path]:
    """The README and the pages with Python blocks; the page on reports, whose blocks belong into a notebook, has a test of its own."""
    pages = [ROOT / "README.md", *(page for page in sorted(DOCS.rglob("*.md")) if page.name != "reports.md")]
    return [page for page in pages if "```python\n" in page.read_text()]


@pytest.mark.slow
def test_python_on_the_pages_runs_as_it_stands(tmp_path: Path) -> None:
    """Copying the blocks of a page from top to bottom gives no error and no warning.

    All pages run in one process, which imports the package once; each has names of its own.
    """
    calls = []
    for page in list_scripts():
        code = "\n".join(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL))
        calls.append(f"exec(compile({code!r}, {name(page)!r}, 'exec'), {{}})")
    assert len(calls) > 2
    assert "applied" in run_as_newcomer("\n".join(calls), tmp_path)


def test_the_command_reference_is_up_to_date() -> None:
    """docs/reference/command-line.md is what the program writes."""
    assert (DOCS / "reference" / "command-line.md").read_text(encoding="utf-8") == write_reference()


def read_table(page: str, column: int = 0) -> dict[str, list[str]]:
    """The rows of a page's tables, by the code in their first column."""
    lines = [line for line in (DOCS / page).read_text().splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {code: row for row in rows for code in re.findall(r"`([^`]+)`", row[column])}


def test_the_page_on_errors_forgets_none() -> None:
    """Each class has its row, with the exit code that a command ends with."""
    rows = read_table("reference/errors.md")
    assert set(cn.errors.__all__) - {"CenportsError"} == set(rows) - {"CenportsError"}
    for error, row in rows.items():
        cls = getattr(cn.errors, error)
        if not issubclass(cls, Warning) and error != "InvalidRequestError":
            made = cls.__new__(cls)
            assert row[-1].strip(" |") == str(choose_error_code(made)), error


def test_the_page_on_configuration_forgets_no_variable() -> None:
    """Each variable that the package reads has its row."""
    source = " ".join(path.read_text() for path in (ROOT / "cenports_nb").rglob("*.py"))
    read = set(re.findall(r"\bCENPORTS_(?!NB_)[A-Z_]+\b", source))
    rows = read_table("reference/configuration.md")
    assert {row for row in rows if row.startswith("CENPORTS_")} == read


def test_the_page_on_cache_ages_tells_them_as_they_are() -> None:
    """Each age with its seconds."""
    shown = {code: int(row[2].replace(",", "")) for code, row in read_table("reference/cache-ages.md").items()}
    assert shown == {age.name: int(age.default) for age in fields(CacheAges)}


def test_the_page_on_the_sandbox_forgets_no_fault() -> None:
    """Each kind of fault is on it."""
    text = (DOCS / "reference" / "sandbox.md").read_text()
    assert [kind for kind in FAULT_KINDS if f"`{kind}`" not in text] == []


def test_public_functions_are_on_a_page() -> None:
    """A page, the README or the reference names each function that users import."""
    with warnings.catch_warnings():
        functions = [each for each in cn.__all__ if inspect.isfunction(getattr(cn, each))]
    text = " ".join(page.read_text() for page in PAGES)
    assert [each for each in functions if not re.search(rf"\b{each}\b", text)] == []
