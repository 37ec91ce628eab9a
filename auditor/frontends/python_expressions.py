"""Python's expressions and targets, lowered by hand: one function for each type of libcst's nodes.

Lowering recurses once for each link of a chain and each bracket. The bounds keep that below 20,000 frames, and as no
call goes through C (no `map`, no generator expression around a call of `expression`) frames cost no stack.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeAlias, cast

import libcst as cst

from auditor import program as ir
from auditor.frontends.python_context import Context
from auditor.frontends.python_text import fixed_text, float_value, integer_value, string_value

_CONSTANTS: dict[str, bool | None] = {"True": True, "False": False, "None": None}

_BINARY: dict[type[cst.BaseBinaryOp], str] = {
    cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.Divide: "/", cst.FloorDivide: "//", cst.Modulo: "%",
    cst.Power: "**", cst.LeftShift: "<<", cst.RightShift: ">>", cst.BitOr: "|", cst.BitAnd: "&", cst.BitXor: "^",
}  # fmt: skip
_ASSOCIATES = frozenset((cst.Add, cst.Multiply, cst.BitOr, cst.BitAnd, cst.BitXor))
_UNARY: dict[type[cst.BaseUnaryOp], str] = {cst.Not: "not", cst.Minus: "-", cst.Plus: "+", cst.BitInvert: "~"}
_COMPARES: dict[type[cst.BaseCompOp], str] = {
    cst.Equal: "==", cst.NotEqual: "!=", cst.Is: "is", cst.IsNot: "is not", cst.LessThan: "<", cst.GreaterThan: ">",
    cst.LessThanEqual: "<=", cst.GreaterThanEqual: ">=", cst.In: "in", cst.NotIn: "not in",
}  # fmt: skip

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")

Lowering: TypeAlias = Callable[[Context, Any], ir.Expression]


def expression(context: Context, node: cst.BaseExpression) -> ir.Expression:
    """The lowered expression; what no function is known for becomes `Unknown` with all expressions in it."""
    return _EXPRESSIONS.get(type(node), unknown)(context, node)


def target(context: Context, node: cst.BaseExpression, raises: bool = False) -> ir.Target:
    """What is assigned to. `raises`: a missing key raises (`del`, `+=`), as it does not where a value is stored."""
    if isinstance(node, cst.Name):
        return ir.Name(context.at(node), node.value)
    if isinstance(node, cst.Attribute):
        return ir.Member(context.at(node), expression(context, node.value), node.attr.value)
    if isinstance(node, cst.Subscript):
        lowered = subscript(context, node, raises)
        return lowered if isinstance(lowered, (ir.Subscript, ir.Slice, ir.Unknown)) else unknown(context, node)
    if isinstance(node, (cst.Tuple, cst.List)):
        at = context.at(node)
        items = [
            ir.Spread(context.at(element), cast(ir.Expression, target(context, element.value)))
            if isinstance(element, cst.StarredElement)
            else cast(ir.Expression, target(context, element.value))
            for element in node.elements
        ]
        return ir.Sequence(at, tuple(items))
    if isinstance(node, cst.StarredElement):
        return ir.Spread(context.at(node), cast(ir.Expression, target(context, node.value)))
    return unknown(context, node)


def unknown(context: Context, node: cst.CSTNode) -> ir.Unknown:
    """A node that nothing is known about, with the expressions below it."""
    at = context.at(node)
    return ir.Unknown(at, type(node).__name__, tuple([expression(context, part) for part in _parts(node)]))


def _parts(node: cst.CSTNode) -> list[cst.BaseExpression]:
    """The nearest expressions below a node, in order of their fields."""
    found: list[cst.BaseExpression] = []
    stack: list[object] = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, cst.BaseExpression) and part is not node:
            found.append(part)
        elif isinstance(part, cst.CSTNode):
            stack.extend(getattr(part, field.name) for field in reversed(fields(part)))
        elif isinstance(part, (list, tuple)):
            stack.extend(reversed(part))
    return found


# ---------------------------------------------------------------------------------------- names and constants


def _name(context: Context, node: cst.Name) -> ir.Expression:
    if node.value in _CONSTANTS:
        return ir.Literal(context.at(node), _CONSTANTS[node.value])
    return ir.Name(context.at(node), node.value)


def _integer(context: Context, node: cst.Integer) -> ir.Expression:
    value = integer_value(node.value)
    return ir.Literal(context.at(node), value) if value is not None else ir.Unknown(context.at(node), "large number")


def _float(context: Context, node: cst.Float) -> ir.Expression:
    return ir.Literal(context.at(node), float_value(node.value))


def _imaginary(context: Context, node: cst.Imaginary) -> ir.Expression:
    return ir.Unknown(context.at(node), "complex number")


def _ellipsis(context: Context, node: cst.Ellipsis) -> ir.Expression:
    return ir.Unknown(context.at(node), "ellipsis")


def _string(context: Context, node: cst.SimpleString) -> ir.Expression:
    return ir.Literal(context.at(node), string_value(node.value))


def _text(context: Context, node: cst.FormattedString | cst.TemplatedString | cst.ConcatenatedString) -> ir.Expression:
    """Strings side by side and f-strings: one literal if nothing is put in, else a text of merged pieces."""
    at = context.at(node)
    parts: list[ir.Expression] = []
    for piece in pieces(node):
        if isinstance(piece, cst.SimpleString):
            parts.append(ir.Literal(context.at(piece), string_value(piece.value)))
        else:
            parts.extend(_formatted(context, piece, piece.parts, "r" in piece.start.lower()))
    merged = _merge(parts)
    if not merged:
        return ir.Literal(at, "")
    if len(merged) == 1 and isinstance(merged[0], ir.Literal):
        return ir.Literal(at, merged[0].value)
    return ir.Text(at, tuple(merged))


def pieces(node: cst.BaseString) -> list[cst.SimpleString | cst.FormattedString | cst.TemplatedString]:
    """The strings of an implicit concatenation, which libcst nests to the right."""
    found: list[cst.SimpleString | cst.FormattedString | cst.TemplatedString] = []
    while isinstance(node, cst.ConcatenatedString):
        found.append(node.left)
        node = node.right
    found.append(cast(cst.SimpleString, node))
    return found


def _formatted(context: Context, whole: cst.CSTNode, contents: Any, raw: bool) -> list[ir.Expression]:
    """The pieces of an f-string. A fixed format changes no value; one that takes values is a call of `format`."""
    parts: list[ir.Expression] = []
    for content in contents:
        if isinstance(content, (cst.FormattedStringText, cst.TemplatedStringText)):
            parts.append(ir.Literal(context.at(whole), fixed_text(content.value, raw)))
            continue
        if content.equal is not None:
            parts.append(ir.Literal(context.at(whole), context.module.code_for_node(content.expression) + "="))
        value = expression(context, content.expression)
        spec = content.format_spec or ()
        if any(not isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)) for part in spec):
            at = context.at(content.expression)
            text = ir.Text(context.at(whole), tuple(_formatted(context, whole, spec, raw)))
            arguments = (ir.Argument(at, value), ir.Argument(text.at, text))
            value = ir.Call(context.at(content.expression), ir.Name(at, "format"), arguments)
        parts.append(value)
    return parts


def _merge(parts: list[ir.Expression]) -> list[ir.Expression]:
    """Joins fixed pieces that stand side by side and drops empty ones."""
    merged: list[ir.Expression] = []
    fixed: list[str] = []
    at = 0
    for part in (*parts, None):
        if isinstance(part, ir.Literal) and isinstance(part.value, str):
            at = at if fixed else part.at
            fixed.append(part.value)
            continue
        if text := "".join(fixed):
            merged.append(ir.Literal(at, text))
        fixed = []
        if part is not None:
            merged.append(part)
    return merged


# ------------------------------------------------------------------------------------ members, calls, subscripts


def _attribute(context: Context, node: cst.Attribute) -> ir.Expression:
    return ir.Member(context.at(node), expression(context, node.value), node.attr.value)


def _call(context: Context, node: cst.Call) -> ir.Expression:
    return ir.Call(context.at(node), expression(context, node.func), arguments(context, node.args))


def arguments(context: Context, nodes: Any) -> tuple[ir.Argument, ...]:
    """The arguments of a call, or the bases of a class."""
    lowered = []
    for node in nodes:
        name = node.keyword.value if node.keyword is not None else "**" if node.star == "**" else None
        lowered.append(ir.Argument(context.at(node), expression(context, node.value), name, node.star != ""))
    return tuple(lowered)


def _load(context: Context, node: cst.Subscript) -> ir.Expression:
    return subscript(context, node, True)


def subscript(context: Context, node: cst.Subscript, raises: bool) -> ir.Expression:
    """`object[key]` or `object[low:high]`; a step is unknown, and several keys are a sequence."""
    at = context.at(node)
    value = expression(context, node.value)
    if len(node.slice) == 1:
        only = node.slice[0].slice
        if isinstance(only, cst.Index) and only.star is None:
            return ir.Subscript(at, value, expression(context, only.value), raises)
        if isinstance(only, cst.Slice):
            if only.step is not None:
                return ir.Unknown(at, "slice with a step", (value, *_bounds(context, only)))
            low = expression(context, only.lower) if only.lower is not None else None
            high = expression(context, only.upper) if only.upper is not None else None
            return ir.Slice(at, value, low, high)
    keys = [_key(context, element) for element in node.slice]
    return ir.Subscript(at, value, ir.Sequence(context.between(node.slice[0], node.slice[-1]), tuple(keys)), raises)


def _key(context: Context, element: cst.SubscriptElement) -> ir.Expression:
    """One of several keys."""
    key = element.slice
    if isinstance(key, cst.Slice):
        return ir.Unknown(context.at(element), "slice", tuple(_bounds(context, key)))
    value = expression(context, cast(cst.Index, key).value)
    return ir.Spread(context.at(element), value) if cast(cst.Index, key).star is not None else value


def _bounds(context: Context, node: cst.Slice) -> list[ir.Expression]:
    """The bounds of a slice that are written."""
    return [expression(context, bound) for bound in (node.lower, node.upper, node.step) if bound is not None]


def _await(context: Context, node: cst.Await) -> ir.Expression:
    return ir.Await(context.at(node), expression(context, node.expression))


def _yield(context: Context, node: cst.Yield) -> ir.Expression:
    context.yields = True
    at = context.at(node)
    if isinstance(node.value, cst.From):
        return ir.Yield(at, expression(context, node.value.item), True)
    return ir.Yield(at, expression(context, node.value) if node.value is not None else None)


# ------------------------------------------------------------------------------------------------- collections


def _sequence(context: Context, node: cst.Tuple | cst.List | cst.Set) -> ir.Expression:
    at = context.at(node)
    return ir.Sequence(at, tuple([_element(context, element) for element in node.elements]))


def _element(context: Context, element: cst.BaseElement) -> ir.Expression:
    """An element of a sequence, spread or not."""
    if isinstance(element, cst.StarredElement):
        return ir.Spread(context.at(element), expression(context, element.value))
    return expression(context, element.value)


def _starred(context: Context, node: cst.StarredElement) -> ir.Expression:
    return ir.Spread(context.at(node), expression(context, node.value))


def _dict(context: Context, node: cst.Dict) -> ir.Expression:
    at = context.at(node)
    items = []
    for element in node.elements:
        item = context.at(element)
        key = expression(context, element.key) if isinstance(element, cst.DictElement) else None
        items.append(ir.Item(item, key, expression(context, element.value)))
    return ir.Mapping(at, tuple(items))


def _comprehension(context: Context, node: cst.BaseSimpleComp) -> ir.Expression:
    return _for_each(context, node, expression(context, node.elt), node.for_in)


def _dict_comprehension(context: Context, node: cst.DictComp) -> ir.Expression:
    at = context.between(node.key, node.value)
    item = ir.Item(at, expression(context, node.key), expression(context, node.value))
    return _for_each(context, node, ir.Mapping(context.between(node.key, node.value), (item,)), node.for_in)


def _for_each(context: Context, node: cst.BaseExpression, element: ir.Expression, clause: cst.CompFor) -> ir.Expression:
    """The clauses of a comprehension around its element: the first is the outermost."""
    clauses = [clause]
    while clauses[-1].inner_for_in is not None:
        clauses.append(clauses[-1].inner_for_in)
    for each in reversed(clauses):
        at = context.at(node)
        bound = target(context, each.target)
        iterable = iterated(context, each.iter, each.asynchronous is not None)
        element = ir.Comprehension(at, element, bound, iterable, tuple([expression(context, i.test) for i in each.ifs]))
    return element


def iterated(context: Context, node: cst.BaseExpression, asynchronous: bool) -> ir.Expression:
    """What a loop takes its values from; `async for` awaits it."""
    value = expression(context, node)
    return ir.Await(context.at(node), value) if asynchronous else value


# --------------------------------------------------------------------------------------------------- operators


def _binary(context: Context, node: cst.BinaryOperation) -> ir.Expression:
    """`a + b + c` is one operator: libcst nests it to the left."""
    at = context.at(node)
    kind = type(node.operator)
    operands: list[cst.BaseExpression] = [node.right]
    left = node.left
    if kind in _ASSOCIATES:
        while isinstance(left, cst.BinaryOperation) and type(left.operator) is kind:
            operands.append(left.right)
            left = left.left
    operands.append(left)
    lowered = tuple([expression(context, operand) for operand in reversed(operands)])
    op = _BINARY.get(kind)
    return ir.Operator(at, op, lowered) if op is not None else ir.Unknown(at, kind.__name__, lowered)


def _boolean(context: Context, node: cst.BooleanOperation) -> ir.Expression:
    """`and`, `or`: flattened on both sides."""
    at = context.at(node)
    kind = type(node.operator)
    operands: list[ir.Expression] = []
    stack: list[cst.BaseExpression] = [node]
    while stack:
        operand = stack.pop()
        if isinstance(operand, cst.BooleanOperation) and type(operand.operator) is kind:
            stack += (operand.right, operand.left)
        else:
            operands.append(expression(context, operand))
    return ir.Operator(at, "and" if kind is cst.And else "or", tuple(operands))


def _unary(context: Context, node: cst.UnaryOperation) -> ir.Expression:
    return ir.Operator(context.at(node), _UNARY[type(node.operator)], (expression(context, node.expression),))


def _comparison(context: Context, node: cst.Comparison) -> ir.Expression:
    """A chained comparison is an `and`: what stands in the middle is one node that both sides hold.

    In the copy that goes between processes the middle is written twice. If it has a chain of its own, which would
    double again, its second place is unknown.
    """
    at = context.at(node)
    left = expression(context, node.left)
    if len(node.comparisons) == 1:
        only = node.comparisons[0]
        return ir.Comparison(at, _COMPARES[type(only.operator)], left, expression(context, only.comparator))
    first = node.left
    comparisons: list[ir.Expression] = []
    for compared in node.comparisons:
        before = context.chains
        right = expression(context, compared.comparator)
        place = context.between(first, compared.comparator)
        comparisons.append(ir.Comparison(place, _COMPARES[type(compared.operator)], left, right))
        first = compared.comparator
        left = right if context.chains == before else ir.Unknown(context.at(first), "repeated")
    context.chains += 1
    return ir.Operator(at, "and", tuple(comparisons))


def _conditional(context: Context, node: cst.IfExp) -> ir.Expression:
    at = context.at(node)
    test, then = expression(context, node.test), expression(context, node.body)
    return ir.Conditional(at, test, then, expression(context, node.orelse))


def _bind(context: Context, node: cst.NamedExpr) -> ir.Expression:
    return ir.Bind(context.at(node), target(context, node.target), expression(context, node.value))


# ------------------------------------------------------------------------------------- parameters, annotations


def _lambda(context: Context, node: cst.Lambda) -> ir.Expression:
    at = context.at(node)
    given = parameters(context, node.params)
    outer, context.yields = context.yields, False
    body = expression(context, node.body)
    generator, context.yields = context.yields, outer
    returned = (ir.Return(context.at(node.body), body),)
    unit = context.at(node)
    return ir.Lambda(at, ir.Unit(unit, "", given, returned, generator=generator, head=unit))


def parameters(context: Context, node: cst.Parameters) -> tuple[ir.Parameter, ...]:
    """The parameters in the order in which they are written."""
    lowered = [_parameter(context, each) for each in (*node.posonly_params, *node.params)]
    if isinstance(node.star_arg, cst.Param):
        lowered.append(_parameter(context, node.star_arg, "rest"))
    lowered += [_parameter(context, each, keyword_only=True) for each in node.kwonly_params]
    if node.star_kwarg is not None:
        lowered.append(_parameter(context, node.star_kwarg, "keywords"))
    return tuple(lowered)


def _parameter(context: Context, node: cst.Param, kind: Any = "plain", keyword_only: bool = False) -> ir.Parameter:
    default = expression(context, node.default) if node.default is not None else None
    hint = annotation(context, node.annotation.annotation) if node.annotation is not None else None
    name = ir.Name(context.at(node.name), node.name.value)
    return ir.Parameter(context.at(node), name, default, kind, hint, keyword_only=keyword_only)


def annotation(context: Context, node: cst.BaseExpression) -> ir.Expression:
    """A type. A string that is a dotted name is read as that name, also in brackets and beside `|`."""
    if isinstance(node, cst.SimpleString):
        value = string_value(node.value)
        return _dotted(context, node, value) if _DOTTED.fullmatch(value) else _string(context, node)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return _union(context, node)
    if isinstance(node, cst.Subscript) and _is_type(node):
        return _generic(context, node)
    if isinstance(node, cst.List):
        return ir.Sequence(context.at(node), tuple([annotation(context, element.value) for element in node.elements]))
    return expression(context, node)


def _generic(context: Context, node: cst.Subscript) -> ir.Expression:
    """`dict[str, "User"]`: the types in the brackets; looking them up raises nothing."""
    at = context.at(node)
    base = expression(context, node.value)
    hints = [_hint(context, element) for element in node.slice]
    if len(hints) == 1:
        return ir.Subscript(at, base, hints[0])
    return ir.Subscript(at, base, ir.Sequence(context.between(node.slice[0], node.slice[-1]), tuple(hints)))


def _is_type(node: cst.Subscript) -> bool:
    """False for `Literal["a"]` and `Annotated[str, "a"]`, whose strings are strings, and for slices."""
    base = node.value.attr.value if isinstance(node.value, cst.Attribute) else getattr(node.value, "value", "")
    return base not in ("Literal", "Annotated") and all(isinstance(part.slice, cst.Index) for part in node.slice)


def _hint(context: Context, element: cst.SubscriptElement) -> ir.Expression:
    """One of the types in brackets."""
    index = cast(cst.Index, element.slice)
    value = annotation(context, index.value)
    return ir.Spread(context.at(element), value) if index.star is not None else value


def _union(context: Context, node: cst.BinaryOperation) -> ir.Expression:
    """`A | "B" | None`."""
    at = context.at(node)
    operands = [node.right]
    left = node.left
    while isinstance(left, cst.BinaryOperation) and isinstance(left.operator, cst.BitOr):
        operands.append(left.right)
        left = left.left
    operands.append(left)
    return ir.Operator(at, "|", tuple([annotation(context, operand) for operand in reversed(operands)]))


def _dotted(context: Context, node: cst.CSTNode, value: str) -> ir.Expression:
    """The expression that a dotted name stands for, at the place of a string."""
    first, *rest = value.split(".")
    if not rest and first in _CONSTANTS:
        return ir.Literal(context.at(node), _CONSTANTS[first])
    lowered: ir.Expression = ir.Name(context.at(node), first)
    for name in rest:
        lowered = ir.Member(context.at(node), lowered, name)
    return lowered


_EXPRESSIONS: dict[type[cst.CSTNode], Lowering] = {
    cst.Name: _name,
    cst.Integer: _integer,
    cst.Float: _float,
    cst.Imaginary: _imaginary,
    cst.Ellipsis: _ellipsis,
    cst.SimpleString: _string,
    cst.FormattedString: _text,
    cst.TemplatedString: _text,
    cst.ConcatenatedString: _text,
    cst.Attribute: _attribute,
    cst.Call: _call,
    cst.Subscript: _load,
    cst.Await: _await,
    cst.Yield: _yield,
    cst.Tuple: _sequence,
    cst.List: _sequence,
    cst.Set: _sequence,
    cst.StarredElement: _starred,
    cst.Dict: _dict,
    cst.ListComp: _comprehension,
    cst.SetComp: _comprehension,
    cst.GeneratorExp: _comprehension,
    cst.DictComp: _dict_comprehension,
    cst.BinaryOperation: _binary,
    cst.BooleanOperation: _boolean,
    cst.UnaryOperation: _unary,
    cst.Comparison: _comparison,
    cst.IfExp: _conditional,
    cst.NamedExpr: _bind,
    cst.Lambda: _lambda,
}
