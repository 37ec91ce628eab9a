"""Python: from bytes to a program, by libcst.

The steps: the size, the encoding, one scan that bounds what libcst will see (`python_bounds`), the parse, the lowering
by hand (`python_statements`, `python_expressions`, `python_patterns`), and the places of all nodes in one pass.
libcst can still end the process, so this runs in a worker (`worker`) wherever the source is not our own.
"""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import libcst as cst

from auditor.frontends import python_bounds
from auditor.frontends.errors import Unreadable
from auditor.frontends.python_context import Context
from auditor.frontends.python_spans import spans
from auditor.frontends.python_statements import block
from auditor.frontends.python_text import NEWLINE, count_lines, decode
from auditor.program import Program

# Enough for what the bounds let through. Frames of Python cost no stack since 3.11.
_RECURSION = 20_000

_STATEMENTS = 200  # statements of Python 2 that are left out of one file
_STATEMENT = re.compile(r"\s*(?:print|exec)\s+(?![=.,)\]])[^\\]*$")

_ERROR_AT = re.compile(r"error at (\d+):(\d+)")
_ERROR_KIND = re.compile(r"^(?:parser|tokenizer) error: (?:error at [\d:]+: )?")

# What Python 2 allowed and Python 3 does not, as it shows in a line.
_PYTHON_2 = (
    (re.compile(r"\s*(?:.*[:;]\s*)?print\s+(?![=.,)\]])\S"), "a print statement"),
    (re.compile(r"\s*(?:.*[:;]\s*)?exec\s+(?![=.,)\]])\S"), "an exec statement"),
    (re.compile(r"\s*(?:.*[:;]\s*)?raise\s+[\w.]+\s*,"), "`raise A, b`"),
    (re.compile(r".*<>"), "the operator `<>`"),
    (re.compile(r".*`"), "backquotes"),
    (re.compile(r"(?i).*\bur['\"]"), "a string with the prefix ur"),
    (re.compile(r".*\b0\d"), "an octal number without 0o"),
    (re.compile(r"(?i).*\b(?:0x[0-9a-f]+|\d+)L\b"), "a long number"),
    (re.compile(r"\s*(?:def\b.*|.*\blambda\b.*)\("), "a parameter that is unpacked"),
)


def lower(path: str, source: bytes) -> Program:
    """The program of a Python file. Raises `Unreadable`, whose message quotes nothing of the source."""
    if len(source) > python_bounds.MAX_BYTES:
        raise Unreadable("too-large", f"the file is larger than {python_bounds.MAX_BYTES // 1024} KB")
    text = decode(source)
    if "\0" in text:
        raise Unreadable("encoding", "the file is binary: it has a NUL byte", count_lines(text[: text.index("\0") + 1]))
    python_bounds.check(text)
    with _deep():
        try:
            text, left_out = without_python_2(text)
            module = _parse(text)
            context = Context(module)
            body = block(context, module)
            places = spans(module, context.anchors)
        except RecursionError:
            raise Unreadable("too-deep", "the file is nested too deeply") from None
    problems = (*left_out, *((places[at][0], message) for at, message in context.notes))
    return Program(path, "python", body, places, (), problems, count_lines(text))


def without_python_2(text: str) -> tuple[str, tuple[tuple[int, str], ...]]:
    """The text with Python 2's print and exec statements left out, and (line, message) for each.

    Whole applications are written so, and everything else in them is Python 3 as well. Only a statement that stands
    on one line is taken out, so that nothing changes its place; any other error stays one.
    """
    lines: list[str] | None = None
    left_out: list[tuple[int, str]] = []
    for _ in range(_STATEMENTS):
        line = _line(text)
        if not line:
            break
        lines = lines or text.splitlines(keepends=True)
        if line > len(lines) or not _STATEMENT.match(lines[line - 1]):
            break
        old = lines[line - 1]
        body = old.lstrip()
        end = old[len(old.rstrip("\r\n")) :]
        lines[line - 1] = f"{old[: len(old) - len(body)]}pass{end}"
        text = "".join(lines)
        left_out.append((line, "a statement of Python 2 was left out"))
    return text, tuple(left_out)


@contextmanager
def _deep() -> Iterator[None]:
    """Lets Python recurse as deep as the bounds allow; the limit is given back."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def _parse(text: str) -> cst.Module:
    """libcst's module, or what is wrong with the text."""
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise _syntax(text, error) from None
    except cst.CSTValidationError:
        raise Unreadable("syntax", "not valid Python 3") from None


def _syntax(text: str, error: cst.ParserSyntaxError) -> Unreadable:
    """The parser's complaint with the line that it means."""
    found = _ERROR_AT.search(error.message)
    line = _line(text) or (int(found[1]) if found is not None else 0)
    lines = NEWLINE.split(text)
    line = min(line, len(lines))
    for pattern, what in _PYTHON_2:
        if line and pattern.match(lines[line - 1]):
            return Unreadable("syntax", f"not valid Python 3; perhaps Python 2 ({what})", line)
    return Unreadable("syntax", f"not valid Python 3{_complaint(error.message)}", line)


def _line(text: str) -> int:
    """The line that Python's own parser complains of, 0 for none; libcst says where it stopped, or nothing."""
    with warnings.catch_warnings(action="ignore"):
        try:
            ast.parse(text)
        except SyntaxError as error:
            return error.lineno or 0
        except (ValueError, RecursionError, MemoryError):
            pass
    return 0


def _complaint(message: str) -> str:
    """The tokenizer's complaint is for people; the parser only lists all that it could have read instead."""
    if message.startswith("tokenizer error: "):
        return ": " + _ERROR_KIND.sub("", message)
    return ""
