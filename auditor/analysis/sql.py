"""Reads the statements of SQL that a program writes as text: the verb, the table, and what goes into which column.

It is no parser of SQL: what these four verbs need is read, and anything else gives None. Names are in lower case.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

Verb: TypeAlias = Literal["insert", "update", "delete", "select"]

_TOKEN = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | \s+
    | (?P<text>'(?:[^']|'')*')
    | (?P<name>"[^"]+" | `[^`]+` | \[\w+\] | [A-Za-z_][\w$]*)
    | (?P<hole>\0\d+\0)
    | (?P<given>\?\d* | \$\d+ | %s | %\(\w+\)s | [:@](?!:)[A-Za-z_]\w*)
    | (?P<number>\d[\d.]*)
    | (?P<mark>::|[<>=!|]+|.)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"\w+")
_HOLE = re.compile(r"\0(\d+)\0")
_MODIFIERS = frozenset({"or", "ignore", "replace", "rollback", "abort", "fail", "only", "low_priority"})
_ENDS = frozenset({"where", "returning", "from", ";", "order", "limit"})
_LARGEST = 8_000  # letters of a statement


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """What a column is given: `null`, a `text` with its value, a parameter by position or name, a `hole` of the text."""

    kind: Literal["null", "text", "given", "hole", "other"]
    value: int | str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `columns`: (name in the answer, column) of those that are selected, in order; "" for no plain column."""

    verb: Verb
    table: str
    writes: tuple[tuple[str, Written], ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class _Part:
    kind: str
    text: str
    written: Written


def read(text: str) -> Statement | None:
    """The statement that a text holds; a hole of the text is written as its number between two null characters."""
    head = text.lstrip()[:7].lower()
    if not head.startswith(("insert", "update", "delete", "select", "replace")) or len(text) > _LARGEST:
        return None
    parts = _parts(text)
    words = [part.text for part in parts]
    if head.startswith(("insert", "replace")):
        return _insert(parts, words)
    if head.startswith("update"):
        return _update(parts, words)
    after = words.index("from") + 1 if "from" in words else len(words)
    table = _table(parts, after)
    if table is None:
        return None
    if head.startswith("delete"):
        return Statement("delete", table[0])
    return Statement("select", table[0], columns=tuple(_selected(one) for one in _listed(parts[1 : after - 1])))


def _parts(text: str) -> list[_Part]:
    out: list[_Part] = []
    position = 0
    for match in _TOKEN.finditer(text):
        kind, found = match.lastgroup, match.group()
        if kind is None:
            continue
        word = found.strip('"`[]').lower() if kind == "name" else found.lower()
        written = Written("other")
        if kind == "text":
            inside = _HOLE.fullmatch(found[1:-1])
            written = Written("hole", int(inside[1])) if inside else Written("text", found[1:-1])
        elif kind == "hole":
            written = Written("hole", int(found.strip("\0")))
        elif word == "null":
            written = Written("null")
        elif kind == "given" and found in ("?", "%s"):
            written, position = Written("given", position), position + 1
        elif kind == "given":
            name = _NAME.findall(found)[0]
            written = Written("given", int(name) - 1 if name.isdigit() else name)
        out.append(_Part(kind, word, written))
    return out


def _table(parts: Sequence[_Part], at: int) -> tuple[str, int] | None:
    """The table that is named at a position, without its schema, and the position behind it."""
    if at >= len(parts) or parts[at].kind != "name":
        return None
    while at + 2 < len(parts) and parts[at + 1].text == "." and parts[at + 2].kind == "name":
        at += 2
    return parts[at].text, at + 1


def _listed(parts: Sequence[_Part]) -> list[Sequence[_Part]]:
    """What stands between the commas of a list; those within parentheses part nothing."""
    out: list[list[_Part]] = [[]]
    depth = 0
    for part in parts:
        depth += (part.text == "(") - (part.text == ")")
        if part.text == "," and depth == 0:
            out.append([])
        else:
            out[-1].append(part)
    return [one for one in out if one]


def _selected(parts: Sequence[_Part]) -> tuple[str, str]:
    words = [part.text for part in parts]
    column = words[: words.index("as")] if "as" in words else words
    plain = all(part.kind == "name" or part.text == "." for part in parts[: len(column)])
    return words[-1], column[-1] if plain else ""


def _within(parts: Sequence[_Part], at: int) -> tuple[Sequence[_Part], int]:
    """What stands in the parentheses that open at a position, and the position behind them."""
    depth = 0
    for index in range(at, len(parts)):
        depth += (parts[index].text == "(") - (parts[index].text == ")")
        if depth == 0:
            return parts[at + 1 : index], index + 1
    return parts[at + 1 :], len(parts)


def _written(parts: Sequence[_Part]) -> Written:
    """A value that is alone, but for a cast."""
    plain = [part for part in parts if part.text not in ("(", ")")]
    return plain[0].written if plain and (len(plain) == 1 or plain[1].text == "::") else Written("other")


def _insert(parts: Sequence[_Part], words: Sequence[str]) -> Statement | None:
    table = _table(parts, words.index("into") + 1) if "into" in words else None
    if table is None:
        return None
    name, at = table
    if at >= len(parts) or words[at] != "(" or "values" not in words[at:]:
        values = _within(parts, words.index("values", at) + 1)[0] if "values" in words[at:-1] else ()
        return Statement("insert", name, tuple((str(n), _written(one)) for n, one in enumerate(_listed(values))))
    columns, at = _within(parts, at)
    values, _ = _within(parts, min(words.index("values", at) + 1, len(parts) - 1))
    named = [one[0].text for one in _listed(columns)]
    return Statement("insert", name, tuple(zip(named, map(_written, _listed(values)), strict=False)))


def _update(parts: Sequence[_Part], words: Sequence[str]) -> Statement | None:
    if "set" not in words:
        return None
    at = words.index("set")
    table = next(
        (found for start in range(1, at) if words[start] not in _MODIFIERS and (found := _table(parts, start))), None
    )
    end = next((index for index in range(at, len(words)) if words[index] in _ENDS), len(words))
    writes = tuple(
        (one[0].text, _written(one[2:]))
        for one in _listed(parts[at + 1 : end])
        if len(one) > 2 and one[0].kind == "name" and one[1].text == "="
    )
    return Statement("update", table[0], writes) if table is not None else None
