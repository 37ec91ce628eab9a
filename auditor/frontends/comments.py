"""The comments of a source file, for what people write there to this program.

A text in a string that looks like a comment is none: Python's tokens tell, tree-sitter's nodes do for JavaScript,
TypeScript and HTML, and configuration files have a small scanner that knows their quotes.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import yaml

from auditor.frontends.errors import Unreadable

if TYPE_CHECKING:
    from tree_sitter import Language, Tree
    from tree_sitter import Node as Syntax


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
            elif token.type == tokenize.ERRORTOKEN and not token.string.isspace():
                # Up to Python 3.11 the tokens go on behind a text without an end.
                return Comments(tuple(found), line)
    except (tokenize.TokenError, SyntaxError, ValueError):
        return Comments(tuple(found), line)
    return Comments(tuple(found))


# --------------------------------------------------------------------------------------- scripts and markup

_TEMPLATE = {"{#": "#}", "{% comment %}": "{% endcomment %}", "<%#": "%>", "{{!--": "--}}", "{{!": "}}"}
_XML = {"<![CDATA[": "]]>", "<!--": "-->"}
"""How a comment (or what hides one) begins and ends."""

_BLOCK = re.compile(r"(?:if|else|each|await|then|key|snippet)\b")
"""Svelte's blocks begin as comments of Jinja do."""

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
    # The grammar sees comments in the values of attributes, too, where they are text.
    nodes = _of_type(tree, "comment")
    spans = [_span(one) for one in nodes if one.parent is None or one.parent.type != "quoted_attribute_value"]
    for node in _of_type(tree, "script_element"):
        code = next((child for child in node.children if child.type == "raw_text"), None)
        if code is None:
            continue
        typed = _TYPED.search(data, node.start_byte, code.start_byte)
        grammar = "tsx" if typed and typed[1].lower() == b"tsx" else "typescript" if typed else "javascript"
        inner = parse(data, grammar, [code.range])  # type: ignore[arg-type]  # one of the grammars
        spans += [_span(one) for one in _of_type(inner, "comment")]
    spans.sort()
    return _at(text, sorted([*spans, *_outside(_enclosed(_TEMPLATE, text.text), spans)]))


@cache
def _html_language() -> Language:
    import tree_sitter_html
    from tree_sitter import Language

    return Language(tree_sitter_html.language())


def _html(data: bytes) -> Tree:
    from tree_sitter import Parser

    return Parser(_html_language()).parse(data)


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
    """A text in which offsets become lines. `mark`: how its byte order mark reads, which is nothing of the text."""

    mark = "\ufeff"

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def comment(self, start: int, end: int) -> Comment:
        """The comment at these offsets. JSX's comments stand in braces of their own, which count as theirs."""
        written = self.text[start:end].rstrip()
        line = bisect_right(self._starts, start)
        end_line = bisect_right(self._starts, start + max(0, len(written) - 1))
        last = self._starts[end_line] if end_line < len(self._starts) else len(self.text)
        before, after = (
            self.text[self._starts[line - 1] : start].removeprefix(self.mark).strip(),
            self.text[start + len(written) : last].strip(),
        )
        braced = written.startswith("/*") and (before, after) == ("{", "}")
        return Comment(line, end_line, braced or not (before or after), self.shown(written))

    def shown(self, text: str) -> str:
        """A part of the text as a person reads it."""
        return text


class _Bytes(_Text):
    """UTF-8 whose offsets are those of its bytes, as tree-sitter counts."""

    mark = codecs.BOM_UTF8.decode("latin-1")

    def __init__(self, data: bytes) -> None:
        super().__init__(data.decode("latin-1"))

    def shown(self, text: str) -> str:
        return text.encode("latin-1").decode("utf-8", "replace")


def _at(text: _Text, spans: Iterable[tuple[int, int]]) -> Comments:
    return Comments(tuple(text.comment(start, end) for start, end in spans))


# ------------------------------------------------------------------------------------------- configuration

# Each alternative comes to an end wherever it begins: one that could fail after a long way would be tried again from
# the next letter on, which takes minutes for a hostile file.
_TOML = re.compile(
    r"""(?:\"{3}(?:\\.?|[^\\])*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)|"(?:\\[^\n]?|[^"\\\n])*(?:"|$)|'[^'\n]*(?:'|$))"""
    r"|(?P<comment>#[^\n]*)",
    re.DOTALL | re.MULTILINE,
)
_DOTENV = re.compile(
    r"""=[ \t]*(?:"(?:\\.?|[^"\\])*(?:"|\Z)|'(?:\\.?|[^'\\])*(?:'|\Z))|(?:^|(?<=[ \t]))(?P<comment>#[^\n]*)""",
    re.DOTALL | re.MULTILINE,
)
_CURLY = re.compile(
    r"""(?:"(?:\\[^\n]?|[^"\\\n])*(?:"|$)|'(?:\\[^\n]?|[^'\\\n])*(?:'|$))"""
    r"|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))",
    re.DOTALL | re.MULTILINE,
)
_LINES = re.compile(r"^[ \t]*(?P<comment>[#;!][^\n]*)", re.MULTILINE)
_SCANNERS = {
    "toml": _TOML, "json": _CURLY, "jsonc": _CURLY, "json5": _CURLY, "gradle": _CURLY, "kts": _CURLY,
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
    if suffix in ("xml", "plist"):
        return _at(_Text(text), _enclosed(_XML, text))
    scanner = _DOTENV if _ENVIRONMENT.fullmatch(name) else _SCANNERS.get(suffix, _LINES)
    spans = (match.span("comment") for match in scanner.finditer(text) if match["comment"])
    return _at(_Text(text), spans)


_HASH = re.compile(r"(?:^|(?<=[ \t]))#", re.MULTILINE)


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
    found = _at(_Text(text), _to_line_end(text, _outside((one.span() for one in _HASH.finditer(text)), scalars))).found
    return Comments(tuple(one for one in found if not stopped or one.line < stopped), stopped)


def _to_line_end(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """From the beginning of each span to the end of its line, a line once."""
    end = -1
    for start, _ in spans:
        if start > end:
            end = text.find("\n", start)
            end = len(text) if end < 0 else end
            yield start, end


def _outside(spans: Iterable[tuple[int, int]], taken: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The spans that do not begin inside one of `taken`; both are in order."""
    others = iter(taken)
    start, end = next(others, (0, 0))
    for span in spans:
        while end <= span[0]:
            start, end = next(others, (sys.maxsize, sys.maxsize))
        if span[0] < start:
            yield span


def _enclosed(signs: Mapping[str, str], text: str) -> Iterator[tuple[int, int]]:
    """What stands between pairs of signs, with them. An end that is nowhere is looked for once."""
    opening = re.compile("|".join(map(re.escape, signs)))
    endless: set[str] = set()
    at = 0
    while (match := opening.search(text, at)) is not None:
        at = match.end()
        closing = signs[match[0]]
        if closing in endless or (match[0] == "{#" and _BLOCK.match(text, at)):
            continue
        end = text.find(closing, at)
        if end < 0:
            endless.add(closing)
            continue
        at = end + len(closing)
        if match[0] != "<![CDATA[":
            yield match.start(), at
