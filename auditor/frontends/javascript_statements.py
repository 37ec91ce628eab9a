"""Statements, except functions and classes (`javascript_units`) and modules (`javascript_modules`)."""

from __future__ import annotations

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import COMMENTS, LINKS, Context, bare, last_named, statement
from auditor.frontends.javascript_expressions import assignment_op, sequence_parts, update_op
from auditor.frontends.javascript_modules import export_of, imported, required
from auditor.frontends.javascript_patterns import key, target
from auditor.frontends.javascript_types import annotation
from auditor.frontends.javascript_units import class_statement, function_statement, value_name
from auditor.program import (
    Argument,
    Assign,
    Await,
    Block,
    BlockStatement,
    Branch,
    Break,
    Call,
    Case,
    Continue,
    Delete,
    Export,
    Express,
    Expression,
    Handler,
    Import,
    Item,
    Literal,
    Loop,
    Mapping,
    Match,
    Member,
    Name,
    Raise,
    Return,
    Statement,
    Subscript,
    Try,
    Unknown,
)

# ------------------------------------------------------------------------------------ expressions for effect

_DECLARED = {
    "function_expression": function_statement,
    "generator_function": function_statement,
    "class": class_statement,
}


@statement("expression_statement")
def expression_statement(context: Context, node: Syntax, out: list[Statement]) -> None:
    """An expression that stands alone."""
    inner = last_named(node)
    if inner is None:
        return
    if inner.type in _DECLARED and inner.child_by_field_name("name") is not None:
        # No expression statement begins so: the parser took a declaration with an error in it for a value.
        _DECLARED[inner.type](context, inner, out)
    else:
        effect(context, inner, out)


def effect(context: Context, node: Syntax, out: list[Statement]) -> None:
    """Append what an expression does when nobody takes its value."""
    node = bare(node)
    kind = node.type
    if kind == "assignment_expression":
        _assign(context, node, out)
    elif kind == "augmented_assignment_expression":
        _augment(context, node, out)
    elif kind == "update_expression":
        _update(context, node, out)
    elif kind == "sequence_expression" and not node.has_error:
        for part in sequence_parts(node):
            effect(context, part, out)
    elif kind == "internal_module":
        context.statement(node, out)
    elif kind == "await_expression" and (using := _awaited_using(node)) is not None:
        _assign(context, using, out)
    else:
        out.append(_effect(context, node, kind))


def _effect(context: Context, node: Syntax, kind: str) -> Statement:
    module = required(context, node) if kind == "call_expression" else None
    if module is not None:
        return Import(context.at(node), module, None, "", True)
    value = context.expression(node)
    if isinstance(value, Unknown) and value.what == "delete":
        removed = value.children[0]
        if isinstance(removed, Name | Member | Subscript):
            return Delete(value.at, removed)
    return Express(value.at, value)


def _assign(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`a = b = c`: one statement for each target; what is assigned to the module's exports is an Export."""
    targets, last = chained(node)
    declares = any(child.type == "using" for child in node.children)
    assign_all(context, targets, last, out, declares)


def chained(node: Syntax) -> tuple[list[tuple[Syntax, Syntax]], Syntax | None]:
    """The (assignment, target) pairs of `a = b = c`, left to right, and the value c."""
    targets: list[tuple[Syntax, Syntax]] = []
    value: Syntax | None = node
    while value is not None and value.type == "assignment_expression" and not (targets and value.has_error):
        left = value.child_by_field_name("left")
        if left is None:
            break
        targets.append((value, left))
        value = value.child_by_field_name("right")
        value = None if value is None else bare(value)
    return targets, value


def assign_all(
    context: Context, targets: list[tuple[Syntax, Syntax]], last: Syntax | None, out: list[Statement], declares: bool
) -> None:
    """Append one assignment or export for each target, all of the same value."""
    places = [(context.at(node), left, export_of(context, left)) for node, left in targets]
    name = next((found for _, left, export in places if export != "=" and (found := value_name(left, context))), "")
    if any(export == "=" for _, _, export in places):
        # In `exports = module.exports = v` the first is a mere shorthand.
        places = [place for place in places if place[2] or context.text(place[1]) != "exports"]
        name = "" if name == "exports" else name
    value = Unknown(places[0][0], "missing") if last is None else context.named(last, name)
    for place, left, export in places:
        if export:
            out.append(Export(place, export, value))
        else:
            out.append(Assign(place, target(context, left), value, declares))


def _augment(context: Context, node: Syntax, out: list[Statement]) -> None:
    place = context.at(node)
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    if left is None or right is None:
        out.append(Express(place, context.expression(node)))
        return
    found = target(context, left)
    out.append(Assign(place, found, context.named(right, value_name(left, context)), False, assignment_op(node)))


def _update(context: Context, node: Syntax, out: list[Statement]) -> None:
    place = context.at(node)
    inner = node.child_by_field_name("argument")
    if inner is not None:
        out.append(Assign(place, target(context, inner), Literal(place, 1), False, update_op(node)))


def _awaited_using(node: Syntax) -> Syntax | None:
    """The assignment in `await using x = y`, which the TypeScript grammar takes for an expression."""
    inner = last_named(node)
    if inner is None or inner.type != "assignment_expression":
        return None
    return inner if any(child.type == "using" for child in inner.children) else None


# --------------------------------------------------------------------------------------------- declarations


@statement("lexical_declaration", "variable_declaration", "using_declaration")
def declaration(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`const`, `let`, `var`, `using`: one statement for each name declared."""
    for child in node.children:
        if child.type == "variable_declarator":
            _declare(context, child, out)


def _declare(context: Context, node: Syntax, out: list[Statement]) -> None:
    place = context.at(node)
    left, right = node.child_by_field_name("name"), node.child_by_field_name("value")
    if left is None:
        return
    value_node = None if right is None else bare(right)
    if value_node is not None and imported(context, left, value_node, place, out):
        return
    if value_node is not None and value_node.type == "assignment_expression" and not value_node.has_error:
        targets, last = chained(value_node)
        first = len(out)
        assign_all(context, [(node, left), *targets], last, out, False)
        for index, made in enumerate(out[first:], first):
            if isinstance(made, Assign):
                out[index] = Assign(made.at, made.target, made.value, True, None, annotation(context, node))
                break
        return
    found = target(context, left)
    value = None if right is None else context.named(right, found.id if isinstance(found, Name) else "")
    out.append(Assign(place, found, value, True, None, annotation(context, node)))


@statement("enum_declaration")
def enum(context: Context, node: Syntax, out: list[Statement]) -> None:
    """An enum is the mapping that it is at run time; members without a value count on from the one before."""
    place = context.at(node)
    named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    items: list[Item] = []
    following: int | None = 0
    for child in body.children if body is not None else ():
        if not child.is_named or child.type in COMMENTS or child.type == "ERROR":
            continue
        member = child.child_by_field_name("name") if child.type == "enum_assignment" else child
        left = Unknown(place, "key") if member is None else key(context, member)
        value = context.field(child, "value") if child.type == "enum_assignment" else None
        if value is None:
            value = Literal(left.at, following) if following is not None else Unknown(left.at, "counted")
        known = isinstance(value, Literal) and isinstance(value.value, int)
        following = int(str(value.value)) + 1 if known and isinstance(value, Literal) else None
        items.append(Item(left.at, left, value))
    if named is not None:
        mapping = Mapping(place, tuple(items))
        out.append(Assign(place, Name(context.at(named), context.text(named)), mapping, True))


@statement("internal_module", "module")
def namespace(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`namespace X { … }`: a block. What it exports is its own and not the file's."""
    body = node.child_by_field_name("body")
    context.namespaces += 1
    out.append(BlockStatement(context.at(node), () if body is None else context.block(body)))
    context.namespaces -= 1


@statement(
    "interface_declaration",
    "type_alias_declaration",
    "ambient_declaration",
    "function_signature",
    "empty_statement",
    "debugger_statement",
)
def nothing(context: Context, node: Syntax, out: list[Statement]) -> None:
    """Types, and statements that do nothing."""


# -------------------------------------------------------------------------------------------------- branches


@statement("if_statement")
def branch(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`if` with all its `else if`s, lowered in a loop and nested from the last one on."""
    arms: list[tuple[int, Expression, Block]] = []
    otherwise: Block = ()
    links = 0
    inner: Syntax | None = node
    while inner is not None:
        place = context.at(inner)
        test = context.field(inner, "condition") or Unknown(place, "missing")
        then = _arm(context, inner.child_by_field_name("consequence"))
        arms.append((place, test, (*_damage(context, inner, node), *then)))
        last = _alternative(inner)
        inner = last if last is not None and last.type == "if_statement" else None
        if inner is None:
            otherwise = _arm(context, last)
        elif context.links >= LINKS:
            otherwise = (Express(context.at(inner), context.too_deep(inner)),)
            break
        else:
            context.links += 1
            links += 1
    context.links -= links
    for place, test, then in reversed(arms):
        otherwise = (Branch(place, test, then, otherwise),)
    out.extend(otherwise)


def _damage(context: Context, inner: Syntax, outer: Syntax) -> Block:
    """Errors of an `else if`; those of the first `if` stand before it already."""
    return () if not context.broken or inner is outer else context.damage(inner)


def _alternative(node: Syntax) -> Syntax | None:
    clause = node.child_by_field_name("alternative")
    return None if clause is None else last_named(clause)


def _arm(context: Context, node: Syntax | None) -> Block:
    return () if node is None else context.block(node)


@statement("switch_statement")
def switch(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`switch`: cases without a body join the next one; a `break` at the end of a case is removed."""
    place = context.at(node)
    subject = context.field(node, "value") or Unknown(place, "missing")
    body = node.child_by_field_name("body")
    context.jumps.append("")
    cases = [_case(context, child) for child in _cases(body)]
    context.jumps.pop()
    joined: list[Case] = []
    waiting: list[Expression] = []
    for index, case in enumerate(cases):
        if case.tests and not case.body and case.falls and index + 1 < len(cases) and cases[index + 1].tests:
            waiting.extend(case.tests)
            continue
        falls = case.falls and index + 1 < len(cases)
        joined.append(Case(case.at, (*waiting, *case.tests), case.body, falls))
        waiting.clear()
    out.append(Match(place, subject, tuple(joined)))


def _cases(body: Syntax | None) -> list[Syntax]:
    kinds = ("switch_case", "switch_default")
    return [] if body is None else [child for child in body.children if child.type in kinds]


def _case(context: Context, node: Syntax) -> Case:
    place = context.at(node)
    tested = node.child_by_field_name("value") if node.type == "switch_case" else None
    tests = () if tested is None else (context.expression(tested),)
    rest = [child for child in node.children if tested is None or child.id != tested.id]
    body = context.statements(rest)
    if context.broken:
        body = (*body, *context.damage(node))
    return Case(place, tests, _without_break(body), not ends(body))


def _without_break(body: Block) -> Block:
    """A case without the `break` that ends it, which may stand in a block of its own."""
    if body and isinstance(body[-1], Break):
        return body[:-1]
    if body and isinstance(last := body[-1], BlockStatement):
        return (*body[:-1], BlockStatement(last.at, _without_break(last.body)))
    return body


def ends(body: Block) -> bool:
    """Whether a block surely does not run on past its end."""
    stack: list[Block] = [body]
    while stack:
        block = stack.pop()
        last = block[-1] if block else None
        if isinstance(last, Branch):
            stack.extend((last.then, last.otherwise))
        elif isinstance(last, BlockStatement):
            stack.append(last.body)
        elif not isinstance(last, Return | Raise | Break | Continue):
            return False
    return True


# ----------------------------------------------------------------------------------------------------- loops

_LOOPS = frozenset({"for_statement", "for_in_statement", "while_statement", "do_statement"})


@statement("for_statement")
def loop(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`for (init; test; update)`: a block of what comes first, then a loop with the update at the end of its body."""
    place = context.at(node)
    first: list[Statement] = []
    initial = node.child_by_field_name("initializer")
    if initial is not None and initial.type.endswith("_declaration"):
        declaration(context, initial, first)
    elif initial is not None and initial.type not in ("empty_statement", ";"):
        effect(context, _unstated(initial), first)
    tested = node.child_by_field_name("condition")
    has_test = tested is not None and tested.type not in ("empty_statement", ";")
    test = context.expression(_unstated(tested)) if tested is not None and has_test else None
    body = list(_loop_body(context, node))
    step = node.child_by_field_name("increment")
    if step is not None:
        effect(context, step, body)
    made = Loop(place, tuple(body), test=_endless(test))
    out.append(BlockStatement(place, (*first, made)) if first else made)


def _unstated(node: Syntax) -> Syntax:
    inner = last_named(node) if node.type == "expression_statement" else None
    return node if inner is None else inner


def _loop_body(context: Context, node: Syntax) -> Block:
    body = node.child_by_field_name("body")
    # A label names the loop that is lowered directly under it, and no other.
    label = context.jumps.pop() if context.jumps and context.jumps[-1].endswith(":") else ""
    context.jumps.append(label.rstrip(":") or " ")
    block = _arm(context, body)
    context.jumps.pop()
    if label:
        context.jumps.append(label)
    return block


def _endless(test: Expression | None) -> Expression | None:
    """`while (true)` is `for (;;)`."""
    return None if isinstance(test, Literal) and test.value else test


@statement("for_in_statement")
def loop_over(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`for (x of y)`; `for (x in y)` goes over `Object.keys(y)`; `for await` awaits what it goes over."""
    place = context.at(node)
    left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
    over = Unknown(place, "missing") if right is None else context.expression(right)
    operator = node.child_by_field_name("operator")
    if operator is not None and operator.type == "in":
        keys = Member(over.at, Name(over.at, "Object"), "keys")
        over = Call(over.at, keys, (Argument(over.at, over),))
    if any(child.type == "await" for child in node.children):
        over = Await(over.at, over)
    found = Unknown(place, "target") if left is None else target(context, left)
    out.append(Loop(place, _loop_body(context, node), found, over))


@statement("while_statement", "do_statement")
def loop_while(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`while (test)` and `do … while (test)`."""
    place = context.at(node)
    test = context.field(node, "condition") or Unknown(place, "missing")
    body = _loop_body(context, node)
    out.append(Loop(place, body, test=_endless(test), until=node.type == "do_statement"))


@statement("break_statement", "continue_statement")
def jump(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`break`, `continue`. One that names an outer statement is more than a node can say: Unknown stands before."""
    place = context.at(node)
    label = node.child_by_field_name("label")
    is_break = node.type == "break_statement"
    if label is not None:
        around = [item for item in context.jumps if not item.endswith(":") and (is_break or item)]
        if not around or around[-1] != context.text(label):
            out.append(Express(place, Unknown(place, "labelled jump")))
    out.append(Break(place) if is_break else Continue(place))


@statement("labeled_statement")
def labelled(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`label: statement`."""
    place = context.at(node)
    label, body = node.child_by_field_name("label"), node.child_by_field_name("body")
    loops = body is not None and body.type in _LOOPS
    if loops:
        context.jumps.append(("" if label is None else context.text(label)) + ":")
    block = _arm(context, body)
    if loops:
        context.jumps.pop()
    out.append(BlockStatement(place, block))


# ------------------------------------------------------------------------------------------------ the others


@statement("statement_block")
def block(context: Context, node: Syntax, out: list[Statement]) -> None:
    """A bare `{ … }`."""
    out.append(BlockStatement(context.at(node), context.block(node)))


@statement("with_statement")
def with_object(context: Context, node: Syntax, out: list[Statement]) -> None:
    """JavaScript's `with (object)`, which nobody can follow: its object as Unknown, then its body."""
    place = context.at(node)
    value = context.field(node, "object")
    out.append(Express(place, Unknown(place, "with", () if value is None else (value,))))
    out.append(BlockStatement(place, _arm(context, node.child_by_field_name("body"))))


@statement("try_statement")
def attempt(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`try`, with one handler for all that is thrown."""
    place = context.at(node)
    body = _arm(context, node.child_by_field_name("body"))
    caught, final = node.child_by_field_name("handler"), node.child_by_field_name("finalizer")
    handlers: tuple[Handler, ...] = ()
    if caught is not None:
        bound = caught.child_by_field_name("parameter")
        name = None if bound is None else target(context, bound)
        handlers = (Handler(context.at(caught), (), name, _arm(context, caught.child_by_field_name("body"))),)
    out.append(Try(place, body, handlers, (), _arm(context, final and final.child_by_field_name("body"))))


@statement("return_statement")
def give(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`return`."""
    inner = last_named(node)
    out.append(Return(context.at(node), None if inner is None else context.expression(inner)))


@statement("throw_statement")
def throw(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`throw`."""
    inner = last_named(node)
    place = context.at(node)
    out.append(Raise(place, Unknown(place, "missing") if inner is None else context.expression(inner)))
