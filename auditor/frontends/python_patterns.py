"""Python's `match`: its patterns as tests, names and unknowns with everything that stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import libcst as cst

from auditor import program as ir
from auditor.frontends.python_context import Context
from auditor.frontends.python_expressions import expression

# `case str(x)` gives the subject itself to x.
_WHOLE = frozenset(("bool", "bytearray", "bytes", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"))


def case(context: Context, node: cst.MatchCase, body: ir.Block) -> ir.Case:
    """One case. No tests: it takes everything."""
    guard = expression(context, node.guard) if node.guard is not None else None
    tests = tuple(_tests(context, node.pattern))
    return ir.Case(context.at(node), tests, body, False, guard, _bound(context, node.pattern))


def _tests(context: Context, pattern: cst.MatchPattern) -> list[ir.Expression]:
    """What the subject is compared with; a structure is an unknown test, and a bare name is none."""
    if isinstance(pattern, (cst.MatchValue, cst.MatchSingleton)):
        return [expression(context, pattern.value)]
    if isinstance(pattern, cst.MatchAs):
        return _tests(context, pattern.pattern) if pattern.pattern is not None else []
    if isinstance(pattern, cst.MatchOr):
        alternatives = [_tests(context, element.pattern) for element in pattern.patterns]
        # A bare name or `_` as one alternative takes everything.
        return [test for tests in alternatives for test in tests] if all(alternatives) else []
    at = context.at(pattern)
    return [ir.Unknown(at, type(pattern).__name__, tuple(_below(context, pattern)))]


def _below(context: Context, pattern: cst.MatchPattern | cst.MatchStar) -> list[ir.Expression]:
    """The expressions within a structure."""
    found: list[ir.Expression] = []
    if isinstance(pattern, cst.MatchSequence):
        for element in pattern.patterns:
            if isinstance(element, cst.MatchSequenceElement):
                found += _tests(context, element.value)
    elif isinstance(pattern, cst.MatchMapping):
        for entry in pattern.elements:
            found.append(expression(context, entry.key))
            found += _tests(context, entry.pattern)
    elif isinstance(pattern, cst.MatchClass):
        found.append(expression(context, pattern.cls))
        for part in (*(each.value for each in pattern.patterns), *(each.pattern for each in pattern.kwds)):
            found += _tests(context, part)
    return found


def _bound(context: Context, pattern: cst.MatchPattern) -> ir.Target | None:
    """What takes the subject or its parts; None when no name is bound."""
    if isinstance(pattern, cst.MatchAs):
        if pattern.name is not None:
            return ir.Name(context.at(pattern.name), pattern.name.value)
        return _bound(context, pattern.pattern) if pattern.pattern is not None else None
    if isinstance(pattern, cst.MatchOr):
        # All alternatives bind the same names.
        return _bound(context, pattern.patterns[0].pattern)
    if isinstance(pattern, cst.MatchSequence):
        return _bound_sequence(context, pattern)
    if isinstance(pattern, cst.MatchMapping):
        keys = [(entry, expression(context, entry.key), entry.pattern) for entry in pattern.elements]
        return _bound_items(context, pattern, keys, pattern.rest)
    if isinstance(pattern, cst.MatchClass):
        return _bound_class(context, pattern)
    return None


def _bound_sequence(context: Context, pattern: cst.MatchSequence) -> ir.Target | None:
    """The names in a sequence, each at its place; what binds nothing there is unknown."""
    items: list[ir.Expression] = []
    names = False
    for element in pattern.patterns:
        inner: ir.Target | None
        if isinstance(element, cst.MatchStar):
            inner = ir.Name(context.at(element.name), element.name.value) if element.name is not None else None
        else:
            inner = _bound(context, element.value)
        names = names or inner is not None
        item = _within(inner) if inner is not None else ir.Unknown(context.at(element), "unbound")
        items.append(ir.Spread(context.at(element), item) if isinstance(element, cst.MatchStar) else item)
    return ir.Sequence(context.at(pattern), tuple(items)) if names else None


def _within(bound: ir.Target) -> ir.Expression:
    """A target as an item of a sequence, which can hold no patterns: of these the names remain."""
    if not isinstance(bound, (ir.Pattern, ir.Default)):
        return bound
    names = tuple([node for node in ir.walk(bound) if isinstance(node, ir.Name)])
    return ir.Unknown(bound.at, "pattern", names)


def _bound_class(context: Context, pattern: cst.MatchClass) -> ir.Target | None:
    """The names in `Class(x, y=z)`: attributes by name; a position is an unknown key."""
    whole = isinstance(pattern.cls, cst.Name) and pattern.cls.value in _WHOLE
    if whole and len(pattern.patterns) == 1 and not pattern.kwds:
        return _bound(context, pattern.patterns[0].value)
    keys: list[tuple[cst.CSTNode, ir.Expression, cst.MatchPattern]] = []
    for position in pattern.patterns:
        keys.append((position, ir.Unknown(context.at(position), "position"), position.value))
    for keyword in pattern.kwds:
        keys.append((keyword, ir.Literal(context.at(keyword.key), keyword.key.value), keyword.pattern))
    return _bound_items(context, pattern, keys, None)


def _bound_items(
    context: Context, pattern: cst.MatchPattern, keys: Sequence[tuple[cst.CSTNode, ir.Expression, Any]],
    rest: cst.Name | None,
) -> ir.Target | None:  # fmt: skip
    """The entries that bind a name, by their keys."""
    items = []
    for place, key, inner in keys:
        bound = _bound(context, inner)
        if bound is not None:
            items.append(ir.PatternItem(context.at(place), key, bound))
    if not items and rest is None:
        return None
    taken = ir.Name(context.at(rest), rest.value) if rest is not None else None
    return ir.Pattern(context.at(pattern), tuple(items), taken)
