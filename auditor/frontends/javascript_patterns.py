"""Targets: what stands left of an assignment, in a declaration or in a list of parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import COMMENTS, EXPRESSIONS, NESTING, Context, bare
from auditor.frontends.javascript_text import number, unquote
from auditor.frontends.javascript_types import annotation
from auditor.program import (
    Default,
    Expression,
    Literal,
    Member,
    Name,
    Parameter,
    Pattern,
    PatternItem,
    Sequence,
    Spread,
    Subscript,
    Target,
    Unknown,
)

_NAMES = frozenset({
    "identifier", "shorthand_property_identifier_pattern", "shorthand_property_identifier", "undefined", "this",
    "type_identifier",
})  # fmt: skip


def target(context: Context, node: Syntax) -> Target:
    """What is assigned to: a name, a member, a pattern; Unknown for what no assignment can have."""
    kind = node.type
    if kind in _NAMES:
        return Name(context.at(node), context.text(node))
    if context.depth >= NESTING:
        return context.too_deep(node)
    context.depth += 1
    found = _pattern(context, bare(node))
    context.depth -= 1
    return found


def _pattern(context: Context, node: Syntax) -> Target:
    kind = node.type
    if kind in _NAMES:
        return Name(context.at(node), context.text(node))
    if kind == "object_pattern":
        return object_pattern(context, node)
    if kind == "array_pattern":
        return Sequence(context.at(node), tuple(_elements(context, node)))
    if kind in ("assignment_pattern", "object_assignment_pattern"):
        place = context.at(node)
        inner, default = split_default(context, node)
        return inner if default is None else Default(place, inner, default)
    if kind in ("rest_pattern", "spread_element"):
        return Spread(context.at(node), cast(Expression, _rest(context, node)))
    if kind in EXPRESSIONS:
        value = context.expression(node)
        return value if isinstance(value, Member | Subscript | Unknown) else Unknown(value.at, "target", (value,))
    return Unknown(context.at(node), kind, context.recover(node.children))


def split_default(context: Context, node: Syntax) -> tuple[Target, Expression | None]:
    """The target and default of `target = default`, or the target alone."""
    if node.type not in ("assignment_pattern", "object_assignment_pattern"):
        return target(context, node), None
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return Unknown(context.at(node), "syntax error", context.recover(node.children)), None
    inner = target(context, left)
    return inner, context.named(right, inner.id if isinstance(inner, Name) else "")


def object_pattern(context: Context, node: Syntax) -> Pattern:
    """`{a, b: c = 1, ...rest}`."""
    place = context.at(node)
    items: list[PatternItem] = []
    rest: Target | None = None
    for child in node.children:
        kind = child.type
        if kind == "shorthand_property_identifier_pattern":
            key = Literal(context.at(child), context.text(child))
            items.append(PatternItem(key.at, key, Name(key.at, context.text(child))))
        elif kind == "object_assignment_pattern":
            items.append(_shorthand_default(context, child))
        elif kind == "pair_pattern":
            items.append(_pair(context, child))
        elif kind == "rest_pattern":
            rest = _rest(context, child)
    return Pattern(place, tuple(items), rest)


def _shorthand_default(context: Context, node: Syntax) -> PatternItem:
    place = context.at(node)
    left, default = split_default(context, node)
    key = left.id if isinstance(left, Name) else ""
    return PatternItem(place, Literal(left.at, key), left, default)


def _pair(context: Context, node: Syntax) -> PatternItem:
    place = context.at(node)
    name, value = node.child_by_field_name("key"), node.child_by_field_name("value")
    left: Expression = Unknown(place, "key") if name is None else key(context, name)
    if value is None:
        return PatternItem(place, left, Unknown(place, "target"))
    inner, default = split_default(context, value)
    return PatternItem(place, left, inner, default)


def _rest(context: Context, node: Syntax) -> Target:
    """The target of `...target`."""
    for child in node.children:
        if child.is_named and child.type not in COMMENTS:
            return target(context, child)
    return Unknown(context.at(node), "rest")


def _elements(context: Context, node: Syntax) -> Iterator[Expression]:
    """The targets of an array pattern; a hole takes a value and drops it."""
    for child in filled(node):
        if isinstance(child, tuple):
            yield Unknown(context.at(child[0]), "hole")
        else:
            # A Sequence is typed by its expressions; as a target it also holds patterns and defaults.
            yield cast(Expression, target(context, child))


def filled(node: Syntax) -> Iterator[Syntax | tuple[Syntax]]:
    """The elements of an array in order; a hole is a tuple of the comma that follows it."""
    expecting = True
    for child in node.children:
        kind = child.type
        if kind == ",":
            if expecting:
                yield (child,)
            expecting = True
        elif child.is_named and kind not in COMMENTS and kind != "ERROR":
            yield child
            expecting = False


def key(context: Context, node: Syntax) -> Expression:
    """The key of a property: a Literal unless it is computed."""
    kind = node.type
    if kind == "computed_property_name":
        inner = next((child for child in node.children if child.is_named and child.type not in COMMENTS), None)
        return Unknown(context.at(node), "key") if inner is None else context.expression(inner)
    text = context.text(node)
    if kind == "string":
        return Literal(context.at(node), unquote(text))
    if kind == "number":
        return Literal(context.at(node), number(text))
    return Literal(context.at(node), text)


def names(found: object) -> Iterator[Name]:
    """All names that a target binds, in order."""
    stack = [found]
    while stack:
        node = stack.pop()
        if isinstance(node, Name):
            yield node
        elif isinstance(node, Sequence):
            stack.extend(reversed(node.items))
        elif isinstance(node, Pattern):
            stack.extend((node.rest, *[item.target for item in reversed(node.items)]))
        elif isinstance(node, Default):
            stack.append(node.target)
        elif isinstance(node, Spread):
            stack.append(node.value)


# ---------------------------------------------------------------------------------------------- parameters


def parameters(context: Context, node: Syntax) -> tuple[tuple[Parameter, ...], tuple[Parameter, ...]]:
    """The parameters of a function node, and those of them that TypeScript also makes properties of `this`."""
    single = node.child_by_field_name("parameter")
    if single is not None:
        return (Parameter(context.at(single), target(context, single)),), ()
    listed = node.child_by_field_name("parameters")
    found: list[Parameter] = []
    properties: list[Parameter] = []
    for child in listed.children if listed is not None else ():
        kind = child.type
        if kind in ("required_parameter", "optional_parameter"):
            _typed(context, child, found, properties)
        elif child.is_named and kind not in COMMENTS and kind != "ERROR":
            found.append(_plain(context, child, context.at(child)))
    return tuple(found), tuple(properties)


def _typed(context: Context, node: Syntax, found: list[Parameter], properties: list[Parameter]) -> None:
    """A TypeScript parameter; `this: T` is a type only."""
    pattern = node.child_by_field_name("pattern")
    if pattern is None or pattern.type == "this":
        return
    place = context.at(node)
    inner = _plain(context, pattern, place)
    value = node.child_by_field_name("value")
    name = inner.target.id if isinstance(inner.target, Name) else ""
    found.append(
        Parameter(
            place,
            inner.target,
            inner.default if value is None else context.named(value, name),
            inner.kind,
            annotation(context, node),
            decorators(context, node),
        )
    )
    if any(child.type in ("accessibility_modifier", "readonly", "override_modifier") for child in node.children):
        properties.append(found[-1])


def _plain(context: Context, node: Syntax, place: int) -> Parameter:
    if node.type == "rest_pattern":
        for child in node.children:
            if child.is_named and child.type not in COMMENTS:
                return Parameter(place, target(context, child), kind="rest")
    inner, default = split_default(context, node)
    return Parameter(place, inner, default)


def decorators(context: Context, *holders: Syntax) -> tuple[Expression, ...]:
    """The decorators among the children of these nodes, outermost first."""
    found: list[Expression] = []
    for holder in holders:
        for child in holder.children:
            if child.type == "decorator":
                found.append(decorator(context, child))
    return tuple(found)


def decorator(context: Context, node: Syntax) -> Expression:
    """The expression of one `@decorator`."""
    inner = next((child for child in node.children if child.is_named and child.type not in COMMENTS), None)
    return Unknown(context.at(node), "decorator") if inner is None else context.expression(inner)
