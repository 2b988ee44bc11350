"""A report as a list of blocks, written as Markdown and as one self-contained page."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Lines:
    """A list of short lines."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table; the first column is words, the others are numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """A PNG beside the report."""

    file: Path
    caption: str


Block = Heading | Paragraph | Lines | Table | Picture

_STYLE = """
body { font: 16px/1.55 system-ui, sans-serif; color: #1c2330; background: #fff;
  max-width: 62rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; } h2 { margin-top: 2.4rem; border-bottom: 1px solid #d8dee6; }
table { border-collapse: collapse; font-size: .88rem; margin: 1rem 0; display: block;
  overflow-x: auto; }
th, td { padding: .28rem .7rem; border-bottom: 1px solid #e4e8ee; text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { background: #f4f6f9; }
caption { caption-side: bottom; text-align: left; color: #55606f; padding-top: .4rem; }
figure { margin: 1.4rem 0; } img { max-width: 100%; height: auto; }
figcaption { color: #55606f; font-size: .9rem; }
code { background: #f4f6f9; padding: 0 .25rem; }
"""


def markdown(blocks: Sequence[Block]) -> str:
    """The report as Markdown; pictures are named relative to it."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def page(title: str, blocks: Sequence[Block]) -> str:
    """The report as one HTML page that needs nothing beside it."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _markdown(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {block.text}"
        case Paragraph():
            return block.text
        case Lines():
            return "\n".join(f"- {item}" for item in block.items)
        case Table():
            return _markdown_table(block)
        case Picture():
            return f"![{block.caption}]({block.file.name})\n\n*{block.caption}*"


def _markdown_table(table: Table) -> str:
    rule = ["---", *(["---:"] * (len(table.head) - 1))]
    rows = [table.head, rule, *([_cell(cell) for cell in row] for row in table.rows)]
    text = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{text}\n\n*{table.caption}*" if table.caption else text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h{block.level}>{html.escape(block.text)}</h{block.level}>"
        case Paragraph():
            return f"<p>{html.escape(block.text)}</p>"
        case Lines():
            items = "".join(f"<li>{html.escape(item)}</li>" for item in block.items)
            return f"<ul>{items}</ul>"
        case Table():
            return _html_table(block)
        case Picture():
            data = base64.b64encode(block.file.read_bytes()).decode()
            text = html.escape(block.caption)
            return (
                f'<figure><img alt="{text}" src="data:image/png;base64,{data}">'
                f"<figcaption>{text}</figcaption></figure>"
            )


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in table.head)
    rows = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table.rows
    ]
    caption = f"<caption>{html.escape(table.caption)}</caption>" if table.caption else ""
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
