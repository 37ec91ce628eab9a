"""The comments of a source file, for what people write there to this program.

A text in a string that looks like a comment is none: Python's tokens tell, tree-sitter's nodes do for JavaScript,
TypeScript and HTML, and configuration files have a small scanner that knows their quotes.
"""

from __future__ import annotations

import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import yaml
from tree_sitter import Node as Syntax
from tree_sitter import Tree

from auditor.frontends.errors import Unreadable


class Comment(NamedTuple):
    """A comment with its signs. `alone`: nothing else stands on its lines, so that it speaks of what follows."""

    line: int
    end_line: int
    alone: bool
    text: str


class Comments(NamedTuple):
    """The comments in their order. From line `unread_from` on it is not known what is one; 0: all of them are known."""

    found: tuple[Comment, ...]
    unread_from: int = 0


def comments(path: str, language: str, source: bytes) -> Comments:
    """The comments of a file in a language that `prefilter.language` names."""
    try:
        if language == "python":
            return _python(source)
        if language in ("javascript", "typescript"):
            return _script(path, language, source)
        if language == "html":
            return _markup(source)
        return _settings(path.rpartition("/")[2].lower(), source)
    except Unreadable as error:
        return Comments((), max(1, error.line))


# ------------------------------------------------------------------------------------------------- Python


def _python(source: bytes) -> Comments:
    found: list[Comment] = []
    line = 1
    try:
        for token in tokenize.tokenize(io.BytesIO(source).readline):
            line = token.end[0]
            if token.type == tokenize.COMMENT:
                alone = not token.line[: token.start[1]].strip()
                found.append(Comment(token.start[0], token.start[0], alone, token.string))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return Comments(tuple(found), line)
    return Comments(tuple(found))


# --------------------------------------------------------------------------------------- scripts and markup

_TEMPLATE = re.compile(r"\{#.*?#\}|<%#.*?%>|\{\{!--.*?--\}\}|\{\{![^{}]*\}\}", re.DOTALL)
_TYPED = re.compile(rb"""lang\s*=\s*["']?(tsx?|typescript)""", re.IGNORECASE)


def _script(path: str, language: str, source: bytes) -> Comments:
    from auditor.frontends.javascript import grammar_of, parse, readable

    data = readable(source)
    tree = parse(data, grammar_of(path, "typescript" if language == "typescript" else "javascript"))
    return _at(_Bytes(data), (_span(node) for node in _of_type(tree, "comment")))


def _markup(source: bytes) -> Comments:
    """Of HTML, of the scripts in it, and of the template languages that are mixed with it."""
    from auditor.frontends.javascript import parse, readable

    data = readable(source)
    text = _Bytes(data)
    tree = _html(data)
    spans = [_span(node) for node in _of_type(tree, "comment")]
    for node in _of_type(tree, "script_element"):
        code = next((child for child in node.children if child.type == "raw_text"), None)
        if code is None:
            continue
        typed = _TYPED.search(data, node.start_byte, code.start_byte)
        grammar = "tsx" if typed and typed[1].lower() == b"tsx" else "typescript" if typed else "javascript"
        inner = parse(data, grammar, [code.range])  # type: ignore[arg-type]  # one of the grammars
        spans += [_span(one) for one in _of_type(inner, "comment")]
    spans.sort()
    return _at(text, sorted([*spans, *_outside(_TEMPLATE, text.text, spans)]))


@cache
def _html_language() -> object:
    import tree_sitter_html
    from tree_sitter import Language

    return Language(tree_sitter_html.language())


def _html(data: bytes) -> Tree:
    from tree_sitter import Parser

    return Parser(_html_language()).parse(data)  # type: ignore[arg-type]  # it is a Language


def _of_type(tree: Tree, kind: str) -> Iterator[Syntax]:
    """The nodes of one type in their order, found without recursion."""
    cursor = tree.walk()
    while True:
        if cursor.node is not None and cursor.node.type == kind:
            yield cursor.node
        if cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _span(node: Syntax) -> tuple[int, int]:
    return node.start_byte, node.end_byte


class _Text:
    """A text in which offsets become lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def comment(self, start: int, end: int) -> Comment:
        """The comment at these offsets. JSX's comments stand in braces of their own, which count as theirs."""
        written = self.text[start:end].rstrip()
        line = bisect_right(self._starts, start)
        end_line = bisect_right(self._starts, start + max(0, len(written) - 1))
        last = self._starts[end_line] if end_line < len(self._starts) else len(self.text)
        before, after = self.text[self._starts[line - 1] : start].strip(), self.text[start + len(written) : last].strip()
        braced = written.startswith("/*") and (before, after) == ("{", "}")
        return Comment(line, end_line, braced or not (before or after), self.shown(written))

    def shown(self, text: str) -> str:
        """A part of the text as a person reads it."""
        return text


class _Bytes(_Text):
    """UTF-8 whose offsets are those of its bytes, as tree-sitter counts."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.decode("latin-1"))

    def shown(self, text: str) -> str:
        return text.encode("latin-1").decode("utf-8", "replace")


def _at(text: _Text, spans: Iterable[tuple[int, int]]) -> Comments:
    return Comments(tuple(text.comment(start, end) for start, end in spans))


# ------------------------------------------------------------------------------------------- configuration

_TOML = re.compile(
    r'"""(?:\\.|[^\\])*?"""' r"|'''.*?'''" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'" r"|(?P<comment>#[^\n]*)", re.DOTALL
)
_DOTENV = re.compile(
    r'=[ \t]*"(?:\\.|[^"\\])*"' r"|=[ \t]*'(?:\\.|[^'\\])*'" r"|(?:^|(?<=[ \t]))(?P<comment>#[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
_CURLY = re.compile(
    r'"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])*'" r"|(?P<comment>//[^\n]*|/\*.*?\*/)", re.DOTALL
)
_XML = re.compile(r"<!\[CDATA\[.*?\]\]>" r"|(?P<comment><!--.*?-->)", re.DOTALL)
_LINES = re.compile(r"^[ \t]*(?P<comment>[#;!][^\n]*)", re.MULTILINE)
_SCANNERS = {
    "toml": _TOML, "json": _CURLY, "jsonc": _CURLY, "json5": _CURLY, "gradle": _CURLY, "kts": _CURLY,
    "xml": _XML, "plist": _XML,
}  # fmt: skip
_SAMPLE = re.compile(r"\.(example|sample|template|tmpl|dist|default)$")
_ENVIRONMENT = re.compile(r"\.env(rc)?([._-].*)?|env[._-]?(example|sample|template)|.*\.env|\.flaskenv")


def _settings(name: str, source: bytes) -> Comments:
    from auditor.frontends.settings_source import decode

    text = decode(source)
    name = _SAMPLE.sub("", name)
    suffix = name.rpartition(".")[2]
    if suffix in ("yaml", "yml"):
        return _yaml(text)
    scanner = _DOTENV if _ENVIRONMENT.fullmatch(name) else _SCANNERS.get(suffix, _LINES)
    spans = (match.span("comment") for match in scanner.finditer(text) if match["comment"])
    return _at(_Text(text), spans)


_HASH = re.compile(r"(?:^|(?<=[ \t]))#[^\n]*", re.MULTILINE)


def _yaml(text: str) -> Comments:
    """Of YAML, whose scanner says where its texts are: all other number signs begin a comment."""
    scalars: list[tuple[int, int]] = []
    stopped = 0
    try:
        for token in yaml.scan(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(token, yaml.ScalarToken):
                scalars.append((token.start_mark.index, token.end_mark.index))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        stopped = mark.line + 1 if mark is not None else 1
    found = _at(_Text(text), _outside(_HASH, text, scalars)).found
    return Comments(tuple(one for one in found if not stopped or one.line < stopped), stopped)


def _outside(pattern: re.Pattern[str], text: str, taken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The matches that do not begin inside one of these spans, which are in order."""
    spans = iter([*taken, (len(text) + 1, len(text) + 1)])
    start, end = next(spans)
    for match in pattern.finditer(text):
        while end <= match.start():
            start, end = next(spans)
        if match.start() < start:
            yield match.span()
