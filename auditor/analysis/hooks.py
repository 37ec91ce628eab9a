"""What a client does around each of its calls: functions that are registered on it, and headers that it always sends.

`client.interceptors.response.use(answered, refused)` is registered once, often far from the calls. A hook counts for
every call of its client; one that is registered while entries are walked makes them be walked again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import calls, contents, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Hook
from auditor.terms import Term, nothing, text_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_PARTS = frozenset({"interceptors", "response", "request", "defaults", "headers", "common"})


def register(w: Walker, hook: Hook, arguments: Arguments) -> None:
    """A function was registered to run around the calls of a client."""
    client = _client(w, arguments.receiver)
    function = shapes.pick(hook.function, arguments)
    if client is None or function is None or function.kind != "function":
        return
    table = w.world.before_calls if hook.when == "before" else w.world.after_refusals
    known = table.setdefault(client, {})
    key = shapes.unit_key(function)
    if key not in known:
        w.world.rewalk = w.world.rewalk or w.world.entry is not None
    known[key] = function


def header_kept(w: Walker, holder: Term, key: Term, value: Term) -> None:
    """`client.defaults.headers.common.Authorization = …`: what every later call of the client sends."""
    if (text_of(key) or "").lower() != "authorization" or holder.kind not in ("load", "external"):
        return
    client = _client(w, holder)
    if client is not None and client is not holder and not nothing(value):
        w.world.rewalk = w.world.rewalk or client not in w.world.headers
        w.world.headers[client] = value


def header_sent(w: Walker, client: Term | None, state: State, frame: Frame, node: ir.Node) -> Term | None:
    """The Authorization header that a client puts on a call by itself, or None."""
    if client is None:
        return None
    for function in w.world.before_calls.get(client, {}).values():
        if shapes.unit_key(function) in w.world.stack:
            continue
        way = state.fork()
        config, headers = w.world.new_object("Object", frame, node), w.world.new_object("Object", frame, node)
        way.put((config, w.terms.literal("headers")), headers)
        w.world.keys.setdefault(config, {})[w.terms.literal("headers")] = None
        outer, frame.raises = frame.raises, []
        w.awaited(calls.call(w, function, Arguments([config], {}), way, frame, node), way, frame)
        frame.raises = outer
        for name in ("Authorization", "authorization"):
            found = way.slots.get((headers, w.terms.literal(name)))
            if found is not None:
                return contents.freeze(w, found, way)
    return w.world.headers.get(client)


def refused(
    w: Walker, client: Term | None, way: State, error: Term, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A call was refused on `way`: its client's hooks see the error first, and raise it again or answer in its place.

    Gives the value of the call; `state` goes on as the ways on which it has one.
    """
    hooks = [
        function
        for function in (w.world.after_refusals.get(client, {}) if client is not None else {}).values()
        if shapes.unit_key(function) not in w.world.stack
    ]
    if not hooks:
        frame.raises.append((way, error))
        return value
    outer, frame.raises = frame.raises, []
    instead = w.awaited(calls.call(w, hooks[-1], Arguments([error], {}), way, frame, node), way, frame)
    raised, frame.raises = frame.raises, outer
    frame.raises.extend(raised)
    if way.dead:
        return value
    return w.merge(state, [(state.fork(), value), (way, instead)])


def _client(w: Walker, part: Term | None) -> Term | None:
    """The client that a member of it (`client.interceptors.response`) belongs to."""
    for one in values(part) if part is not None else ():
        client = one
        while client.kind == "load" and text_of(client.args[1]) in _PARTS:
            client = client.args[0]
        if client.kind == "external":
            name, language = str(client.data[0]), str(client.data[1])
            kept = name.split(".")
            while kept and kept[-1] in _PARTS:
                kept.pop()
            client = w.world.external(".".join(kept), language)
        return client
    return None
