"""How mappings and texts are written out as terms, and spread into one another."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import actions, results, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.terms import Term, Terms, alternatives, nothing, text_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def freeze(w: Walker, term: Term, state: State, depth: int = 6) -> Term:
    """A term in which objects are replaced by what they hold now."""
    kind = term.kind
    if kind == "object" and depth:
        if term in w.world.instances:
            return term
        keys: list[str | None] = []
        parts: list[Term] = []
        for key in w.world.keys.get(term, ()):
            value = state.slots.get((term, key)) or w.world.globals.get((term, key))
            if value is None or (nothing(value) and key.kind != "literal"):
                continue
            keys.append(text_of(key) if key.kind == "literal" and key is not w.terms.true else None)
            held = freeze(w, value, state, depth - 1)
            made = key.kind not in ("literal", "element")
            parts.append(w.terms.make("entry", None, (freeze(w, key, state, depth - 1), held)) if made else held)
        if term.data[0] in results.QUERY_TYPES:
            return w.terms.make("serial", "query", (w.terms.make("mapping", tuple(keys), tuple(parts)),))
        if term.data[0] == "URL":
            return as_text(w, term, state)
        return w.terms.make("mapping", tuple(keys), tuple(parts))
    if kind in ("sequence", "text", "serial") and depth:
        parts = [freeze(w, one, state, depth - 1) for one in term.args]
        return w.terms.make(kind, term.data, tuple(parts)) if tuple(parts) != term.args else term
    if kind == "alt" and depth:
        pairs = [(freeze(w, one, state, depth - 1), guard) for one, guard in alternatives(term)]
        return w.terms.alt(pairs)
    return term


def as_text(w: Walker, term: Term, state: State) -> Term:
    """A value as a text takes it up: builders of queries and addresses are written out as they stand now."""
    if term.kind != "object":
        return term
    type_name = term.data[0]
    if type_name in results.QUERY_TYPES:
        return freeze(w, term, state)
    if type_name == "URL":
        base = state.slots.get((term, w.terms.literal("(base)"))) or w.terms.unknown("address")
        query = state.slots.get((term, w.terms.literal("searchParams")))
        whole = state.slots.get((term, w.terms.literal("search")))  # `url.search = …` replaces what the address had
        asked = [] if whole is None else [as_text(w, whole, state)]
        written = freeze(w, query, state) if query is not None else None
        if written is not None and (written.kind != "serial" or written.args[0].args):
            asked.append(written)
        pieces = [piece for one in asked for piece in (w.terms.literal("&" if one is not asked[0] else "?"), one)]
        return w.terms.text((base, *pieces)) if pieces else base
    return term


def text_made(w: Walker, text: Term, node: ir.Node, state: State, frame: Frame) -> Term:
    """A text was put together: it may be an address that begins an authorization."""
    actions.text_seen(w, text, node, state, frame)
    return text


def formatted(terms: Terms, pattern: str, argument: Term) -> Term:
    """`pattern % argument` as a text."""
    arguments = list(argument.args) if argument.kind == "sequence" else [argument]
    parts: list[Term] = []
    for piece in re.split(r"(%\([^)]*\)[sdr]|%[sdr])", pattern):
        if piece.startswith("%(") or piece in ("%s", "%d", "%r"):
            if piece.startswith("%(") or not arguments:
                parts.append(terms.unknown("format", (argument,)))
            else:
                parts.append(arguments.pop(0))
        elif piece:
            parts.append(terms.literal(piece.replace("%%", "%")))
    return terms.text(parts)


def format_call(terms: Terms, pattern: str, arguments: Arguments) -> Term:
    """`pattern.format(...)` as a text."""
    positional = iter(arguments.positional)
    parts: list[Term] = []
    for piece in re.split(r"(\{[^{}]*\})", pattern):
        if piece.startswith("{") and piece.endswith("}"):
            name = re.split(r"[.:!\[]", piece[1:-1])[0]
            if name and not name.isdigit():
                parts.append(arguments.named.get(name) or terms.unknown("format", arguments.all()))
            elif name.isdigit() and int(name) < len(arguments.positional):
                parts.append(arguments.positional[int(name)])
            else:
                parts.append(next(positional, terms.unknown("format")))
        elif piece:
            parts.append(terms.literal(piece))
    return terms.text(parts)


def spread_into(w: Walker, target: Term, value: Term, state: State) -> None:
    """Copy all slots of a value into an object: `{...value}`, `dict(**value)`, `Object.assign`."""
    frozen = freeze(w, value, state, 2)
    whole = shapes.holder_of(w, target)
    if frozen.kind == "mapping":
        for key, part in zip(frozen.data, frozen.args, strict=True):
            if key is None:
                _spread_slot(w, whole, part, state)
            else:
                w.world.keys.setdefault(whole, {})[w.terms.literal(key)] = None
                state.put((whole, w.terms.literal(key)), part)
    elif frozen.kind == "alt":
        for one in values(frozen):
            if not nothing(one):
                spread_into(w, target, one, state)
    elif not nothing(frozen):
        _spread_slot(w, whole, frozen, state)


def _spread_slot(w: Walker, holder: Term, value: Term, state: State) -> None:
    """What an object was spread from and whose keys nobody knows lies under the key True."""
    w.world.keys.setdefault(holder, {})[w.terms.true] = None
    before = state.slots.get((holder, w.terms.true))
    state.put((holder, w.terms.true), value if before is None else w.terms.unknown("spread", (before, value)))


def without(w: Walker, value: Term, keys: Iterable[Term], state: State, frame: Frame, node: ir.Node) -> Term:
    """All slots but these: `const {a, ...rest} = value`."""
    frozen = freeze(w, value, state, 3)
    taken = {text_of(key) for key in keys}
    if frozen.kind == "mapping":
        kept = [(k, v) for k, v in zip(frozen.data, frozen.args, strict=True) if k not in taken]
        return w.terms.make("mapping", tuple(k for k, _ in kept), tuple(v for _, v in kept))
    return w.terms.unknown("rest", (frozen,))
