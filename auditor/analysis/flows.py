"""What an OAuth library does in one call: it makes the authorization request, exchanges the code, keeps the secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import actions, addresses, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Flow, Reference
from auditor.terms import Term, nothing, value_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def flow(
    w: Walker, does: Flow, name: str, arguments: Arguments, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A library runs a step of the flow: record it, with what the library itself makes and checks."""
    terms = w.terms
    options = shapes.pick(does.options, arguments)
    fields = addresses.collected([options] if options is not None else []) | arguments.named
    details: dict[str, Term] = {"call": value, "arguments": terms.make("sequence", None, tuple(arguments.all()))}
    secret = option(w, does.secret, arguments, fields)
    if secret is not None:
        details["secret"] = secret
    endpoint = option(w, does.endpoint, arguments, fields) if does.endpoint is not None else None
    if endpoint is not None:
        details["endpoint"] = endpoint
    if does.does in ("authorize", "both"):
        value = _library_authorize(w, does, name, arguments, fields, details, value, state, frame, node)
    if does.does in ("exchange", "both"):
        _library_exchange(w, does, name, arguments, fields, details, state, frame, node)
    if does.does in ("refresh", "revoke"):
        w.record(does.does, node, state, frame, name=name, **details)
    return value


def secret_given(
    w: Walker, reference: Reference, name: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> None:
    """A library is given the client secret before it needs it: when its client is made or registered."""
    given = option(w, reference, arguments, addresses.collected(arguments.all()) | arguments.named)
    if given is not None and not nothing(given):
        w.record("secret-use", node, state, frame, name=name, secret=given)


def option(w: Walker, reference: object, arguments: Arguments, fields: dict[str, Term]) -> Term | None:
    """An argument, an option of the options object, or (`object.x`) what the receiver was made with."""
    for one in reference if isinstance(reference, tuple) else (reference,):
        if isinstance(one, str) and one.startswith("object."):
            found = made_with(w, arguments.receiver, one.removeprefix("object."))
        elif isinstance(one, str):
            found = fields.get(one) or (shapes.pick(one, arguments))
        else:
            found = shapes.pick(one, arguments) if isinstance(one, int) else None
        if found is not None:
            return actions.interned(w, found)
    return None


def made_with(w: Walker, receiver: Term | None, name: str) -> Term | None:
    """The argument or option of this name with which a value was made, if it is the result of a call."""
    if receiver is None:
        return None
    for one in values(receiver):
        if one.kind == "call":
            keywords: tuple[str, ...] = one.data[1]
            extra = 1 if one.data[3] else 0
            named = one.args[len(one.args) - extra - len(keywords) : len(one.args) - extra]
            found = dict(zip(keywords, named, strict=True)).get(name)
            if found is None:
                found = addresses.collected(list(one.args)).get(name)
            if found is not None:
                return found
        if one.kind == "object":
            held = w.world.globals.get((one, w.terms.literal(name)))
            if held is not None:
                return held
    return None


def _on(does: Flow, options: Term | None, fields: dict[str, Term]) -> bool | None:
    """Whether the option that turns the library's own check on is set; None: it cannot be seen."""
    if does.option and options is not None and options.kind not in ("mapping", "sequence", "literal", "function"):
        return None
    for name in does.option:
        given = fields.get(name)
        if given is None:
            continue
        if given.kind == "literal":
            return value_of(given) in does.values or (True in does.values and bool(value_of(given)))
        if given.kind in ("sequence", "mapping", "object", "call"):
            words = [value_of(one) for one in given.args if one.kind == "literal"]
            return given.kind != "sequence" or any(word in does.values for word in words)
        return None
    return does.default


def _library_authorize(
    w: Walker, does: Flow, name: str, arguments: Arguments, fields: dict[str, Term], details: dict[str, Term],
    value: Term, state: State, frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    terms = w.terms
    given = option(w, does.state, arguments, fields) if does.state is not None else None
    sent: Term | None = given if given is not None and not nothing(given) else None
    if sent is None and (
        does.makes or (does.checks == "option" and _on(does, shapes.pick(does.options, arguments), fields))
    ):
        sent = terms.make("call", ("the library's state", (), w.world.site(frame, node)._replace(startup=False), False))
        w.world.kinds[sent] = "fresh"
    if sent is None and does.checks == "option" and _on(does, shapes.pick(does.options, arguments), fields) is None:
        sent = terms.unknown("option")
    extra = {key: part for key, part in details.items() if key != "call"}
    if sent is not None:
        extra["state"] = sent
    w.record("authorize", node, state, frame, name=name, url=value, **extra)
    if does.result == "pair":
        return terms.make("sequence", None, (value, sent or terms.unknown("state")))
    if does.result == "mapping":
        return terms.make("mapping", ("state", None), (sent or terms.unknown("state"), value))
    return value


def _library_exchange(
    w: Walker, does: Flow, name: str, arguments: Arguments, fields: dict[str, Term], details: dict[str, Term],
    state: State, frame: Frame, node: ir.Node,
) -> None:  # fmt: skip
    terms = w.terms
    if does.does == "both":
        state = state.fork()  # what one client checks says nothing of what comes after
    code = option(w, does.code, arguments, fields) if does.code is not None else None
    no_code = does.response is not None and code is None and not arguments.open
    if no_code and option(w, does.response, arguments, fields) is None:
        return  # another grant
    received = w.read(w.world.root("INPUT", "dict"), terms.literal("state"), state)
    checked = terms.make("completed", None, (terms.make("op", "library-check", (details["call"],)),))
    if does.checks == "always":
        state.assume(checked, terms)
    elif does.checks == "option":
        on = _on(does, shapes.pick(does.options, arguments), fields)
        if on:
            state.assume(checked, terms)
        elif on is None:
            state.assume(terms.make("compare", ("unknown-check", False), (received, received)), terms)
    elif does.checks == "given" and (does.response is None or code is None or nothing(code)):
        expected = option(w, does.expected, arguments, fields)
        if expected is not None:
            same = terms.make("compare", ("same", False), tuple(sorted((expected, received), key=lambda one: one.n)))
            state.assume(terms.any((terms.negate(terms.truth(expected)), same)), terms)
    if code is None or (nothing(code) and does.response is not None):
        code = terms.load(w.world.root("INPUT", ""), terms.literal("code"))
    if nothing(code):
        return
    w.record("exchange", node, state, frame, name=name, code=code, **details)
