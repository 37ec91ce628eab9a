"""Lines of the audited files: where a finding begins and ends, and excerpts that show no secret."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from auditor.model import Finding
from auditor.reports import Reader
from auditor.reports.masking import blank, is_about_secrets, shade

AROUND = 3
"""Lines shown before and after what an excerpt is about."""

SPAN = 12
"""Lines shown of what it is about."""

WIDTH = 200
"""Characters shown of a line."""

_END_OF_LINE = re.compile(r"\r\n|\r|\n")


class Span(NamedTuple):
    """Lines with 1-based columns in UTF-16 units; `end_column` is the one after the last."""

    line: int
    column: int
    end_line: int
    end_column: int


class Quoted(NamedTuple):
    """A line of an excerpt; `marked` lines are what it is about."""

    number: int
    text: str
    marked: bool


class Sources:
    """The files of a report, each read and split once."""

    def __init__(self, read: Reader, findings: Iterable[Finding] = ()) -> None:
        """`findings`: all of the report, suppressed ones too, because of the lines on which they saw secrets."""
        self._read = read
        self._data: dict[str, bytes | None] = {}
        self._lines: dict[str, list[str]] = {}
        self._secret: dict[str, set[int]] = {}
        for one in findings:
            if is_about_secrets(one.rule):
                self._secret.setdefault(one.path, set()).update(range(one.line, one.end_line + 1))

    def data(self, path: str) -> bytes | None:
        """The file's bytes."""
        if path not in self._data:
            self._data[path] = self._read(path) if path else None
        return self._data[path]

    def lines(self, path: str) -> list[str]:
        """The file's lines; none if it cannot be read."""
        if path not in self._lines:
            data = self.data(path)
            text = "" if data is None else data.decode("utf-8", "replace").removeprefix("\ufeff")
            self._lines[path] = _END_OF_LINE.split(text) if data is not None else []
        return self._lines[path]

    def span(self, path: str, line: int, end_line: int) -> Span | None:
        """From the first letter of `line` to the last one of `end_line`; None where the file has no such lines."""
        lines = self.lines(path)
        if not 0 < line <= end_line <= len(lines):
            return None
        first, last = lines[line - 1], lines[end_line - 1].rstrip()
        indent = len(first) - len(first.lstrip())
        end = max(_units(last), _units(first[:indent]) if line == end_line else 0)
        return Span(line, _units(first[:indent]) + 1, end_line, end + 1)

    def excerpt(self, path: str, line: int, end_line: int, rule: str = "") -> list[Quoted]:
        """The lines around a place; nothing if they cannot be had. For a rule about secrets no string is shown."""
        lines = self.lines(path)
        if not 0 < line <= len(lines):
            return []
        last = min(max(line, end_line), line + SPAN - 1, len(lines))
        numbers = _without_blank_ends(
            lines, range(max(1, line - AROUND), min(len(lines), last + AROUND) + 1), line, last
        )
        hidden = set(numbers) if is_about_secrets(rule) else self._secret.get(path, set())
        return [
            Quoted(number, _quoted(lines[number - 1], path, number in hidden), line <= number <= last)
            for number in numbers
        ]


def _without_blank_ends(lines: list[str], numbers: range, line: int, last: int) -> range:
    """These line numbers without empty lines at either end; `line` to `last` stay."""
    start, stop = numbers.start, numbers.stop
    while start < line and not lines[start - 1].strip():
        start += 1
    while stop > last + 1 and not lines[stop - 2].strip():
        stop -= 1
    return range(start, stop)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _quoted(line: str, path: str, hidden: bool) -> str:
    """The line for a reader: secrets hidden before it is cut, because half a secret is not recognised as one."""
    text = (blank if hidden else shade)(line.expandtabs(4).rstrip(), path)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
