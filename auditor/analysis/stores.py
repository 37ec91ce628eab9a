"""Stores of a front end's state: a function is given `set` and `get` and says what the state is at first (zustand).

What is set is kept in memory; a store that persists writes it to the browser's storage as well, all of it or what its
`partialize` picks out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import addresses, calls, contents, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Keeps
from auditor.terms import Term, leaves, nothing

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def made(
    w: Walker, keeps: Keeps, arguments: Arguments, result: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """The store that a call makes: a hook when it is finished, the state when another call is to finish it."""
    given = shapes.pick(keeps.function, arguments)
    if given is None:
        return result
    whole = given if given.kind == "object" else _state(w, keeps, given, arguments, state, frame, node)
    return whole if keeps.persists else _hook(w, whole, state)


def _state(
    w: Walker, keeps: Keeps, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    """The state as an object, with what the function says that it holds at first."""
    whole = w.world.new_object("Object", frame, node)
    options = shapes.pick(keeps.options, arguments) if keeps.persists else None
    kept = _storage(w, options, state, frame, node) if keeps.persists else None

    def put(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
        fresh = positional[0] if positional else w.terms.none
        if fresh.kind == "function":
            fresh = calls.call(w, fresh, Arguments([whole], {}), now, inner, node)
        _write(w, whole, contents.freeze(w, fresh, now), now, inner)
        if kept is not None:
            _write(w, kept, _picked(w, options, whole, fresh, now, inner, node), now, inner)
        return w.terms.none

    setter, getter = calls.native(w, put), _getter(w, whole)
    first = calls.call(w, function, Arguments([setter, getter, whole], {}), state, frame, node)
    contents.spread_into(w, whole, first, state)
    return whole


def _storage(w: Walker, options: Term | None, state: State, frame: Frame, node: ir.Node) -> Term:
    """Where a store persists: the browser's storage, if its options do not name another."""
    storage = w.terms.make("object", ("persisted", w.world.site(frame, node), w.world.serial()))
    medium = "web-storage"
    given = addresses.collected([contents.freeze(w, options, state)]).get("storage") if options is not None else None
    if given is not None and given.kind == "call" and given.args and given.args[0].kind == "function":
        given = calls.call(w, given.args[0], Arguments([], {}), state.fork(), frame, node)
    if given is not None:
        medium = next((w.world.media[leaf] for leaf in leaves(given) if leaf in w.world.media), "unknown")
    w.world.media[storage] = medium
    return storage


def _picked(
    w: Walker, options: Term | None, whole: Term, fresh: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """What is persisted of what was set."""
    partialize = w.read(options, w.terms.literal("partialize"), state) if options is not None else w.terms.none
    if partialize.kind == "function":
        fresh = calls.call(w, partialize, Arguments([whole], {}), state, frame, node)
    return contents.freeze(w, fresh, state)


def _write(w: Walker, holder: Term, frozen: Term, state: State, frame: Frame) -> None:
    """Write what was set, at the unit that sets it; what a module sets while it loads is no user's."""
    at = frame.unit
    if at is None:
        return
    if frozen.kind == "mapping":
        for key, value in shapes.mapping_items(frozen):
            w.write(holder, w.terms.true if key is None else w.terms.literal(key), value, state, frame, at)
    elif not nothing(frozen):
        w.write(holder, w.terms.true, frozen, state, frame, at)


def _getter(w: Walker, whole: Term) -> Term:
    return calls.native(w, lambda positional, named, now, inner: whole)


def _hook(w: Walker, whole: Term, state: State) -> Term:
    """What components call: with a selector it gives what that picks out, else the whole state."""

    def hook(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
        selector = positional[0] if positional else w.terms.none
        if selector.kind != "function":
            return whole
        at = w.world.units[shapes.unit_key(selector)].unit
        return calls.call(w, selector, Arguments([whole], {}), now, inner, at)

    used = calls.native(w, hook)
    state.put((used, w.terms.literal("getState")), _getter(w, whole))
    return used
