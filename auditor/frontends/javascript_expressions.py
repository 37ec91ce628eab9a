"""Expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import COMMENTS, LINKS, Context, bare, expression, last_named, null
from auditor.frontends.javascript_patterns import filled, key, target
from auditor.frontends.javascript_text import number, unescape, unquote
from auditor.frontends.javascript_units import object_method, value_name
from auditor.program import (
    Argument,
    Await,
    Bind,
    Call,
    Comparison,
    Conditional,
    Expression,
    Item,
    Literal,
    Mapping,
    Member,
    Name,
    Operator,
    Sequence,
    Spread,
    Subscript,
    Text,
    Unknown,
    Yield,
)

# ------------------------------------------------------------------------------------- names and constants


@expression("identifier", "this", "super", "import", "shorthand_property_identifier", "statement_identifier")
def name(context: Context, node: Syntax) -> Expression:
    """A name. One that the parser had to invent is Unknown."""
    text = context.text(node)
    return Name(context.at(node), text) if text else Unknown(context.at(node), "missing")


@expression("undefined", "null")
def nothing(context: Context, node: Syntax) -> Literal:
    """`undefined` and `null`."""
    return Literal(context.at(node), None, node.type == "null")


@expression("true", "false")
def truth(context: Context, node: Syntax) -> Literal:
    """A boolean."""
    return Literal(context.at(node), node.type == "true")


@expression("number")
def numeral(context: Context, node: Syntax) -> Literal:
    """A number or BigInt."""
    return Literal(context.at(node), number(context.text(node)))


@expression("string")
def string(context: Context, node: Syntax) -> Literal:
    """A string."""
    return Literal(context.at(node), unquote(context.text(node)))


@expression("regex", "private_property_identifier", "string_fragment")
def literally(context: Context, node: Syntax) -> Literal:
    """What stands for its own text: a regular expression; `#x` in `#x in y`."""
    return Literal(context.at(node), context.text(node))


@expression("meta_property")
def meta(context: Context, node: Syntax) -> Member:
    """`new.target`, `import.meta`."""
    first, _, last = context.text(node).partition(".")
    return Member(context.at(node), Name(context.at(node), first.strip()), last.strip())


@expression("template_string")
def template(context: Context, node: Syntax) -> Expression:
    """A template; without substitutions it is the same thing as a string."""
    place = context.at(node)
    parts = [part for part in pieces(context, node) if not isinstance(part, Literal) or part.value != ""]
    if not parts:
        return Literal(place, "")
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Literal) else Text(place, tuple(parts))


def pieces(context: Context, node: Syntax) -> list[Expression]:
    """The pieces of a template: a Literal, possibly empty, before, between and after the substitutions."""
    parts: list[Expression] = []
    children = node.children
    fixed = children[0]
    start, source = fixed.end_byte, context.source
    for index, child in enumerate(children[1:], 2):
        if child.type == "template_substitution" or index == len(children):
            text = source[start : child.start_byte].decode("utf-8", "replace")
            parts.append(Literal(context.across(fixed, child), unescape(text.replace("\r\n", "\n"))))
            fixed, start = child, child.end_byte
        if child.type == "template_substitution":
            inner = last_named(child)
            parts.append(Unknown(context.at(child), "missing") if inner is None else context.expression(inner))
    return parts


# -------------------------------------------------------------------------------------- members and calls


@expression("member_expression", "subscript_expression", "call_expression", "nested_identifier")
def chain(context: Context, node: Syntax) -> Expression:
    """A chain of members, subscripts and calls, however long: its links are lowered in a loop, innermost first."""
    links: list[Syntax] = []
    inner = node
    while (kind := inner.type) in _LINKS or kind == "non_null_expression":
        if context.broken and links and inner.id in context.broken:
            break
        if kind != "non_null_expression":
            links.append(inner)
        inner = inner.children[0]
    promise = _awaited_by_name(context, links, inner)
    if promise is not None:
        links.pop()
        inner = promise
    spare = LINKS - context.links
    if len(links) > spare:
        value: Expression = context.too_deep(inner)
        links = links[: max(spare, 1)]
        context.links += len(links)
    else:
        context.links += len(links)
        value = context.expression(inner)
    for link in reversed(links):
        value = _LINKS[link.type](context, link, value)
    context.links -= len(links)
    return value if promise is None else Await(context.at(node), value)


def _awaited_by_name(context: Context, links: list[Syntax], inner: Syntax) -> Syntax | None:
    """What `await (x).y()` waits for, `(x).y()`, begins with: the grammar takes it for a call of a function `await`."""
    if not links or links[-1].type != "call_expression" or inner.type != "identifier" or context.text(inner) != "await":
        return None
    given = links[-1].child_by_field_name("arguments")
    found = given.named_children if given is not None and given.type == "arguments" else []
    return found[0] if len(found) == 1 and found[0].type != "spread_element" else None


def _member(context: Context, node: Syntax, value: Expression) -> Expression:
    parts = node.children
    last = parts[2] if len(parts) == 3 else node.child_by_field_name("property")
    if last is None:
        return Unknown(context.at(node), "member", (value,))
    optional = parts[1].type == "optional_chain" or (len(parts) > 3 and _optional(node))
    return Member(context.at(node), value, context.text(last), optional)


def _subscript(context: Context, node: Syntax, value: Expression) -> Expression:
    index = node.child_by_field_name("index")
    found = Unknown(context.at(node), "missing") if index is None else context.expression(index)
    return Subscript(context.at(node), value, found, False, _optional(node))


def _call(context: Context, node: Syntax, value: Expression) -> Expression:
    place = context.at(node)
    given = node.child_by_field_name("arguments")
    if given is not None and given.type == "template_string":
        return Call(place, value, _tagged(context, given))
    return Call(place, value, arguments(context, given), False, len(node.children) > 2 and _optional(node))


_Link: TypeAlias = Callable[[Context, Syntax, Expression], Expression]
_LINKS: dict[str, _Link] = {
    "member_expression": _member,
    "nested_identifier": _member,
    "subscript_expression": _subscript,
    "call_expression": _call,
}


def _optional(node: Syntax) -> bool:
    return any(child.type in ("optional_chain", "?.") for child in node.children)


def _tagged(context: Context, node: Syntax) -> tuple[Argument, ...]:
    """What a tag receives: its fixed pieces as one Text, then the substitutions."""
    parts = pieces(context, node)
    fixed = Text(context.at(node), tuple(parts[::2]))
    return (Argument(fixed.at, fixed), *[Argument(part.at, part) for part in parts[1::2]])


def arguments(context: Context, node: Syntax | None) -> tuple[Argument, ...]:
    """The arguments between the parentheses of a call."""
    found: list[Argument] = []
    for child in node.children if node is not None else ():
        kind = child.type
        if kind == "spread_element":
            found.append(Argument(context.at(child), _spread_value(context, child), None, True))
        elif child.is_named and kind not in COMMENTS and kind != "ERROR":
            value = context.expression(child)
            found.append(Argument(value.at, value))
    return tuple(found)


@expression("new_expression")
def construct(context: Context, node: Syntax) -> Expression:
    """`new X(…)`, with or without parentheses."""
    place = context.at(node)
    callee = context.field(node, "constructor") or Unknown(place, "missing")
    return Call(place, callee, arguments(context, node.child_by_field_name("arguments")), new=True)


@expression("spread_element")
def spread(context: Context, node: Syntax) -> Spread:
    """`...x` in an array, or as a child of a JSX element."""
    return Spread(context.at(node), _spread_value(context, node))


def _spread_value(context: Context, node: Syntax) -> Expression:
    inner = last_named(node)
    return Unknown(context.at(node), "missing") if inner is None else context.expression(inner)


# ---------------------------------------------------------------------------------------------- collections


@expression("object")
def mapping(context: Context, node: Syntax) -> Mapping:
    """An object literal."""
    place = context.at(node)
    items: list[Item] = []
    for child in node.children:
        kind = child.type
        if kind == "pair":
            items.append(_pair(context, child))
        elif kind == "shorthand_property_identifier":
            left = Literal(context.at(child), context.text(child))
            value = Literal(left.at, None) if left.value == "undefined" else Name(left.at, context.text(child))
            items.append(Item(left.at, left, value))
        elif kind == "spread_element":
            items.append(Item(context.at(child), None, _spread_value(context, child)))
        elif kind == "method_definition":
            items.append(object_method(context, child))
    return Mapping(place, tuple(items))


def _pair(context: Context, node: Syntax) -> Item:
    place = context.at(node)
    left, right = node.child_by_field_name("key"), node.child_by_field_name("value")
    found = Unknown(place, "key") if left is None else key(context, left)
    if right is None:
        return Item(place, found, Unknown(place, "missing"))
    return Item(place, found, context.named(right, str(found.value) if isinstance(found, Literal) else ""))


@expression("array")
def array(context: Context, node: Syntax) -> Sequence:
    """An array literal; a hole is undefined."""
    place = context.at(node)
    return Sequence(
        place,
        tuple([
            null(context, child[0]) if isinstance(child, tuple) else context.expression(child)
            for child in filled(node)
        ]),
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------ operators

_COMPARISONS = {
    "===": ("==", False), "!==": ("!=", False), "==": ("==", True), "!=": ("!=", True), "<": ("<", False),
    "<=": ("<=", False), ">": (">", False), ">=": (">=", False), "in": ("in", False),
    "instanceof": ("instanceof", False),
}  # fmt: skip
_WORDS = {"&&": "and", "||": "or", "??": "nullish", "!": "not", ">>>": ">>"}
_FLAT = frozenset({"and", "or", "nullish", "+", "*", "&", "|", "^"})
_LOGICAL = frozenset({"and", "or", "nullish"})


@expression("binary_expression")
def binary(context: Context, node: Syntax) -> Expression:
    """A comparison or an operator over all its operands, which the grammar nests to the left."""
    sign = _sign(node)
    if sign in _COMPARISONS:
        op, loose = _COMPARISONS[sign]
        place = context.at(node)
        left, right = context.field(node, "left"), context.field(node, "right")
        missing = Unknown(place, "missing")
        return Comparison(place, op, left or missing, right or missing, loose)
    op = _WORDS.get(sign, sign)
    return _flat(context, node, op) if op in _FLAT else _nested(context, node)


def _flat(context: Context, node: Syntax, op: str) -> Operator:
    """`a + b + c` as one operator. `a && (b && c)` is the same as `a && b && c`; `a + (b + c)` is not."""
    place = context.at(node)
    parts: list[Syntax] = []
    inner = node
    while True:
        left, right = inner.child_by_field_name("left"), inner.child_by_field_name("right")
        parts.extend(part for part in (right,) if part is not None)
        if left is None:
            break
        inner = bare(left)
        if inner.type != "binary_expression" or _WORDS.get(_sign(inner), _sign(inner)) != op:
            parts.append(inner)
            break
        if context.broken and inner.id in context.broken:
            parts.append(inner)
            break
    operands: list[Expression] = []
    for part in reversed(parts):
        value = context.expression(part)
        same = op in _LOGICAL and isinstance(value, Operator) and value.op == op
        operands.extend(value.operands if isinstance(value, Operator) and same else (value,))
    return Operator(place, op, tuple(operands))


def _nested(context: Context, node: Syntax) -> Expression:
    """`a - b - c`: operators of two operands, nested to the left, in a loop and bounded."""
    chained: list[Syntax] = []
    inner = node
    while inner.type == "binary_expression" and _sign(inner) not in _COMPARISONS:
        if chained and (_WORDS.get(_sign(inner), _sign(inner)) in _FLAT or inner.id in context.broken):
            break
        left = inner.child_by_field_name("left")
        if left is None:
            break
        chained.append(inner)
        inner = left
    spare = LINKS - context.links
    if not chained:
        return Unknown(context.at(node), "missing")
    if len(chained) > spare:
        value: Expression = context.too_deep(inner)
        chained = chained[: max(spare, 1)]
        context.links += len(chained)
    else:
        context.links += len(chained)
        value = context.expression(inner)
    for link in reversed(chained):
        right = context.field(link, "right") or Unknown(context.at(link), "missing")
        value = Operator(context.at(link), _WORDS.get(_sign(link), _sign(link)), (value, right))
    context.links -= len(chained)
    return value


def _sign(node: Syntax) -> str:
    """The operator of a node, as written."""
    parts = node.children
    if len(parts) == 3:
        return parts[1].type
    found = node.child_by_field_name("operator")
    return "" if found is None else found.type


@expression("unary_expression")
def unary(context: Context, node: Syntax) -> Expression:
    """`!x`, `-x`, `typeof x`, …; `void 0` is undefined; `delete` only as a statement is modelled."""
    found = node.child_by_field_name("operator")
    sign = "" if found is None else found.type
    place = context.at(node)
    value = context.field(node, "argument") or Unknown(place, "missing")
    if sign == "delete":
        return Unknown(place, "delete", (value,))
    if sign == "void" and isinstance(value, Literal):
        return Literal(place, None)
    return Operator(place, _WORDS.get(sign, sign), (value,))


@expression("ternary_expression")
def ternary(context: Context, node: Syntax) -> Conditional:
    """`test ? then : otherwise`."""
    place = context.at(node)
    test, then, otherwise = [context.field(node, part) for part in ("condition", "consequence", "alternative")]
    missing = Unknown(place, "missing")
    return Conditional(place, test or missing, then or missing, otherwise or missing)


@expression("sequence_expression")
def sequence(context: Context, node: Syntax) -> Unknown:
    """`a, b` used as a value: the last child is the value."""
    place = context.at(node)
    return Unknown(place, "sequence", tuple([context.expression(part) for part in sequence_parts(node)]))


def sequence_parts(node: Syntax) -> list[Syntax]:
    """The expressions of `a, b, c` in order, however the grammar nests them."""
    parts: list[Syntax] = []
    stack = [node]
    while stack:
        part = stack.pop()
        if part.type == "sequence_expression":
            stack.extend(child for child in part.children if child.is_named and child.type not in COMMENTS)
        elif part.type != "ERROR":
            parts.append(part)
    return parts if len(parts) < 2 or parts[0].start_byte < parts[1].start_byte else parts[::-1]


# ---------------------------------------------------------------------------- what happens in an expression


@expression("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression",
            "instantiation_expression", "type_assertion")  # fmt: skip
def wrapped(context: Context, node: Syntax) -> Expression:
    """Parentheses and types around an expression."""
    inner = bare(node)
    if inner.id == node.id:
        first = node.type in ("parenthesized_expression", "type_assertion")
        found = last_named(node) if first else node.children[0]
        return Unknown(context.at(node), "missing") if found is None else context.expression(found)
    return context.expression(inner)


@expression("await_expression")
def awaited(context: Context, node: Syntax) -> Await:
    """`await x`."""
    return Await(context.at(node), _spread_value(context, node))


@expression("yield_expression")
def yielded(context: Context, node: Syntax) -> Yield:
    """`yield`, `yield x`, `yield* x`."""
    inner = last_named(node)
    place = context.at(node)
    delegates = any(child.type == "*" for child in node.children)
    return Yield(place, None if inner is None else context.expression(inner), delegates)


@expression("assignment_expression", "augmented_assignment_expression")
def bind(context: Context, node: Syntax) -> Expression:
    """An assignment whose value is used."""
    place = context.at(node)
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        return Unknown(place, "syntax error", context.recover(node.children))
    found = target(context, left)
    return Bind(place, found, context.named(right, value_name(left, context)), assignment_op(node))


@expression("update_expression")
def update(context: Context, node: Syntax) -> Expression:
    """`x++` and its like, whose value is used."""
    place = context.at(node)
    inner = node.child_by_field_name("argument")
    if inner is None:
        return Unknown(place, "missing")
    return Bind(place, target(context, inner), Literal(place, 1), update_op(node))


def assignment_op(node: Syntax) -> str | None:
    """The operator of `x += y` ("+"), `x ||= y` ("or"); None for `x = y`."""
    sign = _sign(node)
    return None if sign == "=" else _WORDS.get(sign[:-1], sign[:-1]) or None


def update_op(node: Syntax) -> str:
    """`+` for `++`, `-` for `--`."""
    return "-" if any(child.type == "--" for child in node.children) else "+"
