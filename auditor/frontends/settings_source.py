"""What all readers of settings share: the text with its lines, the settings found so far, and the bounds."""

from __future__ import annotations

import codecs
from bisect import bisect_right
from typing import NamedTuple, TypeAlias

from auditor.frontends.errors import Unreadable
from auditor.program import Span

LARGEST = 1024 * 1024
"""Bytes of a file; more is not read."""

DEPTH = 50
"""Nested maps and lists on one path."""

MOST = 20_000
"""Settings of one file."""

MARK = "\ue000"
"""Stands, as often as it is long, for a template's tag: a character for private use, so in nobody's settings."""

_KEY = 200
_NAME = 1000
"""Characters of one key and of a dotted name: with no bound, deep maps of long keys grow with their square."""

_BYTE_ORDERS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

Value: TypeAlias = str | int | float | bool | None


class Opaque(NamedTuple):
    """A value that is not in the file: what a tag or a template makes of `text`."""

    what: str
    text: str


class Setting(NamedTuple):
    """One setting: its dotted name, its value, and the offsets of both together and of the value."""

    name: str
    value: Value | Opaque
    start: int
    end: int
    value_start: int


class Settings:
    """The settings of one file while it is read."""

    __slots__ = ("_lines", "found", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Setting] = []
        self._lines = [0]
        while (index := text.find("\n", self._lines[-1])) >= 0:
            self._lines.append(index + 1)

    def add(self, path: tuple[str, ...], value: Value | Opaque, start: int, end: int, value_start: int) -> None:
        """Note a setting. Raises Unreadable when there are too many."""
        if len(self.found) >= MOST:
            raise Unreadable("too-complex", f"more than {MOST} settings", self.line(start))
        end = max(value_start, start + len(self.text[start:end].rstrip()))
        self.found.append(Setting(".".join(path)[-_NAME:], value, start, end, value_start))

    def below(self, path: tuple[str, ...], key: str | int, offset: int) -> tuple[str, ...]:
        """The path of what stands under a key. Raises Unreadable when that is too deep."""
        if len(path) >= DEPTH:
            raise self.too_deep(offset)
        return (*path, str(key)[:_KEY])

    def too_deep(self, offset: int) -> Unreadable:
        """What to raise where the nesting passes the bound."""
        return Unreadable("too-deep", f"more than {DEPTH} levels", self.line(offset))

    def syntax(self, what: str, offset: int) -> Unreadable:
        """What to raise where the text is not what its name says."""
        return Unreadable("syntax", f"not valid {what}", self.line(offset))

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_right(self._lines, offset)

    def offset(self, line: int, column: int) -> int:
        """The offset of a 1-based line and a 0-based column, as far as there is such a line."""
        return self._lines[min(max(line, 1), len(self._lines)) - 1] + column

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets."""
        first, last = self.line(start), self.line(end)
        return first, start - self._lines[first - 1] + 1, last, end - self._lines[last - 1] + 1

    @property
    def lines(self) -> int:
        """The number of lines."""
        return len(self._lines) - (not self.text or self.text.endswith("\n"))


def decode(source: bytes) -> str:
    """The text of a file, every line ending `\\n`. Raises Unreadable if it is too large or binary."""
    if len(source) > LARGEST:
        raise Unreadable("too-large", f"more than {LARGEST // 1024} KB")
    encoding = next((name for mark, name in _BYTE_ORDERS if source.startswith(mark)), "utf-8")
    try:
        text = source.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-16":
            raise Unreadable("encoding", "broken UTF-16") from error
        text = source.decode("latin-1")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise Unreadable("encoding", "binary, or in an unknown encoding", text[: text.index("\0")].count("\n") + 1)
    return text
