"""An examination as a page of HTML that needs no other file."""

import html
from collections.abc import Iterable, Sequence
from typing import Any

from kerasseq.doctor import page

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto;
  padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: start; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid #8885; }
th { white-space: nowrap; font-weight: 500; }
.error { color: #c33; } .warning { color: #a60; }
"""


def write(result: dict[str, Any]) -> str:
    """Writes the page.

    Args:
        result: What `doctor.examine` returned.

    Returns:
        A document of HTML.
    """
    title = html.escape(page.verdict(result))
    body = "\n".join(_sections(result))
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n{body}\n</html>\n"
    )


def _sections(result):
    yield f"<h1>{html.escape(page.verdict(result))}</h1>"
    yield _table((), page.summary(result))
    if result["findings"]:
        yield f"<h2>Findings</h2>{_findings(result['findings'])}"
    if "ops" in result:
        ops = [(name, f"{n:,}", f"{size:,}") for name, n, size in page.op_rows(result)]
        yield "<h2>What the file holds</h2>" + _table((), page.lists(result))
        yield "<h2>Ops</h2>" + _table(("op", "count", "bytes of constants"), ops)
    for part in result.get("parts", ()):
        yield from _sections(part)


def _findings(findings):
    rows = []
    for found in findings:
        severity = found["severity"]
        cells = "".join(f"<td>{html.escape(found[k])}" for k in ("what", "where", "do"))
        rows.append(f'<tr><th class="{severity}">{severity}{cells}')
    head = "".join(f"<th>{name}" for name in ("", "what", "where", "what to do"))
    return f"<table><tr>{head}{''.join(rows)}</table>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<th>{name}" for name in head)] if head else []
    for first, *others in rows:
        cells = "".join(f"<td>{html.escape(cell)}" for cell in others)
        lines.append(f"<th>{html.escape(first)}{cells}")
    return f"<table>{''.join(f'<tr>{line}' for line in lines)}</table>"
