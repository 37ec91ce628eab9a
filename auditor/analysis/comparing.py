"""What a comparison and a membership test say."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from auditor.analysis import shapes
from auditor.analysis.state import State
from auditor.terms import Term, alternatives, text_of, value_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def told(w: Walker, term: Term, language: str = "python") -> Term:
    """What the request says of where it goes, as the handler was registered; any other value as it is."""
    handler = w.world.serving
    name = w.world.name_of(term) if term.kind in ("root", "load", "external") else None
    model = w.world.libraries.find(language, name) if name else None
    if handler is None or model is None or not model.tells or handler.owner is None:
        return term
    owner = w.world.libraries.find(language, w.world.name_of(handler.owner) or "")
    if owner is None or not owner.outermost:
        return term  # registered on a part, which may be mounted anywhere
    if model.tells == "path":
        known = handler.route is not None and "<" not in handler.route and not handler.elsewhere
        return w.terms.literal(handler.route) if known else term
    unit = w.world.units[w.world.origins.get(handler.function, shapes.unit_key(handler.function))].unit
    return term if handler.renamed else w.terms.literal(unit.name)


def compared(w: Walker, op: str, left: Term, right: Term, loose: bool, state: State) -> Term:
    """The condition that a comparison holds."""
    terms = w.terms
    left, right = told(w, left), told(w, right)
    if op in ("!=", "is not", "not in"):
        positive = {"!=": "==", "is not": "is", "not in": "in"}[op]
        return terms.negate(compared(w, positive, left, right, loose, state))
    if op == "in":
        return membership(w, left, right, state)
    for one, other in ((left, right), (right, left)):
        if op in ("==", "is") and one.kind == "op" and one.data == "typeof":
            name = text_of(other)
            if name == "undefined" and one.args[0] in w.world.nulls:
                return terms.false
            if name == "undefined":
                return w.negated_presence(one.args[0])
            if name in ("string", "number", "object", "function"):  # another type is no absence
                return terms.all((w.present(one.args[0]), w.compare(op, left, right, loose)))
        if one.kind == "op" and one.data == "len" and other.kind == "literal":
            return _length(w, op, one, other, one is left)
    return w.compare(op, left, right, loose)


def _length(w: Walker, op: str, length: Term, bound: Term, ordered: bool) -> Term:
    limit = value_of(bound)
    there = w.terms.truth(length.args[0])
    if (op in ("==", "is") and limit == 0) or (op == "<" and ordered and limit == 1):
        return w.terms.negate(there)
    if ordered and ((op == ">" and limit == 0) or (op == ">=" and limit == 1)):
        return there
    if not ordered and op == "<" and limit == 0:
        return there
    return w.terms.make("compare", (op, False), (length, bound) if ordered else (bound, length))


def ordered(test: Term) -> bool:
    """Whether a comparison of two known numbers holds: `0 < 16`."""
    if test.kind != "compare" or test.data[0] not in _ORDER:
        return False
    known = [one for one in map(_number, test.args) if one is not None]
    return len(known) == len(test.args) and bool(_ORDER[test.data[0]](*known))


def _number(term: Term) -> float | None:
    if term.kind == "op" and term.data == "len":
        text = text_of(term.args[0])
        return None if text is None else len(text)
    value = value_of(term) if term.kind == "literal" else None
    return value if isinstance(value, (int, float)) else None


def inhabited(w: Walker, container: Term, state: State) -> Term:
    """The condition that a container has an element (one that passes the tests of a comprehension)."""
    terms = w.terms
    found = [(one, guard) for one, guard in alternatives(container) if not is_empty(w, one, state)]
    if container.kind == "alt":
        ways = [terms.all((guard, inhabited(w, one, state))) for one, guard in found]
        return terms.any(ways) if ways else terms.true
    known = w.world.inhabited.get(container)
    if known is not None:
        return known
    return terms.true if container.kind in ("sequence", "mapping") else terms.truth(container)


def is_empty(w: Walker, term: Term, state: State) -> bool:
    """Whether a term is an empty list to which nothing was added: what stands in for a list that is missing."""
    none = term.kind == "sequence" and term.data is None and not term.args
    return none and (term, w.terms.make("element", None)) not in state.slots


def holds_for(w: Walker, how: str, container: Term, state: State) -> Term:
    """`any(values)`, `all(values)`: the condition that one of them holds, or each; of elements not known, only `any` says something."""
    terms = w.terms
    if container.kind == "sequence" and container.data is None:
        join = terms.any if how == "any" else terms.all
        return terms.boolean(join(terms.truth(one) for one in container.args))
    if how == "any" and container.kind == "sequence":
        return terms.boolean(terms.all((terms.truth(container.args[0]), inhabited(w, container, state))))
    return terms.make("op", how, (container,))


def membership(w: Walker, element: Term, container: Term, state: State) -> Term:
    """The condition that a container has a key or an element."""
    terms = w.terms
    if container.kind == "sequence" and container.data is None:
        return terms.any(w.compare("==", element, one) for one in container.args)
    if container.kind == "alt":
        return terms.any(
            terms.all((guard, membership(w, element, one, state))) for one, guard in alternatives(container)
        )
    whole = shapes.holder_of(w, container)
    if whole in w.world.closed and not w.world.keys.get(whole) and not w.outlives(whole):
        return terms.false
    keyed = container.kind in ("root", "mapping", "parsed") or (container.kind == "object")
    found = state.slots.get((whole, element)) if keyed else None
    if found is not None:
        return w.present(found)
    if keyed and element.kind == "literal":
        value = w.read(container, element, state)
        if value.kind != "load":
            return w.present(value)
        return terms.make("exists", None, (value,))
    return terms.make("compare", ("in", False), (element, whole))
