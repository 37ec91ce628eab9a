"""How calls of a library read, write and empty the slots of a holder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import actions, comparing, contents, hooks, names, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.facts import Write
from auditor.library import Model, Reference, Save
from auditor.terms import Term, nothing, text_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def _holder(w: Walker, reference: Reference, arguments: Arguments, frame: Frame) -> Term | None:
    """What slots are read from or written to: an argument, or (a dotted name) what a library's name stands for."""
    found = shapes.pick(reference, arguments)
    if found is None and isinstance(reference, str) and "." in reference:
        return names.known(w, w.world.external(reference, frame.language), frame)
    return found


def touched(
    w: Walker, model: Model, arguments: Arguments, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """Reading, writing and emptying slots by method."""
    terms = w.terms
    if model.load is not None:
        holder, key = _holder(w, model.load.of, arguments, frame), shapes.pick(model.load.key, arguments)
        if holder is not None and key is not None:
            default = shapes.pick(model.load.default, arguments)
            raises = model.load.raises and default is None
            wanted = contents.freeze(w, key, state)
            if holder.kind == "external":  # a store that the library itself is: its keys are no members of it
                value = w.read(holder, wanted, state)
            else:
                value = w.item(holder, wanted, state, frame, raises=raises)
            if default is not None and not nothing(default):
                kind = w.world.name_of(default)
                if kind in ("dict", "list") and value.kind == "load":  # what it stands in for is of its type
                    w.world.types.setdefault(value, kind)
                there = terms.make("exists", None, (value,)) if value.kind == "load" else w.present(value)
                value = terms.alt([(value, there), (default, terms.negate(there))])
            if model.load.nulls:
                w.world.nulls.add(value)
            if model.load.clears:
                if (
                    model.load.default is not None
                    and default is None
                    and frame.language == "python"
                    and value.kind == "load"
                ):
                    state.assume(terms.make("exists", None, (value,)), terms)  # pop without a default raises
                w.clear(holder, key, state, frame, node)
            if model.returns and value.kind in ("load", "alt"):
                w.world.types[value] = model.returns
    if model.save is not None and model.save.pairs is not None:
        _save_pairs(w, model.save, arguments, state, frame, node)
    elif model.save is not None:
        holder = _holder(w, model.save.of, arguments, frame)
        known_now = Arguments(
            [contents.freeze(w, one, state) for one in arguments.positional], arguments.named, arguments.receiver
        )
        key, saved = shapes.pick(model.save.key, known_now), shapes.pick(model.save.value, known_now)
        if holder is not None and key is not None:
            content = contents.freeze(w, saved, state) if saved is not None else terms.unknown("nothing")
            w.write(holder, contents.freeze(w, key, state), content, state, frame, node)
            value = holder if model.same == "object" else value
    if model.has is not None:
        holder, key = _holder(w, model.has.of, arguments, frame), shapes.pick(model.has.key, arguments)
        if holder is not None and key is not None:
            value = comparing.membership(w, contents.freeze(w, key, state), holder, state)
            w.made_at(value, frame, node)
            if model.has.throws:
                missing = state.fork()
                missing.assume(terms.negate(value), terms)
                if not missing.dead:
                    frame.raises.append((missing, terms.make("error", model.has.throws)))
                state.assume(value, terms)
    if model.clear is not None:
        holder = _holder(w, model.clear.of, arguments, frame)
        key = shapes.pick(model.clear.key, arguments)
        if holder is not None:
            if model.clear.key is None or key is None:
                w.record("clear", node, state, frame, holder=shapes.holder_of(w, holder))
            else:
                w.clear(holder, contents.freeze(w, key, state), state, frame, node)
    for name, reference in model.holds.items():
        part = shapes.pick(reference, arguments)
        if part is not None:
            state.put((value, terms.literal(name)), part)
    if model.assign is not None:
        value = _assigned(w, model, arguments, state, frame, node)
    if model.append is not None:
        holder, element = arguments.receiver, shapes.pick(model.append, arguments)
        if holder is not None and element is not None:
            frozen = contents.freeze(w, element, state)
            w.write(holder, terms.make("element", None, ()), frozen, state, frame, node)
    return value


def _save_pairs(w: Walker, save: Save, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> None:
    """Write keys and values that are given together: `multiSet([[k, v], …])`, `set({k: v})`."""
    holder, given = _holder(w, save.of, arguments, frame), shapes.pick(save.pairs, arguments)
    if holder is None or given is None:
        return
    frozen = contents.freeze(w, given, state)
    if frozen.kind == "mapping":
        pairs = [
            (w.terms.true if key is None else w.terms.literal(key), value)
            for key, value in shapes.mapping_items(frozen)
        ]
    else:
        inner = frozen.args if frozen.kind == "sequence" else ()
        pairs = [(one.args[0], one.args[1]) for one in inner if one.kind == "sequence" and len(one.args) == 2]
        pairs = pairs if len(pairs) == len(inner) and pairs else [(w.terms.true, frozen)]
    for key, value in pairs:
        w.write(holder, key, value, state, frame, node)


def _assigned(w: Walker, model: Model, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    assert model.assign is not None
    target = shapes.pick(model.assign.target, arguments)
    if target is None:
        return w.terms.none
    sources = [one for reference in model.assign.sources if (one := option(w, reference, arguments, state)) is not None]
    if model.assign.keywords and arguments.named:
        keys = tuple(arguments.named)
        sources.append(w.terms.make("mapping", keys, tuple(arguments.named.values())))
    for source in sources:
        if source in w.world.instances:
            _row_stored(w, source, state, frame, node)
            continue
        frozen = contents.freeze(w, source, state, 4)
        if frozen.kind == "mapping":
            for key, part in zip(frozen.data, frozen.args, strict=True):
                if key is None:
                    contents.spread_into(w, target, part, state)
                elif not key.startswith("$"):  # an operator of a document store is no column
                    w.write(target, w.terms.literal(key), part, state, frame, node)
        elif source is not target:
            contents.spread_into(w, target, source, state)
            if shapes.holder_of(w, target).kind != "object" or w.outlives(target):
                stored(w, shapes.holder_of(w, target), w.terms.true, frozen, state, frame, node)
    for reference in model.assign.unsets:
        unset = option(w, reference, arguments, state)
        for key in unset.data if unset is not None and unset.kind == "mapping" else ():
            if key is not None:
                w.clear(target, w.terms.literal(key), state, frame, node)
    return target


def option(w: Walker, reference: Reference, arguments: Arguments, state: State) -> Term | None:
    """An argument, or an option of one, as it stands now."""
    if isinstance(reference, str) and "." in reference:
        frozen = Arguments([contents.freeze(w, one, state) for one in arguments.positional], arguments.named)
        return shapes.pick(reference, frozen)
    return shapes.pick(reference, arguments)


def _row_stored(w: Walker, row: Term, state: State, frame: Frame, node: ir.Node) -> None:
    """An instance of a model is put into the database: its class stands for the table."""
    table = w.world.instances[row]
    for key in list(w.world.keys.get(row, ())):
        value = w.slot((row, key), state)
        if value is not None and key.kind == "literal":
            stored(w, table, key, value, state, frame, node)


def stored(w: Walker, holder: Term, key: Term, value: Term, state: State, frame: Frame, node: ir.Node | None) -> None:
    """A value was written to something that outlives the request, or may."""
    root = holder
    while root.kind == "load":
        root = root.args[0]
    named = w.world.name_of(root) if root.kind in ("external", "root") else None
    model = w.world.libraries.find(frame.language, named) if named else None
    if model is not None and model.is_ in ("request", "response"):
        return
    if root.kind == "root" and root.data[0] in ("REQUEST", "INPUT", "ENV", "HEADERS", "CALLBACK_URL"):
        return
    at = node.at if node is not None else frame.unit.at if frame.unit is not None else 0
    frozen = contents.freeze(w, value, state)
    hooks.header_kept(w, holder, key, frozen)
    w.world.writes.append(Write(holder, key, frozen, w.world.place(frame.program, at), frame.startup, state.conditions))
    if nothing(frozen) or text_of(frozen) == "":
        w.record("clear", node, state, frame, holder=holder, key=key)
    else:
        w.record("store", node, state, frame, holder=holder, key=key, value=frozen)


def assigned(w: Walker, holder: Term, name: str | None, value: Term, state: State, frame: Frame, node: ir.Node) -> None:
    """Assigning to a library's property can be an action: `location.href = …`, `ctx.body = …`."""
    if name is None or holder.kind == "object":
        return
    full = w.world.name_of(holder)
    model = w.world.libraries.find(frame.language, f"{full}.{name}=") if full else None
    if model is not None:
        frozen = Arguments([contents.freeze(w, value, state)], {}, holder)
        actions.sinks(w, model, f"{full}.{name}", frozen, value, state, frame, node)
