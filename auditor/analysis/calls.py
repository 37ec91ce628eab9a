"""Calls: a callee of the program is walked where it is called, a library's is what its model says."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from auditor import program as ir
from auditor.analysis import actions, contents, effects, shapes
from auditor.analysis.state import Slot, State
from auditor.analysis.world import Arguments, Frame, Native, Pending, UnitInfo
from auditor.terms import Term, alternatives, nothing, number, text_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

Within: TypeAlias = "Callable[[Term, State, Frame], None] | None"

DEPTH_LIMIT = 40  # callees within callees
_APPLYING = frozenset({"call", "apply", "bind"})
_METHODS = frozenset({"method", "constructor", "getter", "setter", "classmethod"})


def call_expression(w: Walker, node: ir.Call, state: State, frame: Frame) -> Term:
    """Evaluate callee, receiver and arguments, then call."""
    callee = node.callee
    receiver: Term | None = None
    if type(callee) is ir.Name:
        special = _special(w, callee.id, node, state, frame)
        if special is not None:
            return special
        function = w.value(callee, state, frame)
    elif type(callee) is ir.Member:
        if type(callee.object) is ir.Name and callee.object.id == "super" and frame.language == "javascript":
            receiver = _super(w, frame)
        else:
            receiver = w.value(callee.object, state, frame)
        if receiver.kind == "promise" and callee.name in ("then", "catch", "finally"):
            receiver = receiver.args[0]
        if receiver.kind == "function" and callee.name in _APPLYING and frame.language == "javascript":
            return _applied(w, callee.name, receiver, node, state, frame)
        if receiver.kind == "super":
            function = super_member(w, receiver, callee.name)
        else:
            function = w.member(receiver, callee.name, state, frame, optional=callee.optional)
            if function is receiver:  # a member that is its object (`reply.code`): here it is called
                function = w.world.external(f"{w.world.name_of(receiver)}.{callee.name}", frame.language)
    elif type(callee) is ir.Subscript:
        receiver = w.value(callee.object, state, frame)
        key = w.value(callee.key, state, frame)
        function = w.item(receiver, key, state, frame)
    else:
        function = w.value(callee, state, frame)
    arguments = evaluate(w, node.arguments, state, frame)
    arguments.receiver = receiver
    if state.dead:
        return w.terms.none
    made = call(w, function, arguments, state, frame, node)
    if node.new and made.kind == "call":
        w.terms.there.add(made)
    return made


def _applied(w: Walker, name: str, function: Term, node: ir.Call, state: State, frame: Frame) -> Term:
    """`f.call(this, a)`, `f.apply(this, [a])`, `f.bind(this, a)` of a function of the program."""
    given = evaluate(w, node.arguments, state, frame).positional
    this, rest = (given[0] if given else w.terms.none), given[1:]
    if this.kind == "object" and not function.args:
        function = bound(w, function, this)
    if name == "apply":
        listed = rest[0] if rest else w.terms.make("sequence", None, ())
        known = listed.kind == "sequence" and listed.data is None
        return call(
            w, function, Arguments(list(listed.args) if known else rest, {}, open=not known), state, frame, node
        )
    if name == "call":
        return call(w, function, Arguments(rest, {}), state, frame, node)

    def later(positional: Sequence[Term], named: object, now: State, inner: Frame) -> Term:
        return call(w, function, Arguments([*rest, *positional], {}), now, inner, node)

    return native(w, later) if rest else function


def _special(w: Walker, name: str, node: ir.Call, state: State, frame: Frame) -> Term | None:
    if name == "super":
        base = _super(w, frame)
        if frame.language == "python":
            return base
        constructor = super_member(w, base, "constructor")
        arguments = evaluate(w, node.arguments, state, frame)
        arguments.receiver = frame.this
        return call(w, constructor, arguments, state, frame, node)
    if name in ("require", "import") and frame.language == "javascript" and node.arguments:
        module = text_of(w.value(node.arguments[0].value, state, frame))
        if module is not None:
            return w.imported(frame.program, module, None, common=True)
    return None


def _super(w: Walker, frame: Frame) -> Term:
    owner = frame.owner or w.terms.none
    return w.terms.make("super", None, (owner, frame.this or w.terms.none))


def super_member(w: Walker, base: Term, name: str) -> Term:
    """A member of the classes above the one whose method is running, bound to the same instance."""
    owner, this = base.args
    for one in w.world.lineage(owner)[1:] if owner.kind == "class" else ():
        info = w.world.classes.get(one)
        if info is not None:
            member = info.members.get(name)
            if member is not None:
                return bound(w, member, this) if member.kind == "function" else member
        else:
            library = w.world.name_of(one)
            if library:
                return w.world.external(library if name == "constructor" else f"{library}().{name}", "python")
    return w.terms.unknown("super", ())


def evaluate(w: Walker, arguments: tuple[ir.Argument, ...], state: State, frame: Frame) -> Arguments:
    """The values of arguments; what is known of a spread is spread."""
    out = Arguments([], {})
    for argument in arguments:
        value = w.value(argument.value, state, frame)
        if not argument.spread:
            if argument.name is None:
                out.positional.append(value)
            else:
                out.named[argument.name] = value
        elif argument.name == "**":
            frozen = contents.freeze(w, value, state)
            if frozen.kind == "mapping":
                for key, part in zip(frozen.data, frozen.args, strict=True):
                    if key is None:
                        out.open = True
                        out.named.setdefault("**", part)
                    else:
                        out.named.setdefault(str(key), part)
            else:
                out.open = True
                out.named.setdefault("**", value)
        elif value.kind == "sequence" and value.data is None:
            out.positional.extend(value.args)
        else:
            out.open = True
            out.positional.append(w.terms.unknown("spread", (value,)))
    return out


def call(
    w: Walker, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node, decorating: bool = False
) -> Term:
    """Call a value and give the result; `decorating`: as a decorator, where an unknown one gives its argument."""
    kind = function.kind
    if kind == "alt":
        callables = [one for one in values(function) if not nothing(one)]
        if len(callables) == 1:
            return call(w, callables[0], arguments, state, frame, node, decorating)
        guards = dict(alternatives(function))
        ways = []
        for one in callables:
            way = state.fork()
            way.assume(guards[one], w.terms)
            if not way.dead:
                ways.append((way, call(w, one, arguments, way, frame, node, decorating)))
        return w.merge(state, ways)
    if kind == "late":
        function = w.late(function, frame)
        kind = function.kind
    if kind == "function":
        return inline(w, function, arguments, state, frame, node)
    if kind == "class":
        return construct(w, function, arguments, state, frame, node)
    if kind == "native":
        frame.calling = node
        return w.world.natives[function](arguments.positional, arguments.named, state, frame)
    if kind == "object":
        dunder = w.member(function, "__call__", state, frame)
        if dunder.kind == "function":
            return inline(w, dunder, arguments, state, frame, node)
    return effects.external_call(w, function, arguments, state, frame, node, decorating)


def bound(w: Walker, function: Term, this: Term) -> Term:
    """A method with its receiver."""
    return w.terms.make("function", function.data, (this,)) if function.kind == "function" else function


def inline(
    w: Walker, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node, within: Within = None
) -> Term:
    """Walk a unit of the program with these arguments; `within` happens where it yields."""
    world = w.world
    key = shapes.unit_key(function)
    info = world.units[key]
    unit = info.unit
    if key in world.managers and within is None:
        manager = world.terms.make("manager", world.serial())
        world.managed[manager] = (function, arguments)
        return manager
    world.walked.setdefault(key, set()).add(world.entry)
    if not world.relevance.enters(key, world.stack):
        return _not_entered(w, info, arguments, state, frame, node)
    if key in world.stack or len(world.stack) >= DEPTH_LIMIT:
        w.record("lost", node, state, frame, name="recursion")
        return w.terms.unknown("recursion", arguments.all())
    scopes: tuple[object, ...] = function.data[2]
    number = world.serial()
    inner = Frame(
        number, (*scopes, number), info.program, unit, info.qualified,
        this=function.args[0] if function.args else frame.this if unit.arrow else None,
        owner=_owner(scopes), startup=frame.startup or _kept(w, key, function), within=within,
    )  # fmt: skip
    world.stack.append(key)
    before = state.fork() if within is None and (unit.asynchronous or unit.generator) else None
    try:
        bind_parameters(w, info, function, arguments, state, inner)
        if not state.dead:
            w.block(unit.body, state, inner)
        if not state.dead:
            inner.returns.append((state.handed_on(), w.terms.none))
        result = w.merge(state, inner.returns)
    finally:
        world.stack.pop()
    for name in inner.names:
        if inner.closures:
            keep(w, (number, name), state)
        else:
            state.slots.pop((number, name), None)
    if before is None:
        frame.raises.extend(inner.raises)
        return result
    if unit.generator:
        return _generated(w, _later(result, before, state, inner))
    return promise(w, result, before, state, inner)


def _not_entered(w: Walker, info: UnitInfo, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    """A callee that has nothing to do with the flow: an unknown call of its name."""
    site = w.world.site(frame, node)
    given = [contents.freeze(w, one, state) for one in arguments.all()]
    name = f"<{info.qualified}>"
    result = w.terms.make("call", (name, tuple(arguments.named), site, False), tuple(given))
    positional = len(arguments.positional)
    named = dict(zip(arguments.named, given[positional:], strict=True))
    actions.call_seen(w, info.unit.name, None, Arguments(given[:positional], named), result, state, frame, node)
    return result


def keep(w: Walker, slot: Slot, state: State, depth: int = 3) -> None:
    """Keep a captured variable, and what it holds, for a closure that is called later."""
    value = state.slots.get(slot)
    if value is None or slot in w.world.globals:
        return
    w.world.globals[slot] = value
    if depth:
        for one in values(value):
            for key in w.world.keys.get(one, ()) if one.kind == "object" else ():
                keep(w, (one, key), state, depth - 1)


def _kept(w: Walker, key: tuple[str, int], function: Term) -> bool:
    """Whether a unit runs once for the program: its result is kept, and not by an object of one request."""
    return key in w.world.cached and all(w.outlives(one) or one.kind == "class" for one in function.args)


def _later(value: Term, before: State, state: State, frame: Frame) -> Pending:
    """What a unit did that has not run yet: its facts hold once it has, and until then those from before the call."""
    resolves = not state.dead
    gained = state.conditions - before.conditions if resolves else frozenset()
    if resolves:
        state.conditions = before.conditions
    else:
        state.become(before)
    return Pending(value, gained, tuple(frame.raises), resolves)


def promise(w: Walker, value: Term, before: State, state: State, frame: Frame) -> Term:
    """What a call to an asynchronous unit gives; its facts hold only once it is awaited."""
    term = w.terms.make("pending", w.world.serial())
    w.world.pending[term] = _later(value, before, state, frame)
    return term


def _generated(w: Walker, made: Pending) -> Term:
    """What a call to a generator gives: nothing of it runs before somebody asks for a value (`drawn`)."""
    given = w.terms.make("sequence", "each", (made.value,))
    other = w.world.generated.get(given)
    if other is not None:  # equal values of two calls: what both ensure
        resolves = other.resolves or made.resolves
        made = Pending(
            made.value, made.conditions & other.conditions, (*other.rejections, *made.rejections)[:12], resolves
        )
    w.world.generated[given] = made
    return given


def drawn(w: Walker, value: Term, state: State, frame: Frame) -> Term:
    """A value of a generator, or the value itself where it is none: what ran before it was given holds from here on."""
    made = w.world.generated.get(value)
    if made is None:
        return value
    frame.raises.extend(made.rejections)
    if not made.resolves:
        state.dead = True
    for condition in sorted(made.conditions - state.conditions, key=number):
        state.assume(condition, w.terms)
    return made.value


def _owner(scopes: tuple[object, ...]) -> Term | None:
    return next((scope for scope in reversed(scopes) if isinstance(scope, Term)), None)


def bind_parameters(
    w: Walker, info: UnitInfo, function: Term, arguments: Arguments, state: State, frame: Frame
) -> None:
    """Give each parameter its argument, its default, or null."""
    positional = list(arguments.positional)
    named = dict(arguments.named)
    if function.args and info.unit.kind in _METHODS and frame.language == "python":
        positional.insert(0, function.args[0])
    for parameter in info.unit.parameters:
        name = parameter.target.id if type(parameter.target) is ir.Name else None
        if parameter.kind == "rest":
            value = w.terms.make("sequence", None, tuple(positional))
            if arguments.open:
                value = w.terms.make("sequence", "each", (w.terms.unknown("rest", positional),))
            positional = []
        elif parameter.kind == "keywords":
            value = w.world.new_object("dict", frame, parameter)
            for key, part in named.items():
                w.world.keys.setdefault(value, {})[w.terms.literal(key)] = None
                state.put((value, w.terms.literal(key)), part)
            named = {}
        elif positional and not parameter.keyword_only:
            value = positional.pop(0)
            if parameter.default is not None and nothing(value) and frame.language == "javascript":
                value = w.value(parameter.default, state, frame)
        elif name is not None and name in named:
            value = named.pop(name)
        elif "**" in named and name is not None:
            value = w.item(named["**"], w.terms.literal(name), state, frame)
        elif parameter.default is not None:
            value = w.value(parameter.default, state, _defining(frame))
        elif arguments.open:
            value = w.terms.unknown("spread", arguments.all())
        else:
            value = w.terms.none if frame.language == "javascript" else w.terms.unknown("not given")
        w.assign(parameter.target, value, state, frame, declares=True)
        if parameter.default is not None and type(parameter.target) is not ir.Name and nothing(value):
            continue


def _defining(frame: Frame) -> Frame:
    """Where a default is worked out: in Python once, when the function is defined, so that all calls share it."""
    return dataclasses.replace(frame, startup=True) if frame.language == "python" else frame


def construct(w: Walker, cls: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    """Make an instance and walk its constructor."""
    world = w.world
    info = world.classes[cls]
    made = world.new_object(info.qualified, frame, node, closed=False)
    world.instances[made] = cls
    lineage = world.lineage(cls)
    for one in reversed(lineage):
        base = world.classes.get(one)
        if base is not None and base.initialisers:
            inner = Frame(
                world.serial(), base.scopes, base.program, None, base.qualified, this=made, owner=one,
                startup=frame.startup,
            )  # fmt: skip
            for name, expression in base.initialisers:
                value = w.value(expression, state, inner)  # type: ignore[arg-type]
                w.write(made, w.terms.literal(name), value, state, inner, expression)
    name = "__init__" if frame.language == "python" and info.program.language == "python" else "constructor"
    for one in lineage:
        base = world.classes.get(one)
        if base is None:
            library = world.name_of(one)
            if library:
                effects.library_constructed(w, made, library, arguments, state, frame, node)
            break
        member = base.members.get(name)
        if member is not None and member.kind == "function":
            inline(w, bound(w, member, made), arguments, state, frame, node)
            return made
    fields = [
        statement.target.id
        for statement in info.definition.body
        if type(statement) is ir.Assign and type(statement.target) is ir.Name
    ]
    given = {**dict(zip(fields, arguments.positional, strict=False)), **arguments.named}
    for key, value in given.items():
        w.write(made, w.terms.literal(key), value, state, frame, node)
    return made


def native(w: Walker, function: Native) -> Term:
    """A function of the analysis as a value of the program (`next`, `resolve`)."""
    term = w.terms.make("native", w.world.serial())
    w.world.natives[term] = function
    return term


def later(
    w: Walker, function: Term, arguments: list[Term], state: State, frame: Frame, node: ir.Node
) -> list[tuple[State, Term]]:
    """Walk a function that was handed on: it may run at some time, or never. Gives what it raises to whoever runs it."""
    if function.kind == "function" and shapes.unit_key(function) in w.world.stack:
        return []
    way = state.fork()
    outer, frame.raises = frame.raises, []
    result = call(w, function, Arguments(arguments, {}), way, frame, node)
    if result.kind == "pending" and not way.dead:
        w.awaited(result, way, frame)
    raised, frame.raises = frame.raises, outer
    if not way.dead:
        before = state.conditions
        w.merge(state, [(state.fork(), w.terms.none), (way, w.terms.none)])
        state.conditions = before
    return raised
