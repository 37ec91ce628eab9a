"""What a call of a library gives, as its model says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import comparing, contents, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Model
from auditor.terms import Term, alternatives, contains, nothing, text_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


QUERY_TYPES = frozenset({"URLSearchParams", "FormData", "httpx.QueryParams", "QueryParams"})


def given(
    w: Walker,
    model: Model,
    arguments: Arguments,
    frozen: Arguments,
    value: Term,
    state: State,
    frame: Frame,
    node: ir.Node,
) -> Term:
    """How the result is made of the arguments."""
    terms = w.terms
    if model.same is not None:
        return shapes.pick(model.same, arguments) or value
    if model.text is not None:
        part = shapes.pick(model.text, frozen)
        if part is None:
            return value
        part = contents.as_text(w, part, state)
        return (
            part
            if part.kind in ("text", "serial") or text_of(part) is not None
            else terms.make("serial", "text", (part,))
        )
    if model.joins is not None:
        return _joined(w, model, arguments, frozen, state, frame, node)
    if model.serialises is not None:
        part = shapes.pick(model.serialises, frozen)
        if part is None:
            return value
        if model.how == "query" and part.kind == "serial" and part.data == "query":
            return part
        return terms.make("serial", model.how or "text", (part,))
    if model.parses is not None:
        part = shapes.pick(model.parses, frozen)
        return _parsed(w, part, model, value) if part is not None else value
    if model.truth is not None:
        part = shapes.pick(model.truth, arguments)
        if part is None:
            return value
        if model.how in ("any", "all"):
            return comparing.holds_for(w, model.how, part, state)
        if model.how == "type":  # of this type it is there; of another it may be there as well
            return terms.all((w.present(part), terms.make("op", "type", tuple(frozen.positional))))
        return terms.boolean(terms.truth(part))
    if model.drops:
        kept = frozen.positional if model.how else frozen.positional[:1]
        return terms.make("op", model.how or "len", tuple(kept) or (value,))
    if model.carries is not None:
        parts = [p for p in (shapes.pick(model.carries, frozen),) if p is not None]
        if model.carries == "all":
            whole = frozen.receiver
            parts = [*frozen.all(), *((whole,) if whole is not None and whole.kind != "external" else ())]
        return terms.make("serial", model.how or "derived", tuple(parts[:4])) if parts else value
    if model.entries is not None:
        part = shapes.pick(model.entries, frozen)
        return _entries(w, part, model) if part is not None else value
    if model.builds:
        return _built(w, model, arguments, frozen, state, frame, node)
    if model.object:
        made = w.world.new_object(model.returns or "dict", frame, node)
        for one in arguments.positional[:1]:
            contents.spread_into(w, made, one, state)
        for key, part in arguments.named.items():
            w.world.keys.setdefault(made, {})[terms.literal(key)] = None
            state.put((made, terms.literal(key)), part)
        return made
    return value


def _entries(w: Walker, part: Term, model: Model) -> Term:
    """`Object.entries(o)`, `o.items()`: pairs; with `how` keys or values, those alone."""
    terms = w.terms
    if part.kind == "serial":
        part = part.args[0]
    if part.kind != "mapping" or None in part.data:
        return terms.make("sequence", "each", (terms.unknown("entry", (part,)),))
    pairs = list(zip(part.data, part.args, strict=True))
    if model.how == "keys":
        return terms.make("sequence", None, tuple(terms.literal(key) for key, _ in pairs))
    if model.how == "values":
        return terms.make("sequence", None, tuple(value for _, value in pairs))
    return terms.make("sequence", None, tuple(terms.make("sequence", None, (terms.literal(k), v)) for k, v in pairs))


def _joined(
    w: Walker, model: Model, arguments: Arguments, frozen: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    """`"sep".join(parts)`, `parts.join("sep")`, `pattern.format(...)`, `a.concat(b)`."""
    receiver = contents.as_text(w, arguments.receiver, state) if arguments.receiver is not None else None
    if model.how == "format":
        pattern = text_of(receiver) if receiver is not None else None
        text = (
            contents.format_call(w.terms, pattern, frozen)
            if pattern is not None
            else w.terms.unknown("format", frozen.all())
        )
        return contents.text_made(w, text, node, state, frame)
    parts = receiver if model.joins == "object" else shapes.pick(model.joins, frozen)
    separator = shapes.pick(0, frozen) if model.joins == "object" else receiver
    if parts is None or parts.kind != "sequence" or parts.data is not None:
        return w.terms.make("serial", "text", tuple(one for one in (parts,) if one is not None))
    glue = w.terms.literal(",") if separator is None else separator
    pieces: list[Term] = []
    for index, part in enumerate(parts.args):
        pieces.extend([glue, part] if index else [part])
    return contents.text_made(w, w.terms.text(pieces), node, state, frame) if pieces else w.terms.literal("")


def _parsed(w: Walker, part: Term, model: Model, value: Term) -> Term:
    if part.kind == "alt":
        pairs = [(_parsed(w, one, model, value) if not nothing(one) else one, g) for one, g in alternatives(part)]
        return w.terms.alt(pairs)
    if contains(part, lambda leaf: leaf.kind == "root" and leaf.data[0] == "CALLBACK_URL"):
        if model.how == "query":
            return w.world.root("INPUT", model.returns or "dict")
        return w.world.root("CALLBACK_URL", model.returns or "str")
    if part.kind == "serial" and part.data == (model.how or "json") and len(part.args) == 1:
        return part.args[0]
    parsed = w.terms.make("parsed", model.how or "json", (part,))
    if model.returns:
        w.world.types[parsed] = model.returns
    return parsed


def _built(
    w: Walker, model: Model, arguments: Arguments, frozen: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A builder of a query or an address, an object with slots until it is written out."""
    first = arguments.positional[0] if arguments.positional else None
    base = contents.as_text(w, first, state) if first is not None else None
    if base is not None and contains(base, lambda leaf: leaf.kind == "root" and leaf.data[0] == "CALLBACK_URL"):
        return w.world.root("INPUT" if model.builds == "query" else "CALLBACK_URL", model.returns)
    made = w.world.new_object(model.returns, frame, node)
    if model.builds == "query":
        if first is not None:
            contents.spread_into(w, made, first, state)
        for key, part in arguments.named.items():
            w.world.keys.setdefault(made, {})[w.terms.literal(key)] = None
            state.put((made, w.terms.literal(key)), part)
        return made
    parameters = w.world.new_object("URLSearchParams", frame, node)
    whole = base or w.terms.unknown("address")
    if len(frozen.positional) > 1:
        whole = w.terms.text((contents.as_text(w, frozen.positional[1], state), whole))
    state.put((made, w.terms.literal("(base)")), whole)
    state.put((made, w.terms.literal("searchParams")), parameters)
    return made
