"""The project's own promises: its files agree with each other and with what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from support.process_markers import find_missing_marker

from cenports_nb.api.dialect import Dialect
from cenports_nb.sandbox import CLIENT_ID, CLIENT_SECRET, PARTNER_ID
from cenports_nb.settings import SANDBOX_CREDENTIALS

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"duckdb": "python-duckdb", "playwright": "playwright-python", "rust-just": "just"}


def requirements() -> set[str]:
    """What pyproject.toml asks for, as conda-forge calls it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(item for extra in project["optional-dependencies"].values() for item in extra)]
    plain = [re.sub(r"\[.*?\]", "", item) for item in asked if not item.startswith("cenports-nb")]
    names = [re.match(r"[\w-]+", item)[0] for item in plain]
    return {CONDA_NAMES.get(name, name) + item[len(name) :] for name, item in zip(names, plain, strict=True)} | {
        f"python{project['requires-python']}"
    }


def test_environment_asks_for_what_pyproject_asks_for() -> None:
    """The conda environment has the same packages with the same bounds."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert set(environment["dependencies"]) - {"pip"} == requirements()


def test_every_dependency_has_its_reason() -> None:
    """Each runtime requirement stands beside a comment that says what it is for."""
    text = (ROOT / "pyproject.toml").read_text()
    lines = text[text.index("dependencies = [") : text.index("[project.optional-dependencies]")].splitlines()[1:-2]
    assert [line for line in lines if "# " not in line and line.strip() != "]"] == []


def test_readme_starts_with_the_two_commands() -> None:
    """The first two code blocks of the README are what CI copies: run it, test it."""
    first, second = re.findall(r"^```sh\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)[:2]
    assert "cenports-nb report stock-reconciliation" in first
    assert "pytest" in second


def test_options_in_the_pages_are_options_of_the_commands() -> None:
    """What a reader copies from the README and the docs is understood."""
    from typer.main import get_command  # noqa: PLC0415

    from cenports_nb.cli import app  # noqa: PLC0415

    commands = [get_command(app)]
    known = {"--help", "--debug"}
    while commands:
        command = commands.pop()
        commands += getattr(command, "commands", {}).values()
        known |= {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    shown = [line for page in pages for line in page.read_text().splitlines() if "cenports-nb" in line]
    assert {word for line in shown for word in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)} - known == set()


def test_architecture_names_every_folder() -> None:
    """The map shows each folder of the package, and none that is gone."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    tree = text[text.index("    cenports_nb/") : text.index("    benchmarks/")]
    folders = {path.parent.name for path in (ROOT / "cenports_nb").rglob("__init__.py")}
    assert set(re.findall(r"\b(\w+)/", tree)) == folders


def glossary_lines(section: str | None = None) -> list[tuple[str, str]]:
    """The terms of the glossary, or of one of its sections, and the code that stands behind each."""
    text = (ROOT / "GLOSSARY.md").read_text()
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    chosen = text if section is None else sections[section]
    return re.findall(r"^- \*\*(.+?)\*\*(?: \((.+?)\))?: .+\.$", chosen, re.MULTILINE)


def test_each_line_of_the_glossary_is_a_term_with_its_code() -> None:
    """One line a term, and nothing beside the lines but headings and what stands above them."""
    lines = [line for line in (ROOT / "GLOSSARY.md").read_text().splitlines() if line.startswith("-")]
    assert len(glossary_lines()) == len(lines)
    assert [term for term, code in glossary_lines() if not code and term != "question"] == []


def test_every_term_of_the_glossary_exists_in_the_code() -> None:
    """Each name that a term has in the code is there."""
    files = [*(ROOT / "cenports_nb").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), ROOT / "justfile"]
    source = " ".join(path.read_text() for path in files if path.name != "test_project.py")
    words = set(re.findall(r"\w+", source)) | {path.stem for path in files} | {path.parent.name for path in files}
    names = {name for _, code in glossary_lines() for name in re.findall(r"`(.+?)`", code)}
    assert {word for name in names for word in re.findall(r"[A-Za-z_]\w*", name)} - words == set()


def test_the_glossary_has_each_term_once() -> None:
    """One word an idea, one idea a word; the sandbox, which shares no code, has words of its own."""
    sandbox = [term for term, _ in glossary_lines("The sandbox")]
    client = [term for term, _ in glossary_lines()]
    for term in sandbox:
        client.remove(term)
    assert [term for term in sandbox if sandbox.count(term) > 1] == []
    assert [term for term in client if client.count(term) > 1] == []


def singular(word: str) -> str:
    return re.sub(r"(?<=[^s])s$", "", re.sub(r"ies$", "y", word))


def test_every_module_is_named_by_words_of_the_glossary() -> None:
    """A stranger who meets a file finds its words explained."""
    text = (ROOT / "GLOSSARY.md").read_text().lower()
    known = {singular(word) for word in re.findall(r"[a-z]+", text)}
    modules = [path for path in (ROOT / "cenports_nb").rglob("*.py") if path.name != "__main__.py"]
    names = {path.parent.name if path.name == "__init__.py" else path.stem for path in modules} - {"cenports_nb"}
    words = {singular(word) for name in names for word in name.split("_") if word}
    assert words - known == set()


def test_client_knows_the_sandbox_account() -> None:
    """The two share no code, so the fixed demo credentials stand in both, equal."""
    assert (
        SANDBOX_CREDENTIALS.partner_id,
        SANDBOX_CREDENTIALS.client_id,
        SANDBOX_CREDENTIALS.client_secret,
    ) == (PARTNER_ID, CLIENT_ID, CLIENT_SECRET)


@pytest.mark.parametrize("path", sorted(str(p.relative_to(ROOT)) for p in (ROOT / "notebooks").rglob("*.ipynb")))
def test_notebooks_define_nothing(path: str) -> None:
    """A report or a lesson is calls and words: logic lives in the package, where it is tested."""
    source = (ROOT / path).read_text()
    assert not re.search(r'"\s*(def|class) ', source)
    assert '"output_type"' not in source


def test_dialect_quotes_the_reference_for_each_default() -> None:
    """Each default of the dialect stands beside the sentence it comes from."""
    source = (ROOT / "cenports_nb/api/dialect.py").read_text()
    for name in Dialect.__dataclass_fields__:
        assert re.search(rf'    {name}: .*\n    """".+', source), name


def test_test_files_do_not_import_one_another() -> None:
    """What tests share is in `support`; a test file can be moved or left out without another one noticing."""
    line = re.compile(r"^\s*(?:from|import) (?:tests\.)?((?:\w+\.)*(?:test_\w+|conftest))\b", re.MULTILINE)
    found = {str(path.relative_to(ROOT)): line.findall(path.read_text()) for path in (ROOT / "tests").rglob("*.py")}
    assert {name: modules for name, modules in found.items() if modules} == {}


@pytest.mark.parametrize(
    ("command", "marker"),
    [
        ([sys.executable, "-m", "ipykernel_launcher", "-f", "x"], "kernel"),
        ([sys.executable, "-m", "papermill", "a.ipynb", "b.ipynb"], "kernel"),
        ([sys.executable, "-m", "cenports_nb", "report", "morning"], "kernel"),
        (["/x/playwright/driver/node", "cli.js"], "browser"),
        (["/usr/bin/chromium"], "browser"),
        ([sys.executable, "-m", "cenports_nb", "reports"], None),
        ([sys.executable, "-c", "print()", "papermill"], None),
        ("true", None),
    ],
)
def test_commands_that_start_a_browser_or_a_kernel_are_known(command: list[str] | str, marker: str | None) -> None:
    """Each is refused to a test without the marker, and started by one that has it."""
    assert find_missing_marker(command, frozenset()) == marker
    assert find_missing_marker(command, frozenset({"browser", "kernel"})) is None


def test_a_test_without_its_marker_starts_no_kernel() -> None:
    """`just quick` leaves out what is marked: what is not marked is stopped."""
    with pytest.raises(AssertionError, match="mark it `kernel`"):
        subprocess.Popen([sys.executable, "-m", "ipykernel_launcher", "--version"])
