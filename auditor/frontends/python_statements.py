"""Python's statements, functions and classes, lowered by hand: one function for each type of libcst's nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import libcst as cst

from auditor import program as ir
from auditor.frontends.errors import Unreadable
from auditor.frontends.python_context import Context
from auditor.frontends.python_expressions import annotation, arguments, expression, iterated, parameters, pieces, target
from auditor.frontends.python_patterns import case

# One statement of Python may give none or several.
Lowering: TypeAlias = Callable[[Context, Any, list[ir.Statement]], None]

# The items of a `with` nest, and nothing else bounds their number.
_MAX_ITEMS = 100

_AUGMENTED: dict[type[cst.BaseAugOp], str] = {
    cst.AddAssign: "+", cst.SubtractAssign: "-", cst.MultiplyAssign: "*", cst.MatrixMultiplyAssign: "@",
    cst.DivideAssign: "/", cst.ModuloAssign: "%", cst.BitAndAssign: "&", cst.BitOrAssign: "|", cst.BitXorAssign: "^",
    cst.LeftShiftAssign: "<<", cst.RightShiftAssign: ">>", cst.PowerAssign: "**", cst.FloorDivideAssign: "//",
}  # fmt: skip

_KINDS = {"property": "getter", "staticmethod": "static", "classmethod": "classmethod"}


def block(context: Context, suite: cst.Module | cst.BaseSuite) -> ir.Block:
    """The statements of a block, in order."""
    lowered: list[ir.Statement] = []
    for node in suite.body:
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                _STATEMENTS[type(small)](context, small, lowered)
        else:
            _STATEMENTS[type(node)](context, node, lowered)
    return tuple(lowered)


def _otherwise(context: Context, node: cst.Else | cst.Finally | None) -> ir.Block:
    """The block of an `else` or `finally` that may not be there."""
    return block(context, node.body) if node is not None else ()


# --------------------------------------------------------------------------------------------- small statements


def _nothing(context: Context, node: cst.Pass, out: list[ir.Statement]) -> None:
    pass


def _express(context: Context, node: cst.Expr, out: list[ir.Statement]) -> None:
    """An expression; a string (a docstring) and `...` do nothing. An f-string may call something."""
    value = node.value
    if isinstance(value, cst.Ellipsis):
        return
    if isinstance(value, cst.BaseString) and all(isinstance(piece, cst.SimpleString) for piece in pieces(value)):
        return
    if _prints(value):
        context.note(node, "this is Python 2's print; what it writes is not followed")
    out.append(ir.Express(context.at(node), expression(context, value)))


def _prints(node: cst.BaseExpression) -> bool:
    """Whether this is `print >> file, text`, which is a valid expression of Python 3."""
    if isinstance(node, cst.Tuple) and node.elements:
        node = node.elements[0].value
    shifts = isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.RightShift)
    left = node.left if isinstance(node, cst.BinaryOperation) else None
    return shifts and isinstance(left, cst.Name) and left.value == "print"


def _assign(context: Context, node: cst.Assign, out: list[ir.Statement]) -> None:
    """`a = b = value`: one assignment for each target, and the value is worked out once: b takes it from a."""
    value = expression(context, node.value)
    given: ir.Expression | None = None
    for assigned in node.targets:
        at = context.at(node)
        lowered = target(context, assigned.target)
        out.append(ir.Assign(at, lowered, value if given is None else given))
        if given is None and not isinstance(value, (ir.Name, ir.Literal)):
            given = _again(context, assigned.target)


def _again(context: Context, node: cst.BaseExpression) -> ir.Expression | None:
    """A target read back, if reading it does nothing else: a name, or a member or key of one."""
    if isinstance(node, cst.Name):
        return expression(context, node)
    if isinstance(node, cst.Attribute) and _is_plain(node.value):
        return expression(context, node)
    if isinstance(node, cst.Subscript) and _is_plain(node.value) and len(node.slice) == 1:
        key = node.slice[0].slice
        if isinstance(key, cst.Index) and isinstance(key.value, (cst.Name, cst.SimpleString, cst.Integer)):
            return expression(context, node)
    return None


def _is_plain(node: cst.BaseExpression) -> bool:
    """Whether this is a dotted name."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def _annotated(context: Context, node: cst.AnnAssign, out: list[ir.Statement]) -> None:
    at = context.at(node)
    hint = annotation(context, node.annotation.annotation)
    value = expression(context, node.value) if node.value is not None else None
    out.append(ir.Assign(at, target(context, node.target), value, True, None, hint))


def _augmented(context: Context, node: cst.AugAssign, out: list[ir.Statement]) -> None:
    at = context.at(node)
    value = expression(context, node.value)
    out.append(ir.Assign(at, target(context, node.target, True), value, False, _AUGMENTED[type(node.operator)]))


def _alias(context: Context, node: cst.TypeAlias, out: list[ir.Statement]) -> None:
    at = context.at(node)
    out.append(ir.Assign(at, target(context, node.name), annotation(context, node.value), True))


def _return(context: Context, node: cst.Return, out: list[ir.Statement]) -> None:
    at = context.at(node)
    out.append(ir.Return(at, expression(context, node.value) if node.value is not None else None))


def _raise(context: Context, node: cst.Raise, out: list[ir.Statement]) -> None:
    """`raise value from cause`: a cause that is more than a name is worked out first, so that it is not lost."""
    at = context.at(node)
    value = expression(context, node.exc) if node.exc is not None else None
    if node.cause is not None and not isinstance(node.cause.item, cst.Name):
        out.append(ir.Express(context.at(node.cause.item), expression(context, node.cause.item)))
    out.append(ir.Raise(at, value))


def _assert(context: Context, node: cst.Assert, out: list[ir.Statement]) -> None:
    """`assert test, message` is `if not test: raise AssertionError(message)`."""
    test = ir.Operator(context.at(node.test), "not", (expression(context, node.test),))
    given: tuple[ir.Argument, ...] = ()
    if node.msg is not None:
        given = (ir.Argument(context.at(node.msg), expression(context, node.msg)),)
    error = ir.Call(context.at(node), ir.Name(context.at(node), "AssertionError"), given)
    out.append(ir.Branch(context.at(node), test, (ir.Raise(context.at(node), error),)))


def _delete(context: Context, node: cst.Del, out: list[ir.Statement]) -> None:
    """`del a, (b, c)`: one for each, left to right."""
    stack: list[cst.BaseExpression] = [node.target]
    while stack:
        deleted = stack.pop()
        if isinstance(deleted, (cst.Tuple, cst.List)):
            stack.extend(element.value for element in reversed(deleted.elements))
        else:
            out.append(ir.Delete(context.at(node), target(context, deleted, True)))


def _break(context: Context, node: cst.Break, out: list[ir.Statement]) -> None:
    out.append(ir.Break(context.at(node)))


def _continue(context: Context, node: cst.Continue, out: list[ir.Statement]) -> None:
    out.append(ir.Continue(context.at(node)))


def _global(context: Context, node: cst.Global, out: list[ir.Statement]) -> None:
    out.append(ir.Scope(context.at(node), tuple([item.name.value for item in node.names]), True))


def _nonlocal(context: Context, node: cst.Nonlocal, out: list[ir.Statement]) -> None:
    out.append(ir.Scope(context.at(node), tuple([item.name.value for item in node.names]), False))


# ----------------------------------------------------------------------------------------------------- imports


def _import(context: Context, node: cst.Import | cst.LazyImport, out: list[ir.Statement]) -> None:
    """`import a.b` binds `a`, `import a.b as c` binds `c` to the module `a.b`."""
    for name in node.names:
        module = _dotted(name.name)
        if name.asname is not None:
            out.append(ir.Import(context.at(name), module, None, _bound_name(name.asname)))
        else:
            first = module.partition(".")[0]
            out.append(ir.Import(context.at(name), first, None, first))


def _import_from(context: Context, node: cst.ImportFrom | cst.LazyImportFrom, out: list[ir.Statement]) -> None:
    """`from ..a import b as c`."""
    module = "." * len(node.relative) + (_dotted(node.module) if node.module is not None else "")
    if isinstance(node.names, cst.ImportStar):
        out.append(ir.Import(context.at(node), module, "*", "*"))
        return
    for name in node.names:
        imported = _dotted(name.name)
        alias = _bound_name(name.asname) if name.asname is not None else imported
        out.append(ir.Import(context.at(name), module, imported, alias))


def _bound_name(node: cst.AsName) -> str:
    """The name behind `as`."""
    return cast(cst.Name, node.name).value


def _dotted(node: cst.BaseExpression) -> str:
    """The text of a dotted name."""
    names: list[str] = []
    while isinstance(node, cst.Attribute):
        names.append(node.attr.value)
        node = node.value
    names.append(cast(cst.Name, node).value)
    return ".".join(reversed(names))


# ------------------------------------------------------------------------------------------------ control flow


def _branch(context: Context, node: cst.If, out: list[ir.Statement]) -> None:
    """`if` and its `elif`s, which nest in `otherwise`; a long chain does not recurse."""
    chain = [node]
    while isinstance(following := chain[-1].orelse, cst.If):
        chain.append(following)
    arms = [(context.at(arm), expression(context, arm.test), block(context, arm.body)) for arm in chain]
    rest = _otherwise(context, following)
    for at, test, then in reversed(arms):
        rest = (ir.Branch(at, test, then, rest),)
    out.extend(rest)


def _for(context: Context, node: cst.For, out: list[ir.Statement]) -> None:
    at = context.at(node)
    iterable = iterated(context, node.iter, node.asynchronous is not None)
    bound = target(context, node.target)
    body = block(context, node.body)
    out.append(ir.Loop(at, body, bound, iterable, None, _otherwise(context, node.orelse)))


def _while(context: Context, node: cst.While, out: list[ir.Statement]) -> None:
    """`while True` has no test, as `for (;;)` has none."""
    at = context.at(node)
    test: ir.Expression | None = expression(context, node.test)
    if isinstance(test, ir.Literal) and test.value:
        test = None
    body = block(context, node.body)
    out.append(ir.Loop(at, body, None, None, test, _otherwise(context, node.orelse)))


def _try(context: Context, node: cst.Try | cst.TryStar, out: list[ir.Statement]) -> None:
    at = context.at(node)
    body = block(context, node.body)
    handlers = tuple([_handler(context, handler) for handler in node.handlers])
    otherwise = _otherwise(context, node.orelse)
    out.append(ir.Try(at, body, handlers, otherwise, _otherwise(context, node.finalbody)))


def _handler(context: Context, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ir.Handler:
    """`except (A, B) as e`. Python 2's `except A, e` looks like 3.14's `except A, B`: told by its small letter."""
    at = context.at(node)
    types: list[cst.BaseExpression] = []
    if isinstance(node.type, cst.Tuple):
        types = [element.value for element in node.type.elements]
    elif node.type is not None:
        types = [node.type]
    bound: cst.BaseExpression | None = node.name.name if node.name is not None else None
    if bound is None and len(types) == 2 and node.type is not types[0] and not cast(cst.Tuple, node.type).lpar:
        last = types[1]
        if isinstance(last, cst.Name) and last.value == last.value.lower():
            context.note(node, "`except A, e` was read as Python 2's `except A as e`")
            bound = types.pop()
    name = target(context, bound) if bound is not None else None
    return ir.Handler(at, tuple([expression(context, each) for each in types]), name, block(context, node.body))


def _with(context: Context, node: cst.With, out: list[ir.Statement]) -> None:
    """The items nest, the first outermost; `suppress(A, B)` is a `try` that passes A and B over."""
    if len(node.items) > _MAX_ITEMS:
        raise Unreadable("too-complex", f"one `with` has more than {_MAX_ITEMS} items")
    asynchronous = node.asynchronous is not None
    items = [_item(context, item) for item in node.items]
    body = block(context, node.body)
    for item, value, bound in reversed(items):
        at = context.at(node)
        if not asynchronous and isinstance(value, ir.Call) and _suppresses(value):
            types = tuple([argument.value for argument in value.arguments])
            body = (ir.Try(at, body, (ir.Handler(context.at(item), types, None, ()),)),)
        else:
            body = (ir.With(at, value, bound, body, asynchronous),)
    out.extend(body)


def _item(context: Context, node: cst.WithItem) -> tuple[cst.WithItem, ir.Expression, ir.Target | None]:
    """An item of a `with`: itself, its value and what that is bound to."""
    bound = target(context, node.asname.name) if node.asname is not None else None
    return node, expression(context, node.item), bound


def _suppresses(call: ir.Call) -> bool:
    """Whether this is `suppress(A, B)` or `contextlib.suppress(A, B)`; without arguments it passes nothing over."""
    callee = call.callee
    if isinstance(callee, ir.Member):
        named = callee.name == "suppress" and isinstance(callee.object, ir.Name) and callee.object.id == "contextlib"
    else:
        named = isinstance(callee, ir.Name) and callee.id == "suppress"
    return named and bool(call.arguments) and not any(each.name or each.spread for each in call.arguments)


def _match(context: Context, node: cst.Match, out: list[ir.Statement]) -> None:
    at = context.at(node)
    subject = expression(context, node.subject)
    out.append(ir.Match(at, subject, tuple([case(context, each, block(context, each.body)) for each in node.cases])))


# --------------------------------------------------------------------------------------- functions and classes


def _function(context: Context, node: cst.FunctionDef, out: list[ir.Statement]) -> None:
    """A function or method; its `at` covers the decorators, its `head` begins with `def`."""
    kind, decorators = _decorated(context, node)
    first = node.decorators[0] if node.decorators else node
    given = parameters(context, node.params)
    hint = annotation(context, node.returns.annotation) if node.returns is not None else None
    outer = context.in_class, context.yields
    context.in_class = context.yields = False
    body = block(context, node.body)
    generator = context.yields
    context.in_class, context.yields = outer
    unit = ir.Unit(
        context.between(first, node), node.name.value, given, body, decorators, node.asynchronous is not None, generator,
        cast(Any, kind), False, context.at(node), hint,
    )  # fmt: skip
    out.append(ir.Define(context.between(first, node), unit))


def _decorated(context: Context, node: cst.FunctionDef) -> tuple[str, tuple[ir.Expression, ...]]:
    """What kind of unit this is, and its decorators without those that only say so."""
    if not context.in_class:
        return "function", tuple([expression(context, each.decorator) for each in node.decorators])
    kind = "constructor" if node.name.value == "__init__" else "method"
    kept: list[ir.Expression] = []
    for each in node.decorators:
        decorator = each.decorator
        if isinstance(decorator, cst.Name) and decorator.value in _KINDS:
            kind = _KINDS[decorator.value]
            continue
        kept.append(expression(context, decorator))
        if isinstance(decorator, cst.Attribute) and decorator.attr.value == "setter":
            kind = "setter"
        elif isinstance(decorator, (cst.Name, cst.Attribute)) and _last(decorator) == "cached_property":
            kind = "getter"
    return kind, tuple(kept)


def _last(node: cst.Name | cst.Attribute) -> str:
    """The last name of a dotted name."""
    return node.attr.value if isinstance(node, cst.Attribute) else node.value


def _class(context: Context, node: cst.ClassDef, out: list[ir.Statement]) -> None:
    """A class; its place begins with `class`, behind its decorators."""
    decorators = tuple([expression(context, each.decorator) for each in node.decorators])
    bases = arguments(context, (*node.bases, *node.keywords))
    outer, context.in_class = context.in_class, True
    body = block(context, node.body)
    context.in_class = outer
    definition = ir.Class(context.at(node), node.name.value, bases, body, decorators)
    out.append(ir.DefineClass(context.at(node), definition))


_STATEMENTS: dict[type[cst.CSTNode], Lowering] = {
    cst.Pass: _nothing,
    cst.Expr: _express,
    cst.Assign: _assign,
    cst.AnnAssign: _annotated,
    cst.AugAssign: _augmented,
    cst.TypeAlias: _alias,
    cst.Return: _return,
    cst.Raise: _raise,
    cst.Assert: _assert,
    cst.Del: _delete,
    cst.Break: _break,
    cst.Continue: _continue,
    cst.Global: _global,
    cst.Nonlocal: _nonlocal,
    cst.Import: _import,
    cst.ImportFrom: _import_from,
    cst.If: _branch,
    cst.For: _for,
    cst.While: _while,
    cst.Try: _try,
    cst.TryStar: _try,
    cst.With: _with,
    cst.Match: _match,
    cst.FunctionDef: _function,
    cst.ClassDef: _class,
}
# Newer libcst also reads the lazy imports of Python 3.15.
if hasattr(cst, "LazyImport"):
    _STATEMENTS |= {cst.LazyImport: _import, cst.LazyImportFrom: _import_from}
