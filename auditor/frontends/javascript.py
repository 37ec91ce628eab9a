"""JavaScript, TypeScript and JSX: source text to a `Program`, by tree-sitter.

Columns are counted in characters. Every syntax error is a problem of the program and Unknown where it stands;
the rest of the file is lowered as if nothing had happened.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import Literal as OneOf
from typing import TypeAlias

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Parser, Range, Tree
from tree_sitter import Node as Syntax

from auditor.frontends import (
    javascript_expressions,
    javascript_jsx,
    javascript_modules,
    javascript_statements,
    javascript_units,
)
from auditor.frontends.errors import Unreadable
from auditor.frontends.javascript_context import Context, find_damage
from auditor.program import Block, Express, Literal, Program

_HANDLERS = (
    javascript_expressions,
    javascript_jsx,
    javascript_modules,
    javascript_statements,
    javascript_units,
)
"""The modules whose handlers register themselves when they are imported."""

Grammar: TypeAlias = OneOf["javascript", "typescript", "tsx"]

LARGEST = 2 * 1024 * 1024
"""Bytes of source; more is not read."""

_STACK = 20_000
"""Frames of Python. The bounds of `Context` need some 2,000; the caller's own come on top."""

_UNKNOWN_TO_GRAMMAR = re.compile(
    rb"\bexport\s+type\s*\*[^;\r\n]*;?"
    rb"|(?<=\babstract)\s+override\b(?=[^;\r\n(]*[:;])"
    rb"|\boverride\s+(?=abstract\b)"
    rb"|\baccessor(?=[ \t]+[#\w$]+\s*[=;:!?])"
)
"""TypeScript's syntax that the grammar does not know and that is nothing at run time. Blanked, it leaves no error."""


def lower(path: str, language: OneOf["javascript", "typescript"], source: bytes) -> Program:
    """The program of one file. Raises Unreadable if it is binary, too large or too ambiguous to be parsed."""
    text = readable(source)
    grammar = grammar_of(path, language)
    tree = parse(text, grammar)
    if tree.root_node.has_error and language == "typescript":
        tree = _parse_known(text, grammar, tree)
    context = Context(text)
    body = lower_tree(context, tree.root_node)
    directives, body = _directives(context, body)
    if text.startswith(b"#!"):
        directives = ("#!", *directives)
    return Program(
        path,
        language,
        body,
        context.spans(),
        directives,
        tuple(sorted(context.problems.items())),
        text.count(b"\n") + (not text.endswith(b"\n") and bool(text)),
        tuple(context.types),
    )


def lower_tree(context: Context, root: Syntax) -> Block:
    """The statements of a parsed file, or of a part of it: the context keeps spans and problems."""
    if sys.getrecursionlimit() < _STACK:
        sys.setrecursionlimit(_STACK)
    if root.has_error:
        find_damage(context, root)
    body = context.statements(root.children if root.type == "program" else (root,))
    return (*context.damage(root), *body) if context.broken else body


def readable(source: bytes) -> bytes:
    """The source as UTF-8. What is not UTF-8 is taken for Latin-1, as browsers do; NUL bytes are no text."""
    if len(source) > LARGEST:
        raise Unreadable("too-large", f"more than {LARGEST // 1024} KB")
    if b"\0" in source:
        raise Unreadable("encoding", "binary, or not in UTF-8", source[: source.index(b"\0")].count(b"\n") + 1)
    try:
        source.decode("utf-8")
    except UnicodeDecodeError:
        return source.decode("latin-1").encode("utf-8")
    return source


def grammar_of(path: str, language: OneOf["javascript", "typescript"]) -> Grammar:
    """The grammar that fits a file's name."""
    if language == "javascript":
        return "javascript"
    return "tsx" if path.lower().endswith(".tsx") else "typescript"


@cache
def _grammar(name: Grammar) -> Language:
    if name == "javascript":
        return Language(tree_sitter_javascript.language())
    if name == "tsx":
        return Language(tree_sitter_typescript.language_tsx())
    return Language(tree_sitter_typescript.language_typescript())


def parse(source: bytes, grammar: Grammar, ranges: list[Range] | None = None) -> Tree:
    """The syntax tree, of these ranges only if they are given. Raises Unreadable if parsing does not come to an end.

    tree-sitter's recovery from errors can take minutes for 200 KB of noise. It reports its progress by steps: real
    files, minified ones too, take up to one for 40 bytes. They are counted instead of time, so that the same file
    always has the same result.
    """
    size = len(source) if ranges is None else sum(part.end_byte - part.start_byte for part in ranges)
    allowed = 2000 + size // 10
    steps = 0

    def read(offset: int, _point: object) -> bytes:
        return source[offset : offset + 65536]

    def progress(_offset: int, _has_error: bool) -> bool:
        nonlocal steps
        steps += 1
        return steps > allowed

    parser = Parser(_grammar(grammar)) if ranges is None else Parser(_grammar(grammar), included_ranges=ranges)
    try:
        return parser.parse(read, progress_callback=progress)
    except ValueError as error:
        raise Unreadable("too-complex", "no end to its syntax errors") from error


def _parse_known(source: bytes, grammar: Grammar, tree: Tree) -> Tree:
    """The tree without the syntax that the grammar does not know, if there is any; bytes keep their places."""
    known = _UNKNOWN_TO_GRAMMAR.sub(lambda match: re.sub(rb"[^\r\n]", b" ", match[0]), source)
    return tree if known == source else parse(known, grammar)


def _directives(context: Context, body: Block) -> tuple[tuple[str, ...], Block]:
    """The leading string statements of a file, and what follows them. A regular expression or template is none."""
    found: list[str] = []
    for made in body:
        value = made.value if isinstance(made, Express) else None
        if not isinstance(value, Literal) or not isinstance(value.value, str):
            break
        if context.source[context.starts[value.at]] not in b"\"'":
            break
        found.append(value.value)
    return tuple(found), body[len(found) :]
