"""Type annotations, as far as a later layer can use them: names of injected services and entities."""

from __future__ import annotations

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import COMMENTS, NESTING, Context
from auditor.program import Expression, Literal, Member, Name, Operator, Sequence, Subscript, Unknown


def annotation(context: Context, node: Syntax) -> Expression | None:
    """The annotation in a node's `type` or `return_type` field; None where there is none."""
    found = node.child_by_field_name("type") or node.child_by_field_name("return_type")
    if found is None:
        return None
    types = _types(found) if found.type == "type_annotation" else []
    return lower_type(context, types[0]) if types else Unknown(context.at(found), "type")


def lower_type(context: Context, node: Syntax) -> Expression:
    """A reference is a Name or Member, generics and arrays Subscripts, a union `|` as in Python; the rest Unknown."""
    kind = node.type
    if kind in ("type_identifier", "identifier", "predefined_type", "this_type"):
        return Name(context.at(node), context.text(node))
    if context.depth >= NESTING:
        return context.too_deep(node)
    context.depth += 1
    value = _compound(context, node, kind)
    context.depth -= 1
    return value


def _compound(context: Context, node: Syntax, kind: str) -> Expression:
    parts = _types(node)
    if kind in ("nested_type_identifier", "nested_identifier", "member_expression") and len(parts) == 2:
        return Member(context.at(node), lower_type(context, parts[0]), context.text(parts[1]))
    if kind == "generic_type" and len(parts) == 2:
        arguments = tuple([lower_type(context, part) for part in _types(parts[1])])
        key = arguments[0] if len(arguments) == 1 else Sequence(context.at(parts[1]), arguments)
        return Subscript(context.at(node), lower_type(context, parts[0]), key)
    if kind == "array_type" and parts:
        # `T[]` is `Array<T>`.
        return Subscript(context.at(node), Name(context.at(node), "Array"), lower_type(context, parts[0]))
    if kind == "union_type":
        return Operator(context.at(node), "|", tuple([lower_type(context, part) for part in _union(node)]))
    if kind == "literal_type" and parts:
        return _literal(context, parts[0])
    if kind in ("parenthesized_type", "readonly_type") and parts:
        return lower_type(context, parts[-1])
    return Unknown(context.at(node), "type")


def _types(node: Syntax) -> list[Syntax]:
    return [child for child in node.children if child.is_named and child.type not in COMMENTS]


def _union(node: Syntax) -> list[Syntax]:
    """The members of a union, which the grammar nests to the left, without recursion."""
    members: list[Syntax] = []
    stack = [node]
    while stack:
        part = stack.pop()
        if part.type == "union_type":
            stack.extend(_types(part))
        else:
            members.append(part)
    return members[::-1]


def _literal(context: Context, node: Syntax) -> Expression:
    if node.type in ("string", "number", "true", "false", "null", "undefined"):
        return context.expression(node)
    return Literal(context.at(node), context.text(node))
