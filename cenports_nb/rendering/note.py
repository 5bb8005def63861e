"""A short note with facts about one thing, for a notebook; everything in it is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

BOX_STYLE = (
    "border-left:3px solid var(--jp-border-color1,rgba(128,128,128,.6));padding:1px 0 1px 10px;margin:4px 0;"
    "font-size:13px;line-height:1.5"
)
NO_MATHJAX = "tex2jax_ignore mathjax_ignore"
"""Classes that keep every version of MathJax from reading text between two `$` as a formula, or a link."""
NAME_STYLE = (
    "text-align:left;font-weight:600;padding:1px 14px 1px 0;background:none;white-space:nowrap;vertical-align:top"
)
VALUE_STYLE = "text-align:left;padding:1px 0;background:none;white-space:normal;overflow-wrap:anywhere"


def render_note(title: str, facts: Mapping[str, str], steps: Iterable[tuple[str, str]] = ()) -> str:
    """Render a note: a title, facts, next steps.

    Args:
        title: What the note is about.
        facts: Name to value.
        steps: Pairs of a reason and the call to make; one line each.
    """
    rows = "".join(
        f'<tr style="background:none"><th scope="row" style="{NAME_STYLE}">{html.escape(name)}</th>'
        f'<td style="{VALUE_STYLE}">{html.escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    table = f'<table style="margin:2px 0;border:0">{rows}</table>' if rows else ""
    todo = "".join(f"<div>{html.escape(why)}: <code>{html.escape(call)}</code></div>" for why, call in steps)
    return f'<div class="cn-facts {NO_MATHJAX}" style="{BOX_STYLE}"><b>{html.escape(title)}</b>{table}{todo}</div>'
