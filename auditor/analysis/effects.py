"""What a call of a library does, as its model says: to values, to what is known, and to whom it hands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import (
    actions,
    addresses,
    binding,
    calls,
    cells,
    comparing,
    contents,
    flows,
    hooks,
    names,
    promises,
    registration,
    results,
    rows,
    shapes,
    slots,
    stores,
    tables,
)
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, ClassInfo, Frame
from auditor.library import Model, Reference
from auditor.terms import Term, leaves, plain, text_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

ELEMENTS = 12  # elements of a known sequence that are walked one by one


# ---------------------------------------------------------------------------------------- library calls


def _callee_name(w: Walker, function: Term) -> str | None:
    """The name of what is called: a member goes by its holder's name, never by the type of its value (a `dict`)."""
    key = text_of(function.args[1]) if function.kind == "load" else None
    if key is None and function.kind == "load" and function.args[1].kind in ("parameter", "root"):
        base = w.world.name_of(function.args[0])  # `getattr(client, method)(…)`: whichever verb it is, it sends
        model = w.world.libraries.find("python", f"{base}.request") if base else None
        return f"{base}.request" if model is not None and model.http is not None else None
    if key is None or function in w.world.types:
        return w.world.name_of(function)
    base = w.world.name_of(function.args[0]) or _plain_data(function.args[0])
    return f"{base}.{key}" if base else None


def _plain_data(term: Term) -> str | None:
    """What a session gives back is data: in Python a method of it is a dictionary's."""
    while term.kind == "load":
        term = term.args[0]
    return "dict" if term.kind == "root" and term.data[0] == "SESSION" else None


def external_call(
    w: Walker, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node, decorating: bool
) -> Term:
    """A call whose callee the program does not define."""
    world = w.world
    if frame.program.language == "html" and _gets(function, arguments):
        return w.item(function.args[0], contents.freeze(w, arguments.positional[0], state), state, frame)
    name = _callee_name(w, function)
    model = world.libraries.find(frame.language, name) if name else None
    if model is None:
        last = name.rpartition(".")[2] if name else text_of(function.args[1]) if function.kind == "load" else None
        model = world.libraries.find(frame.language, f"*.{last}") if last and last != name else None
    frozen = Arguments(
        [contents.freeze(w, one, state) for one in arguments.positional],
        {key: contents.freeze(w, one, state) for key, one in arguments.named.items()},
        contents.freeze(w, arguments.receiver, state) if arguments.receiver is not None else None,
    )
    receiver = (arguments.receiver,) if arguments.receiver is not None else ()
    keywords = tuple(frozen.named)
    result = w.terms.make(
        "call", (name or "", keywords, world.site(frame, node), bool(receiver)), (*frozen.all(), *receiver)
    )
    if arguments.receiver is not None:
        world.receivers[result] = arguments.receiver
    elif function in world.receivers:  # what a method gave is called: the decorator of `app.route(...)`
        arguments.receiver = world.receivers[function]
    method = text_of(function.args[1]) if function.kind == "load" else (name or "").rpartition(".")[2]
    rows = tables.same(w, method or "", arguments.receiver, state)
    if rows is not None:
        return rows
    if tables.sent(w, method or "", arguments, result, state, frame, node):
        return result
    if model is None or model.http is not None:
        world.outside.setdefault(result, model is not None)
    if model is None:
        actions.call_seen(w, name or (f"?.{last}" if last else ""), None, frozen, result, state, frame, node)
        if decorating and arguments.positional:
            return arguments.positional[0]  # what an unknown decorator does with a function is not known
        for one in arguments.all():
            _hand_on(w, one, state, frame, node)
        return result
    arguments.callee = function
    value = apply(w, model, name or "", arguments, frozen, result, state, frame, node)
    if decorating and arguments.positional and value is result and model.route is None and not model.decorates:
        return arguments.positional[0]
    return value


def _gets(function: Term, arguments: Arguments) -> bool:
    """Whether a template looks up a key of what it was handed: `session.get("token")`."""
    return function.kind == "load" and text_of(function.args[1]) == "get" and len(arguments.positional) in (1, 2)


def _hand_on(w: Walker, value: Term, state: State, frame: Frame, node: ir.Node, depth: int = 3) -> None:
    """Functions given to something unknown may be called by it."""
    if value.kind == "native":
        calls.call(w, value, Arguments([], {}), state, frame, node)  # the rest of a pipeline: what is unknown goes on
    elif value in w.world.managed:  # somebody else enters it, with a body that is not seen
        function, arguments = w.world.managed[value]
        calls.inline(w, function, arguments, state.fork(), frame, node, lambda _given, _now, _inner: None)
    elif value.kind == "function":
        if frame.startup:
            w.world.handed[value] = None  # a framework may call it: an entry of its own
        elif shapes.unit_key(value) not in w.world.stack:
            calls.later(w, value, binding.guessed_arguments(w, value), state, frame, node)
    elif value.kind == "object" and depth and value not in w.world.instances:
        for key in list(w.world.keys.get(value, ())):
            held = state.slots.get((value, key))
            if held is not None:
                _hand_on(w, held, state, frame, node, depth - 1)
    elif value.kind in ("sequence", "mapping") and depth:
        for one in value.args:
            _hand_on(w, one, state, frame, node, depth - 1)


def apply(
    w: Walker, model: Model, name: str, arguments: Arguments, frozen: Arguments, result: Term, state: State,
    frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    """Do what a model says; gives the call's value."""
    terms, world = w.terms, w.world
    value = result
    if model.returns:
        world.types[result] = model.returns
        returned = world.libraries.find(frame.language, model.returns)
        if returned is not None:
            value = names.as_model(w, result, returned, model.returns)
    if model.is_:
        value = names.as_model(w, result, model, model.like or f"{name}()")
    if model.medium:
        world.media[result] = model.medium
    if model.kind:
        world.kinds[result] = model.kind
        filled = shapes.pick(model.fills, arguments)
        if filled is not None:
            world.kinds[filled] = model.kind
        world.made.setdefault(result, (frame.program, node.at))
    if model.http is not None:
        world.http[result] = model.http.error if model.http.throws else ""
        world.sent[result] = model.http
        value = _sent(w, model, name, arguments, frozen, result, value, state, frame, node)
    if model.draws is not None:
        value = calls.drawn(w, shapes.pick(model.draws, arguments) or value, state, frame)
    value = results.given(w, model, arguments, frozen, value, state, frame, node)
    value = slots.touched(w, model, arguments, value, state, frame, node)
    if model.asks is not None and model.asks.gives:
        value = rows.asked(w, model.asks, arguments, value, state, frame)
    if model.equals is not None:
        left, right = shapes.pick(model.equals.left, arguments), shapes.pick(model.equals.right, arguments)
        if left is not None and right is not None:
            if model.equals.takes_null:
                equal = w.compare("==", left, right)
            else:
                sides = tuple(sorted((left, right), key=lambda one: one.n))
                equal = terms.make("compare", ("same", False), sides)
            w.made_at(equal, frame, node)
            if model.equals.throws:
                _ensured(w, equal, model, state, frame)
            else:
                value = equal
    if model.verifies is not None:
        value = _verified(w, model, arguments, result, state, frame)
    if model.asserts is not None:
        _asserted(w, model, arguments, state, frame)
    if model.raises_status:
        value = _refused(w, model, arguments, value, state, frame)
    if model.calls is not None:
        value = _calls(w, model, name, arguments, value, state, frame, node)
    if model.awaits:
        value = promises.await_all(w, model, arguments, state, frame)
    if model.route is not None:
        registration.register(w, model.route, arguments, result, state, frame, node)
        if model.decorates and arguments.positional:
            value = arguments.positional[0]
    if model.stage is not None:
        registration.register_stage(w, model.stage, _for_requests(w, model, arguments))
        if model.decorates and arguments.positional:
            value = arguments.positional[0]
    if model.plugin is not None:
        registration.plug_in(w, model.plugin, arguments, frozen, state, frame, node)
    if model.catcher is not None:
        registration.register_catcher(w, model.catcher, arguments)
        if model.decorates and arguments.positional:
            value = arguments.positional[0]
    if model.keeps is not None:
        value = stores.made(w, model.keeps, arguments, result, state, frame, node)
    if model.caches is not None:
        kept = shapes.pick(model.caches, arguments)
        if kept is not None and kept.kind == "function":
            world.cached.add(shapes.unit_key(kept))
    if model.binds is not None:
        value = _bound_to(w, model.binds, arguments, node)
    if model.manages is not None:
        managed = shapes.pick(model.manages, arguments)
        if managed is not None and managed.kind == "function":
            world.managers.add(shapes.unit_key(managed))
    if model.cell is not None:
        value = cells.made(w, model.cell, arguments, state, frame, node)
    if model.persists is not None:
        asked = [slots.option(w, one, arguments, state) for one in model.persists.options]
        if not asked or any(one is not None and one not in (w.terms.none, w.terms.false) for one in asked):
            w.record("persist", node, state, frame, name=name)
    if model.provides is not None:
        registration.register_provider(w, model.provides, arguments)
    if model.flow is not None:
        value = flows.flow(w, model.flow, name, frozen, value, state, frame, node)
    if model.returns and value is not result and value.kind in ("serial", "parsed"):
        world.types.setdefault(value, model.returns)
    if (model.http is not None or model.flow is not None) and model.calls is None:
        for one in arguments.all():
            _hand_on(w, one, state, frame, node)
    if model.secret is not None:
        flows.secret_given(w, model.secret, name, frozen, state, frame, node)
    if model.code is not None and arguments.receiver is not None:
        status = shapes.pick(model.code, frozen)
        if status is not None:
            state.put((shapes.holder_of(w, arguments.receiver), terms.literal("statusCode")), status)
    actions.sinks(w, model, name, frozen, result, state, frame, node)
    for hook in model.hooks:
        hooks.register(w, hook, arguments)
    if model.promise:
        value = terms.make("promise", None, (value,))
    if model.exits:
        if model.raises == "0" and arguments.positional:  # `Promise.reject(error)`
            frame.raises.append((state.fork(), arguments.positional[0]))
        elif model.raises:
            frame.raises.append((state.fork(), terms.make("error", model.raises)))
        state.dead = True
    return value


def _bound_to(w: Walker, function: Reference, arguments: Arguments, node: ir.Node) -> Term:
    """`functools.partial(f, a)`: called with b, it calls f with a and b."""
    called = shapes.pick(function, arguments) or w.terms.unknown("partial")
    first, named = arguments.positional[1:], dict(arguments.named)

    def call(positional: Sequence[Term], keywords: Mapping[str, Term], now: State, inner: Frame) -> Term:
        given = Arguments([*first, *positional], {**named, **keywords})
        return calls.call(w, called, given, now, inner, node)

    return calls.native(w, call)


def _for_requests(w: Walker, model: Model, arguments: Arguments) -> Arguments:
    """Without the functions that take more than a stage is given: they handle errors (Express counts parameters)."""
    assert model.stage is not None
    binds = model.stage.binds
    if not isinstance(binds, tuple) or "next" not in binds:
        return arguments
    kept = [
        one
        for one in arguments.positional
        if one.kind != "function" or len(w.world.units[shapes.unit_key(one)].unit.parameters) <= len(binds)
    ]
    return Arguments(kept, arguments.named, arguments.receiver, arguments.open, arguments.callee)


def _sent(
    w: Walker, model: Model, name: str, arguments: Arguments, frozen: Arguments, result: Term, value: Term, state: State,
    frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    """A request is sent. Where a refusal raises, the normal exit knows that it was none."""
    assert model.http is not None
    refusal = state.fork() if model.http.throws else None
    if refusal is not None:
        okay = w.terms.make("op", "ok", (result,))
        refusal.assume(w.terms.negate(okay), w.terms)
        state.assume(okay, w.terms)
    frozen.callee = arguments.callee
    if model.flow is None:
        actions.call_seen(w, name, model, frozen, result, state, frame, node)
    if refusal is None:
        return value
    error = w.terms.make("error", model.http.error, (result,))
    client = arguments.receiver if arguments.receiver is not None else arguments.callee
    return hooks.refused(w, client, refusal, error, value, state, frame, node)


def _refused(w: Walker, model: Model, arguments: Arguments, value: Term, state: State, frame: Frame) -> Term:
    """`raise_for_status()`."""
    response = arguments.receiver
    if response is None:
        return value
    error = w.world.http.get(response) or model.raises_status
    okay = w.terms.make("op", "ok", (response,))
    refused = state.fork()
    refused.assume(w.terms.negate(okay), w.terms)
    if not refused.dead:
        frame.raises.append((refused, w.terms.make("error", error, (response,))))
    state.assume(okay, w.terms)
    return response


def _asserted(w: Walker, model: Model, arguments: Arguments, state: State, frame: Frame) -> None:
    """`assert(condition)`: it comes back only where the condition holds."""
    asserted = shapes.pick(model.asserts, arguments)
    if asserted is None:
        return
    _ensured(w, w.terms.truth(asserted), model, state, frame)


def _ensured(w: Walker, test: Term, model: Model, state: State, frame: Frame) -> None:
    """A call comes back only where a condition holds, and raises elsewhere."""
    failed = state.fork()
    failed.assume(w.terms.negate(test), w.terms)
    if not failed.dead:
        frame.raises.append((failed, w.terms.make("error", model.raises or "any")))
    state.assume(test, w.terms)


def _verified(w: Walker, model: Model, arguments: Arguments, result: Term, state: State, frame: Frame) -> Term:
    assert model.verifies is not None
    sealed = shapes.pick(model.verifies.value, arguments) or w.terms.unknown("sealed")
    options = (
        addresses.collected([contents.freeze(w, one, state) for one in arguments.named.values()]) | arguments.named
    )
    if any(name in options and options[name] is w.terms.false for name in model.verifies.unless):
        return w.terms.make("parsed", "unverified", (sealed,))
    opened = w.terms.make("parsed", "verified", (sealed,))
    completed = w.terms.make("completed", None, (opened,))
    if model.verifies.throws:
        forged = state.fork()
        forged.assume(w.terms.negate(completed), w.terms)
        frame.raises.append((forged, w.terms.make("error", model.raises or "any", ())))
        state.assume(completed, w.terms)
        return opened
    return w.terms.alt([(opened, completed), (w.terms.none, w.terms.negate(completed))])


def _calls(
    w: Walker, model: Model, name: str, arguments: Arguments, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A library function that calls what it is given."""
    assert model.calls is not None
    function = shapes.pick(model.calls.function, arguments)
    given = [
        value
        if ref == "result"
        else w.read(value, w.terms.literal(ref.removeprefix("result.")), state)
        if isinstance(ref, str) and ref.startswith("result.")
        else shapes.pick(ref, arguments) or w.terms.none
        for ref in model.calls.arguments
    ]
    when = model.calls.when
    if when == "entry":
        for one in arguments.all():
            _hand_on(w, one, state, frame, node)
        return value
    if when in ("then", "catch", "finally"):
        return promises.continued(w, when, arguments, state, frame, node)
    if when == "keeps":
        _kept(w, model, name, arguments, state, frame, node)
        return value
    if function is None:
        return value
    if when == "now":
        if model.calls.arguments == ("rest",):
            given = arguments.positional[1:]
        result = calls.call(w, function, Arguments(given, {}), state, frame, node)
        return result if model.calls.result else value
    if when == "executor":
        return promises.executor(w, function, state, frame, node)
    if when in ("each", "find", "some", "every"):
        return _each(w, when, function, arguments, state, frame, node)
    if function.kind in ("function", "native"):
        calls.later(w, function, given or binding.guessed_arguments(w, function), state, frame, node)
    return value


def _kept(w: Walker, model: Model, name: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> None:
    """A library runs a function and keeps what it raises, for whoever asks it later (`useQuery`)."""
    assert model.calls is not None
    references = model.calls.function if isinstance(model.calls.function, tuple) else (model.calls.function,)
    given = [slots.option(w, reference, arguments, state) for reference in references]
    function = next((one for one in given if one is not None and one.kind == "function"), None)
    if function is None:
        return
    holder = w.world.external(name, frame.language)
    for way, error in calls.later(w, function, binding.guessed_arguments(w, function), state, frame, node):
        w.record(
            "store", node, way, frame, holder=holder, key=w.terms.literal("error"), value=contents.freeze(w, error, way)
        )


def _each(
    w: Walker, when: str, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A function is called with the elements of the receiver: to make something of each, to find one, to ask of one or all."""
    terms = w.terms
    receiver = arguments.receiver or terms.unknown("elements")
    known = receiver.kind == "sequence" and receiver.data is None and len(receiver.args) <= ELEMENTS
    if known and when == "each":
        mapped = [calls.call(w, function, Arguments([one], {}), state, frame, node) for one in receiver.args]
        return terms.make("sequence", None, tuple(contents.freeze(w, one, state) for one in mapped))
    if known and when in ("some", "every"):
        asked = [_asked(w, function, one, state, frame, node) for one in receiver.args]
        return comparing.holds_for(
            w, "any" if when == "some" else "all", terms.make("sequence", None, tuple(asked)), state
        )
    element = w.element_of(receiver, state)
    found = _asked(w, function, element, state, frame, node)
    if when == "every":
        return terms.make("op", "all", (found,))
    test = terms.all((terms.truth(found), comparing.inhabited(w, receiver, state)))
    if when == "some":
        return test
    if when == "find":
        return terms.alt([(element, test), (terms.none, terms.negate(test))])
    return terms.make("sequence", "each", (contents.freeze(w, found, state),))


def _asked(w: Walker, function: Term, element: Term, state: State, frame: Frame, node: ir.Node) -> Term:
    """What a function says of an element that it may be called with."""
    way = state.fork()
    outer, frame.raises = frame.raises, []
    found = calls.call(w, function, Arguments([element], {}), way, frame, node)
    raised, frame.raises = frame.raises, outer
    frame.raises.extend(raised)
    if not way.dead:
        before = state.conditions
        w.merge(state, [(state.fork(), w.terms.none), (way, w.terms.none)])
        state.conditions = before
    return found


def library_constructed(
    w: Walker, made: Term, library: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> None:
    """An instance of a class that derives from a library's: its constructor does what the model says."""
    model = w.world.libraries.find(frame.language, library)
    for key, value in arguments.named.items():
        w.write(made, w.terms.literal(key), value, state, frame, node)
    if arguments.positional and library.endswith(("Error", "Exception")):
        key = "message" if frame.language == "javascript" else "args"
        said = (
            arguments.positional[0] if key == "message" else w.terms.make("sequence", None, tuple(arguments.positional))
        )
        w.write(made, w.terms.literal(key), said, state, frame, node)
    if model is None:
        return
    frozen = Arguments(
        [contents.freeze(w, one, state) for one in arguments.positional],
        {key: contents.freeze(w, one, state) for key, one in arguments.named.items()},
        made,
    )
    if model.flow is not None:
        result = w.terms.make(
            "call", (library, tuple(frozen.named), w.world.site(frame, node), False), tuple(frozen.all())
        )
        flows.flow(w, model.flow, library, frozen, result, state, frame, node)


# ------------------------------------------------------------------------------------------ what happened


def element(w: Walker, node: ir.Element, state: State, frame: Frame) -> Term:
    """A markup element: its parts are rendered, its handlers may be called, a component is a function called with them."""
    parts: list[Term] = []
    for attribute in node.attributes:
        value = w.value(attribute.value, state, frame)
        name = attribute.key.value if type(attribute.key) is ir.Literal else None
        if value.kind == "function":
            _hand_on(w, value, state, frame, attribute)
        else:
            frozen = contents.freeze(w, value, state)
            parts.append(frozen)
            if name in ("href", "action", "src"):
                actions.text_seen(w, frozen, attribute, state, frame)
    for child in node.children:
        parts.append(contents.freeze(w, w.value(child, state, frame), state))
    if node.tag[:1].islower() or not node.tag:
        kept = [part for part in parts if part.kind not in ("literal", "element")]
        if kept:
            w.record("render", node, state, frame, value=w.terms.unknown("element", kept))
    return w.terms.make("element", node.tag, tuple(part for part in parts if part.kind != "literal")[:8])


def class_defined(w: Walker, cls: Term, info: ClassInfo, state: State, frame: Frame) -> None:
    """A class was defined: a framework may call its methods."""
    registration.class_routes(w, cls, info, state, frame)


__all__ = ["leaves", "plain"]
