"""Functions, methods and classes."""

from __future__ import annotations

from typing import Literal as OneOf
from typing import TypeAlias

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import (
    COMMENTS,
    NESTING,
    TYPES,
    Context,
    bare,
    named,
    statement,
)
from auditor.frontends.javascript_patterns import decorator, decorators, key, parameters
from auditor.frontends.javascript_types import annotation
from auditor.program import (
    Argument,
    Assign,
    Block,
    BlockStatement,
    Class,
    ClassValue,
    Define,
    DefineClass,
    Express,
    Expression,
    Item,
    Lambda,
    Literal,
    Member,
    Name,
    Parameter,
    Return,
    Statement,
    Subscript,
    Target,
    Unit,
    Unknown,
)

_BEFORE_NAME = COMMENTS | {"decorator", "accessibility_modifier", "override_modifier"}

Kind: TypeAlias = OneOf["function", "method", "static", "classmethod", "getter", "setter", "constructor"]

# --------------------------------------------------------------------------------------------------- units


@named("arrow_function", "function_expression", "generator_function")
def function_value(context: Context, node: Syntax, name: str) -> Lambda:
    """A function or arrow used as a value."""
    return Lambda(context.at(node), unit(context, node, name))


@statement("function_declaration", "generator_function_declaration")
def function_statement(context: Context, node: Syntax, out: list[Statement]) -> None:
    """A declared function."""
    out.append(Define(context.at(node), unit(context, node, "")))


def unit(context: Context, node: Syntax, name: str) -> Unit:
    """A function node as a unit; its own name goes before the one given."""
    place = context.at(node)
    own = node.child_by_field_name("name")
    marks = _marks(node)
    taken, _ = parameters(context, node)
    return Unit(
        place,
        name if own is None else context.text(own),
        taken,
        _body(context, node),
        asynchronous="async" in marks,
        generator="*" in marks or node.type.startswith("generator"),
        arrow=node.type == "arrow_function",
        head=place,
        annotation=annotation(context, node),
    )


def method(context: Context, node: Syntax, before: tuple[Syntax, ...] = ()) -> Unit:
    """A method of a class or object. `before` are decorators that the grammar puts beside it.

    A static getter or setter is a getter or setter.
    """
    place = context.across(before[0], node) if before else context.at(node)
    own = node.child_by_field_name("name")
    name = "" if own is None else member_name(context, own)
    marks = _marks(node)
    taken, properties = parameters(context, node)
    around = (*[decorator(context, item) for item in before], *decorators(context, node))
    return Unit(
        place,
        name,
        taken,
        (*_fields(properties), *_body(context, node)),
        around,
        "async" in marks,
        "*" in marks,
        _kind(name, marks),
        head=place if own is None else context.at(own),
        annotation=annotation(context, node),
    )


def _kind(name: str, marks: set[str]) -> Kind:
    if "get" in marks:
        return "getter"
    if "set" in marks:
        return "setter"
    if "static" in marks:
        return "static"
    return "constructor" if name == "constructor" else "method"


def _marks(node: Syntax) -> set[str]:
    """The words and signs before the name: async, static, get, set, *."""
    marks: set[str] = set()
    for child in node.children:
        if child.is_named:
            if child.type not in _BEFORE_NAME:
                break
        else:
            marks.add(child.type)
    return marks


def _fields(properties: tuple[Parameter, ...]) -> Block:
    """What `constructor(private x: T)` does before all else: `this.x = x`."""
    return tuple([
        Assign(taken.at, Member(taken.at, Name(taken.at, "this"), taken.target.id), Name(taken.at, taken.target.id))
        for taken in properties
        if isinstance(taken.target, Name)
    ])  # fmt: skip


def _body(context: Context, node: Syntax) -> Block:
    """The body of a function; an expression for a body is returned. What is broken in its head comes first."""
    outer, context.jumps = context.jumps, []
    damage = context.damage(node) if context.broken else ()
    body = node.child_by_field_name("body")
    block: Block = ()
    if body is None:
        pass
    elif body.type == "statement_block":
        block = context.block(body)
    else:
        block = (Return(context.at(body), context.expression(body)),)
    context.jumps = outer
    return (*damage, *block)


def member_name(context: Context, node: Syntax) -> str:
    """The name of a method or field; a computed one is its text, with the brackets."""
    found = None if node.type == "computed_property_name" else key(context, node)
    return str(found.value) if isinstance(found, Literal) else context.text(node)


# ------------------------------------------------------------------------------------------------- classes


@named("class")
def class_value(context: Context, node: Syntax, name: str) -> ClassValue:
    """A class used as a value."""
    return ClassValue(context.at(node), class_of(context, node, name))


@statement("class_declaration", "abstract_class_declaration")
def class_statement(context: Context, node: Syntax, out: list[Statement]) -> None:
    """A declared class."""
    out.append(DefineClass(context.at(node), class_of(context, node, "")))


def class_of(context: Context, node: Syntax, name: str) -> Class:
    """A class node as a class; decorators that stand before `export` are its own."""
    place = context.at(node)
    own = node.child_by_field_name("name")
    holders = (node,) if context.exporting is None else (context.exporting, node)
    context.exporting = None
    body = node.child_by_field_name("body")
    damage = context.damage(node) if context.broken else ()
    return Class(
        place,
        name if own is None else context.text(own),
        _bases(context, node),
        (*damage, *(_members(context, body) if body is not None else ())),
        decorators(context, *holders),
    )


def _bases(context: Context, node: Syntax) -> tuple[Argument, ...]:
    """What a class extends; what it only implements is a type."""
    found: list[Argument] = []
    for child in node.children:
        if child.type == "class_heritage":
            clauses = [clause for clause in child.children if clause.type == "extends_clause"] or [child]
            for base in [base for clause in clauses for base in clause.children]:
                if base.is_named and base.type not in TYPES and base.type not in COMMENTS and base.type != "ERROR":
                    found.append(Argument(context.at(base), context.expression(base)))
    return tuple(found)


def _members(context: Context, body: Syntax) -> Block:
    """The fields, methods and static blocks of a class. TypeScript puts a method's decorators beside it."""
    out: list[Statement] = []
    before: list[Syntax] = []
    if context.depth >= NESTING:
        return (Express(context.at(body), context.too_deep(body)),)
    context.depth += 1
    for node in body.children:
        kind = node.type
        if kind == "decorator":
            before.append(node)
        elif kind == "method_definition":
            out.append(Define(context.at(node), method(context, node, tuple(before))))
            before.clear()
        elif kind in ("public_field_definition", "field_definition"):
            out.append(_field(context, node))
        elif kind == "class_static_block":
            inner = node.child_by_field_name("body")
            out.append(BlockStatement(context.at(node), () if inner is None else context.block(inner)))
        elif kind == "ERROR":
            context.error(node, out)
    out.extend(Express(context.at(node), decorator(context, node)) for node in before)
    out.extend(context.damage(body) if context.broken else ())
    context.depth -= 1
    return tuple(out)


def _field(context: Context, node: Syntax) -> Assign:
    """A field. What a decorator makes of its value is not known: Unknown("decorated"), decorators before the value."""
    place = context.at(node)
    own = node.child_by_field_name("name") or node.child_by_field_name("property")
    found: Target
    if own is None:
        found = Unknown(place, "field")
    elif own.type == "computed_property_name":
        found = Subscript(context.at(own), Name(place, "this"), key(context, own))
    else:
        found = Name(context.at(own), member_name(context, own))
    initial = node.child_by_field_name("value")
    around = decorators(context, node)
    value = None if initial is None else context.named(initial, found.id if isinstance(found, Name) else "")
    if around:
        value = Unknown(place, "decorated", (*around, *(() if value is None else (value,))))
    if context.broken and node.id in context.broken:
        errors = context.recover(context.broken[node.id])
        value = Unknown(place, "syntax error", (*(() if value is None else (value,)), *errors))
    return Assign(place, found, value, True, None, annotation(context, node))


# ------------------------------------------------------------------------------------------------- objects


def object_method(context: Context, node: Syntax) -> Item:
    """A method, getter or setter in an object literal."""
    place = context.at(node)
    own = node.child_by_field_name("name")
    left: Expression = Unknown(place, "key") if own is None else key(context, own)
    return Item(place, left, Lambda(place, method(context, node)))


def value_name(node: Syntax, context: Context) -> str:
    """The name that a function takes from what it is assigned to: `x = …`, `a.x = …`; else ""."""
    node = bare(node)
    if node.type == "identifier":
        return context.text(node)
    if node.type == "member_expression":
        last = node.child_by_field_name("property")
        return "" if last is None else context.text(last)
    return ""
