"""What the JavaScript lowering shares: one file's spans, problems and bounds, and the dispatch by node type.

The other `javascript_*` modules register one small function for each grammar node with `@expression` or
`@statement`; they call one another through `Context.expression` and `Context.statements` alone, so that every
nested node passes the depth bound and the look-up of syntax errors.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import TypeAlias

from tree_sitter import Node as Syntax

from auditor.program import (
    Block,
    Express,
    Expression,
    Lambda,
    Literal,
    Name,
    Span,
    Statement,
    Unit,
    Unknown,
)

NESTING = 200
"""Nested expressions and statements on one path; deeper is Unknown("too deep"). Bounds Python's own stack."""

LINKS = 1000
"""Links of member chains, left-nested operators and `else if`s on one path: flat in source, nested as nodes."""

COMMENTS = frozenset({"comment", "html_comment", "hash_bang_line"})

LISTS = frozenset({"program", "statement_block", "class_body", "switch_case", "switch_default"})
"""Where a syntax error stands among whole statements or members: there it takes a place of its own."""

UNITS = frozenset({
    "function_declaration", "generator_function_declaration", "class_declaration", "abstract_class_declaration",
    "method_definition", "public_field_definition", "field_definition",
})  # fmt: skip
"""Besides `NAMED`, what holds the errors of its own head inside itself."""

TYPES = frozenset({
    "type_annotation", "type_arguments", "type_parameters", "interface_declaration", "type_alias_declaration",
    "ambient_declaration", "implements_clause", "asserts_annotation", "type_predicate_annotation",
    "method_signature", "abstract_method_signature", "index_signature",
})  # fmt: skip
"""Syntax that holds types only: nothing below it is lowered, except annotations by their own module."""

_PASSED_OVER = COMMENTS | TYPES | {"ERROR"}

ExpressionHandler: TypeAlias = "Callable[[Context, Syntax], Expression]"
StatementHandler: TypeAlias = "Callable[[Context, Syntax, list[Statement]], None]"
NamedHandler: TypeAlias = "Callable[[Context, Syntax, str], Expression]"

EXPRESSIONS: dict[str, ExpressionHandler] = {}
STATEMENTS: dict[str, StatementHandler] = {}
NAMED: dict[str, NamedHandler] = {}
"""Functions and classes: values that take the name of what they are assigned to, and place errors themselves."""


def expression(*kinds: str) -> Callable[[ExpressionHandler], ExpressionHandler]:
    """Register the handler of these node types: it gives the lowered expression."""

    def register(handler: ExpressionHandler) -> ExpressionHandler:
        EXPRESSIONS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def statement(*kinds: str) -> Callable[[StatementHandler], StatementHandler]:
    """Register the handler of these node types: it appends what the statement becomes, none or several."""

    def register(handler: StatementHandler) -> StatementHandler:
        STATEMENTS.update(dict.fromkeys(kinds, handler))
        return handler

    return register


def named(*kinds: str) -> Callable[[NamedHandler], NamedHandler]:
    """Register the handler of a function or class value, which also takes the name it is assigned to."""

    def register(handler: NamedHandler) -> NamedHandler:
        NAMED.update(dict.fromkeys(kinds, handler))
        EXPRESSIONS.update(dict.fromkeys(kinds, lambda context, node: handler(context, node, "")))
        return handler

    return register


class Context:
    """One file while it is lowered."""

    __slots__ = (
        "broken",
        "depth",
        "ends",
        "exporting",
        "jumps",
        "links",
        "namespaces",
        "problems",
        "source",
        "starts",
        "types",
    )

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.problems: dict[int, str] = {}
        self.depth = 0
        self.links = 0
        self.broken: dict[int, list[Syntax]] = {}
        self.jumps: list[str] = []
        self.namespaces = 0
        self.exporting: Syntax | None = None
        self.types: list[tuple[str, str, str]] = []

    # ------------------------------------------------------------------------------------------- places

    def at(self, node: Syntax) -> int:
        """A new span that covers the node."""
        self.starts.append(node.start_byte)
        self.ends.append(node.end_byte)
        return len(self.starts) - 1

    def across(self, first: Syntax, last: Syntax) -> int:
        """A new span from the start of one node to the end of another."""
        self.starts.append(first.start_byte)
        self.ends.append(last.end_byte)
        return len(self.starts) - 1

    def text(self, node: Syntax) -> str:
        """The node as it is written."""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def spans(self) -> tuple[Span, ...]:
        """All spans by line and character column.

        Byte offsets become positions here, once: asking tree-sitter for points costs four times as much.
        """
        place = _positions(self.source)
        return tuple([place(start) + place(end) for start, end in zip(self.starts, self.ends, strict=True)])

    def problem(self, node: Syntax, message: str) -> None:
        """Note what could not be read; one problem a line is enough."""
        self.problems.setdefault(node.start_point[0] + 1, message)

    # ---------------------------------------------------------------------------------------- lowering

    def expression(self, node: Syntax) -> Expression:
        """The expression of any node: Unknown with its parts where no handler knows it."""
        if self.depth >= NESTING:
            return self.too_deep(node)
        self.depth += 1
        kind = node.type
        handler = EXPRESSIONS.get(kind)
        value = handler(self, node) if handler else self.unknown(node, kind)
        if self.broken and kind not in NAMED and node.id in self.broken:
            value = Unknown(self.at(node), "syntax error", (value, *self.recover(self.broken[node.id])))
        self.depth -= 1
        return value

    def named(self, node: Syntax, name: str) -> Expression:
        """As `expression`, but a function or class without a name of its own takes this one."""
        node = bare(node)
        handler = NAMED.get(node.type)
        if handler is None or self.depth >= NESTING:
            return self.expression(node)
        self.depth += 1
        value = handler(self, node, name)
        self.depth -= 1
        return value

    def statements(self, nodes: Iterable[Syntax]) -> Block:
        """The statements of these nodes in order; tokens and comments among them are passed over."""
        out: list[Statement] = []
        for node in nodes:
            self.statement(node, out)
        return tuple(out)

    def statement(self, node: Syntax, out: list[Statement]) -> None:
        """Append what one statement becomes."""
        kind = node.type
        handler = STATEMENTS.get(kind)
        if handler is None:
            if kind == "ERROR":
                self.error(node, out)
            elif node.is_named and kind not in COMMENTS and kind not in TYPES:
                out.append(Express(self.at(node), self.expression(node)))
            return
        if self.depth >= NESTING:
            out.append(Express(self.at(node), self.too_deep(node)))
            return
        self.depth += 1
        if self.broken and kind not in UNITS:
            out.extend(self.damage(node))
        handler(self, node, out)
        self.depth -= 1

    def block(self, node: Syntax) -> Block:
        """The statements of `{ … }`, or of a single statement that stands for a block."""
        if node.type != "statement_block":
            return self.statements((node,))
        body = self.statements(node.children)
        return body if not self.broken else (*body, *self.damage(node))

    def field(self, node: Syntax, name: str) -> Expression | None:
        """The expression in a field of a node, if it is there."""
        child = node.child_by_field_name(name)
        return None if child is None else self.expression(child)

    # ----------------------------------------------------------------------------- what cannot be known

    def too_deep(self, node: Syntax) -> Unknown:
        """What stands for a node beyond the bounds."""
        self.problem(node, "nested too deeply to be read")
        return Unknown(self.at(node), "too deep")

    def unknown(self, node: Syntax, what: str) -> Expression:
        """A node that no handler knows, with all expressions found in it."""
        return Unknown(self.at(node), "syntax error" if what == "ERROR" else what, self.recover((node,)))

    def error(self, node: Syntax, out: list[Statement]) -> None:
        """A syntax error among statements: whole statements inside it are kept as such, the rest is Unknown."""
        loose = [child for child in node.children if child.type not in STATEMENTS]
        out.append(Express(self.at(node), Unknown(self.at(node), "syntax error", self.recover(loose))))
        for child in node.children:
            if child.type in STATEMENTS:
                self.statement(child, out)

    def damage(self, node: Syntax) -> Block:
        """What is broken in a statement or unit apart from its own expressions, as a statement to stand in it."""
        errors = self.broken.get(node.id)
        if errors is None:
            return ()
        return (Express(self.at(node), Unknown(self.at(node), "syntax error", self.recover(errors))),)

    def recover(self, nodes: Iterable[Syntax]) -> tuple[Expression, ...]:
        """All expressions found in these nodes, the outermost of each; statements are wrapped in a unit."""
        found: list[Expression] = []
        for node in nodes:
            self._recover(node, found)
        return tuple(found)

    def _recover(self, node: Syntax, found: list[Expression]) -> None:
        kind = node.type
        if kind in COMMENTS or kind in TYPES or node.is_missing or not node.is_named:
            return
        if kind in EXPRESSIONS:
            found.append(self.expression(node))
        elif kind in STATEMENTS:
            body = self.statements((node,))
            found.append(Lambda(self.at(node), Unit(self.at(node), "", (), body, arrow=True)))
        elif kind in ("property_identifier", "type_identifier"):
            found.append(Name(self.at(node), self.text(node)))
        elif self.depth >= NESTING:
            found.append(self.too_deep(node))
        else:
            self.depth += 1
            for child in node.children:
                self._recover(child, found)
            self.depth -= 1


def bare(node: Syntax) -> Syntax:
    """The expression inside parentheses, `as T`, `satisfies T`, `<T>x` and `x!`, which are nothing at run time.

    A node with a syntax error is left alone: its own handler must see it.
    """
    while True:
        kind = node.type
        if kind in ("as_expression", "satisfies_expression", "non_null_expression", "instantiation_expression"):
            inner: Syntax | None = node.children[0]
        elif kind == "parenthesized_expression" or kind == "type_assertion":
            inner = last_named(node)
        else:
            return node
        if inner is None or node.has_error:
            return node
        node = inner


def last_named(node: Syntax) -> Syntax | None:
    """The last child that is neither a token nor a comment, type or syntax error."""
    for child in reversed(node.children):
        if child.is_named and child.type not in _PASSED_OVER:
            return child
    return None


def null(context: Context, node: Syntax) -> Literal:
    """`undefined` at the place of a node."""
    return Literal(context.at(node), None)


def find_damage(context: Context, root: Syntax) -> None:
    """Name every ERROR and MISSING node as a problem and note it at the node that is to become partly unknown.

    Only what holds an error is visited. Errors in types that end on their line are no problem: the grammar lags
    behind TypeScript, and types are not lowered.
    """
    if root.type == "ERROR":
        context.problem(root, "syntax error")
    stack = [(root, root, False)]
    while stack:
        node, holder, typed = stack.pop()
        kind = node.type
        if kind in EXPRESSIONS or kind in STATEMENTS or kind in LISTS or kind in UNITS or kind == "ERROR":
            holder = node
        typed = typed or kind in TYPES
        for child in node.children:
            if child.type == "ERROR" or child.is_missing:
                _note(context, child, node, holder, typed)
            if child.has_error:
                stack.append((child, holder, typed))


def _note(context: Context, error: Syntax, parent: Syntax, holder: Syntax, typed: bool) -> None:
    if typed and error.start_point[0] == error.end_point[0]:
        return
    context.problem(error, f"syntax error: missing {error.type!r}" if error.is_missing else "syntax error")
    # An ERROR in a list or in another ERROR is lowered where it stands.
    if not typed and (error.is_missing or parent.type not in LISTS) and holder.type != "ERROR":
        context.broken.setdefault(holder.id, []).append(error)


def _positions(source: bytes) -> Callable[[int], tuple[int, int]]:
    """A function from byte offset to (line, column), both 1-based, the column counted in characters."""
    lines = [0]
    find = source.find
    while (index := find(b"\n", lines[-1])) >= 0:
        lines.append(index + 1)
    if source.isascii():

        def place(offset: int) -> tuple[int, int]:
            line = bisect_right(lines, offset)
            return line, offset - lines[line - 1] + 1

        return place
    # The bytes that continue a character, so that a column costs a search and not a decoding of its line.
    inner = [match.start() for match in re.finditer(rb"[\x80-\xbf]", source)]

    def place_wide(offset: int) -> tuple[int, int]:
        line = bisect_right(lines, offset)
        start = lines[line - 1]
        return line, offset - start - (bisect_right(inner, offset - 1) - bisect_right(inner, start)) + 1

    return place_wide
