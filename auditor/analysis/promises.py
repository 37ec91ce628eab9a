"""A promise's executor, its continuations, and waiting for several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import calls
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Model
from auditor.terms import Term

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


_BODIES = frozenset({"json", "text", "blob", "arrayBuffer", "formData"})


def unawaited(w: Walker, value: Term, call: ir.Call) -> Term:
    """What a call gives that nobody waits for: of a library's request, or of reading its body, only a promise."""
    sent = w.world.sent.get(value)
    if sent is None and type(call.callee) is ir.Member and call.callee.name in _BODIES:
        one = value
        while one.kind in ("parsed", "serial") and len(one.args) == 1:
            one = one.args[0]
        sent = w.world.sent.get(one)
    return w.terms.make("promise", None, (value,)) if sent is not None and sent.later else value


def executor(w: Walker, function: Term, state: State, frame: Frame, node: ir.Node) -> Term:
    """`new Promise((resolve, reject) => …)`."""
    outcomes: list[tuple[State, Term]] = []
    rejected: list[tuple[State, Term]] = []

    def resolve(positional: Sequence[Term], named: object, now: State, inner: Frame) -> Term:
        outcomes.append((now.fork(), positional[0] if positional else w.terms.none))
        return w.terms.none

    def reject(positional: Sequence[Term], named: object, now: State, inner: Frame) -> Term:
        rejected.append((now.fork(), positional[0] if positional else w.terms.none))
        return w.terms.none

    before = state.fork()
    outer, frame.raises = frame.raises, rejected
    calls.call(w, function, Arguments([calls.native(w, resolve), calls.native(w, reject)], {}), state, frame, node)
    frame.raises = outer
    value = w.merge(state, outcomes) if outcomes else w.terms.none
    inner = Frame(None, frame.scopes, frame.program, frame.unit, frame.qualified)
    inner.raises = rejected
    return calls.promise(w, value, before, state, inner)


def continued(w: Walker, when: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    """`.then(f, g)`, `.catch(g)`, `.finally(h)`: what follows happens under what the promise ensured."""
    terms, world = w.terms, w.world
    receiver = arguments.receiver or terms.unknown("promise")
    if receiver.kind == "promise":
        receiver = receiver.args[0]
    known_promise = world.pending.get(receiver)
    before = state.fork()
    if known_promise is not None:
        value, resolves = known_promise.value, known_promise.resolves
        rejections = list(known_promise.rejections)
        extra = known_promise.conditions
    else:
        value, resolves, extra = receiver, True, frozenset()
        rejections = _sent_rejections(w, receiver, state)
    inner = Frame(None, frame.scopes, frame.program, frame.unit, frame.qualified)
    ways: list[tuple[State, Term]] = []
    if resolves:
        way = state.fork()
        for condition in sorted(extra, key=lambda one: one.n):
            way.assume(condition, terms)
        if known_promise is None and receiver in world.http and world.http[receiver]:
            way.assume(terms.make("op", "ok", (receiver,)), terms)
        if when == "then" and arguments.positional and not way.dead:
            value = _then(w, arguments.positional[0], [value], way, inner, frame, node)
        elif when == "finally" and arguments.positional:
            _then(w, arguments.positional[0], [], way, inner, frame, node)
        ways.append((way, value))
    handler = None
    if when == "catch" and arguments.positional:
        handler = arguments.positional[0]
    elif when == "then" and len(arguments.positional) > 1:
        handler = arguments.positional[1]
    if handler is not None:
        entering = [(before.fork(), terms.make("error", "any")), *rejections[:4]]
        rejections = rejections[4:]
        for start, error in entering:
            way = start.fork()
            caught = _then(w, handler, [error], way, inner, frame, node)
            ways.append((way, caught))
    joined = w.merge(state, ways) if ways else terms.none
    if not ways:
        state.dead = True
    inner.raises.extend(rejections)
    return calls.promise(w, joined, before, state, inner)


def _sent_rejections(w: Walker, receiver: Term, state: State) -> list[tuple[State, Term]]:
    error = w.world.http.get(receiver)
    if not error:
        return []
    refused = state.fork()
    okay = w.terms.make("op", "ok", (receiver,))
    refused.conditions = refused.conditions - {okay}
    refused.assume(w.terms.negate(okay), w.terms)
    return [(refused, w.terms.make("error", error, (receiver,)))]


def _then(w: Walker, function: Term, given: list[Term], way: State, inner: Frame, frame: Frame, node: ir.Node) -> Term:
    caller = Frame(frame.id, frame.scopes, frame.program, frame.unit, frame.qualified, this=frame.this)
    result = calls.call(w, function, Arguments(given, {}), way, caller, node)
    if result.kind == "pending" and not way.dead:
        result = w.awaited(result, way, caller)
    inner.raises.extend(caller.raises)
    return result


def await_all(w: Walker, model: Model, arguments: Arguments, state: State, frame: Frame) -> Term:
    items = arguments.positional[0] if arguments.positional else w.terms.make("sequence", None, ())
    if items.kind != "sequence":
        items = w.terms.make("sequence", None, tuple(arguments.positional))
    before = state.fork()
    inner = Frame(None, frame.scopes, frame.program, frame.unit, frame.qualified)
    if model.how == "settled" or arguments.named.get("return_exceptions") is w.terms.true:
        settled = tuple(_settled(w, one, model) for one in items.args)
        return calls.promise(w, w.terms.make("sequence", items.data, settled), before, state, inner)
    parts = tuple(w.awaited(one, state, inner) for one in items.args)
    if model.how == "first":  # the others may come to nothing, or come later
        state.conditions = before.conditions
        return calls.promise(w, w.terms.unknown("first", parts), before, state, inner)
    return calls.promise(w, w.terms.make("sequence", items.data, parts), before, state, inner)


def _settled(w: Walker, value: Term, model: Model) -> Term:
    """What a promise came to, where nobody is told that it was refused: it ensures nothing."""
    promise = w.world.pending.get(value)
    value = value.args[0] if value.kind == "promise" else value
    outcome = value if promise is None else promise.value
    if promise is not None:
        outcome = w.terms.unknown("settled", (outcome,))
    return w.terms.make("mapping", ("value",), (outcome,)) if model.how == "settled" else outcome
