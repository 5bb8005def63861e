"""The page of a report: one HTML file without network or scripts, for the screen, A4 and Letter."""

from __future__ import annotations

import copy
import html
import re
from pathlib import Path
from typing import Any

from cenports_nb.notebook.report_page.attachments import NARROW_PNG_MIME_TYPE
from cenports_nb.reports.result import read_result

STYLE_SHEET = Path(__file__).with_name("html_page.css")
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
NARROW_SCREEN = "screen and (max-width: 720px)"
"""Where the page shows the narrow form of a chart."""
KERNEL_FILE_PATTERN = re.compile(r"^\S*ipykernel_\S*:\d+: ", re.MULTILINE)
"""The temporary file name of a cell, which Python puts in front of a warning."""


def render_page(notebook: Any, title: str, *, run: str = "", code: bool = False, stopped: bool = False) -> str:
    """Render an executed notebook as one HTML page.

    Args:
        notebook: From nbformat; it is not changed.
        title: The title of the page.
        run: When the report began, for the footer of printed pages.
        code: Show the code, and the traceback of an error.
        stopped: The report is incomplete; the title says so.
    """
    from nbconvert import HTMLExporter  # noqa: PLC0415 - slow to import, and only a page needs it

    exporter = HTMLExporter(
        template_name="basic", exclude_input=not code, exclude_input_prompt=True, exclude_output_prompt=True,
        exclude_anchor_links=True,
    )  # fmt: skip
    body, _ = exporter.from_notebook_node(_clean_notebook(notebook, code=code))
    body, styles = _extract_styles(body)
    shown = f"Stopped: {title}" if stopped else title
    # The policy comes first, so that no output of the notebook can run or use the network. The page's own style comes
    # after those of outputs, because it must win on paper.
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_SECURITY_POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{html.escape(shown)}</title>'
        f"{styles}<style>{STYLE_SHEET.read_text(encoding='utf-8')}{_print_footer_style(notebook, shown, run)}{_code_style() if code else ''}</style>"
        f"</head><body><main>\n{body}\n</main></body></html>\n"
    )


def _clean_notebook(notebook: Any, *, code: bool) -> Any:
    """Copy a notebook without widget state and temporary file names, and with both forms of its charts."""
    shown = copy.deepcopy(notebook)
    shown.metadata.pop("widgets", None)
    for cell in shown.cells:
        if cell.cell_type != "code":
            continue
        if not code:  # the box above the cell reports the error
            cell.outputs = [output for output in cell.outputs if output.output_type != "error"]
        for output in cell.outputs:
            if output.output_type == "stream" and output.name == "stderr":
                output.text = _clean_warnings(output.text)
            elif NARROW_PNG_MIME_TYPE in output.get("data", {}):
                output.data = {"text/html": _render_chart(output)}
    return shown


def _render_chart(output: Any) -> str:
    """Render a chart whose form depends on the screen."""
    alt = html.escape(output.get("metadata", {}).get("image/png", {}).get("alt", ""))
    wide, narrow = ("".join(output.data[name].split()) for name in ("image/png", NARROW_PNG_MIME_TYPE))
    return (
        f'<picture><source media="{NARROW_SCREEN}" srcset="data:image/png;base64,{narrow}">'
        f'<img src="data:image/png;base64,{wide}" alt="{alt}"></picture>'
    )


def _clean_warnings(text: str) -> str:
    """Reduce Python's warnings to their messages, without file name and source line."""
    if not KERNEL_FILE_PATTERN.search(text):
        return text
    lines = KERNEL_FILE_PATTERN.sub("", text).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("  "))


def _extract_styles(body: str) -> tuple[str, str]:
    """Move the styles of outputs out of the body, each once."""
    styles = dict.fromkeys(re.findall(r"<style[^>]*>.*?</style>", body, re.DOTALL))
    for style in styles:
        body = body.replace(style, "")
    return body, "".join(styles)


def _print_footer_style(notebook: Any, title: str, run: str) -> str:
    """Build the style that prints title and page number at the foot of each page."""
    when = re.sub(r"T(\d\d)(\d\d)(\d\d)Z.*", r" \1:\2 UTC", run)
    parts = [title, str(read_result(notebook).get("account", "")), f"run {when}" if run else ""]
    style = "font:8.5pt system-ui,sans-serif;color:#555"
    return (
        f'@page{{@bottom-left{{content:"{_escape_css(" · ".join(filter(None, parts)))}";{style}}}'
        f'@bottom-right{{content:"page " counter(page) " of " counter(pages);{style}}}}}'
    )


def _escape_css(text: str) -> str:
    """Escape a text for CSS, so that it can end neither its string nor the style."""
    return "".join(sign if sign.isalnum() or sign in " -.,:()" else f"\\{ord(sign):06x} " for sign in text)


def _code_style() -> str:
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415 - comes with nbconvert

    return str(HtmlFormatter(style="default").get_style_defs(".highlight"))
