"""Text for a terminal: escaped, wrapped, coloured, with marks that its encoding can hold."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import click

from auditor.reports import Options


class Glyphs(NamedTuple):
    """The marks of the statuses and the few signs beyond ASCII."""

    passed: str
    failed: str
    review: str
    not_applicable: str
    attested: str
    dot: str
    ellipsis: str
    found: str


UNICODE = Glyphs("✓", "✗", "?", "–", "○", "·", "…", "←")
ASCII = Glyphs("+", "x", "?", "-", "o", "|", "...", "<-")

LABEL = 0.4
"""The part of a line that a label may take before it has its own."""

_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def escape(text: str) -> str:
    """Text of the audited repository that can neither move the cursor nor reorder or hide what is shown."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(letter.encode("unicode_escape").decode() if _is_invisible(letter) else letter for letter in text)


def _is_invisible(letter: str) -> bool:
    """A control or direction mark, half a letter, a line separator, or what Unicode says is no letter at all."""
    number = ord(letter)
    return unicodedata.category(letter) in _INVISIBLE or number & 0xFFFE == 0xFFFE or 0xFDD0 <= number <= 0xFDEF


class Page:
    """Lines that grow; all text given to it is escaped here, once."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.glyphs = UNICODE if options.unicode else ASCII
        self._lines: list[str] = []

    def text(self) -> str:
        return "\n".join(self._lines) + "\n"

    def blank(self) -> None:
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def line(self, *pieces: tuple[str, str]) -> None:
        """One line of (text, style) pieces, not wrapped."""
        self._lines.append("".join(self._styled(escape(text), style) for text, style in pieces).rstrip())

    def paragraph(self, text: str, indent: int, label: str = "", style: str = "", label_style: str = "bold") -> None:
        """Prose after a label, wrapped; its further lines hang below its first. A long label has its own
        line, where not both fit on one."""
        label = escape(label)
        text = " ".join(text.split())
        is_long = len(label) > LABEL * self.options.width and indent + len(label) + len(text) > self.options.width
        if is_long and text:
            self._lines.append(" " * indent + self._styled(label.rstrip(), label_style))
            label, indent = "", indent + 2
        hanging = " " * (indent + len(label))
        wrapped = textwrap.wrap(
            escape(text), max(self.options.width - len(hanging), 30), break_long_words=False, break_on_hyphens=False
        ) or [""]
        first, *rest = (self._styled(line, style) for line in wrapped)
        self._lines.append((" " * indent + self._styled(label, label_style) + first).rstrip())
        self._lines.extend(hanging + line for line in rest)

    def row(self, pieces: Sequence[tuple[str, str]]) -> None:
        """(text, style) pieces with dots between them, on more lines where one is too short."""
        between = f" {self.glyphs.dot} "
        rows: list[list[tuple[str, str]]] = [[]]
        for text, style in pieces:
            taken = sum(len(other) + len(between) for other, _ in rows[-1])
            if rows[-1] and taken + len(text) > self.options.width:
                rows.append([])
            rows[-1].append((text, style))
        for row in rows:
            self._lines.append(between.join(self._styled(escape(text), style) for text, style in row))

    def _styled(self, text: str, style: str) -> str:
        if not (self.options.color and style and text):
            return text
        if style in ("bold", "dim"):
            return click.style(text, bold=style == "bold" or None, dim=style == "dim" or None)
        color = style.removeprefix("bold ")
        return click.style(text, fg=color, bold=style.startswith("bold ") or None)
