"""Cells of a page's state: a library gives a value and a function that writes it (`useState`, `useLocalStorage`).

What is written lies in the memory of the page, or in the browser's storage where the library says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import calls, contents, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Cell
from auditor.terms import Term, nothing

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def made(w: Walker, cell: Cell, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    """The value of a cell and what writes it, as a pair; `calling` of the writer's frame says where it is called."""
    holder = w.terms.make("object", ("cell", w.world.site(frame, node)))
    if cell.medium:
        w.world.media[holder] = cell.medium
    named = shapes.pick(cell.key, arguments) if cell.key is not None else None
    key = named if named is not None and named.kind == "literal" else w.terms.literal("value")
    first = shapes.pick(cell.initial, arguments) or w.terms.none
    if first.kind == "function":
        first = calls.call(w, first, Arguments([], {}), state, frame, node)
    loaded = w.terms.load(holder, key)
    there = w.terms.make("exists", None, (loaded,))
    kept = first.kind in ("load", "call", "alt", "parsed")  # what it begins with may be a token; a constant is none
    value = w.terms.alt([(loaded, there), (first, w.terms.negate(there))]) if kept else loaded

    def put(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
        at = inner.calling or node
        fresh = positional[0] if positional else w.terms.none
        if fresh.kind == "function":
            fresh = calls.call(w, fresh, Arguments([value], {}), now, inner, at)
        if not cell.medium:
            w.record("set", at, now, inner, holder=holder, key=key, value=contents.freeze(w, fresh, now))
        elif nothing(fresh):
            w.record("clear", at, now, inner, holder=holder, key=key)
        else:
            w.record("store", at, now, inner, holder=holder, key=key, value=contents.freeze(w, fresh, now))
        return w.terms.none

    return w.terms.make("sequence", None, (value, calls.native(w, put), w.terms.unknown("cell")))
