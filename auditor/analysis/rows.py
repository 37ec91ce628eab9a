"""What a query says: whether a table has a row whose columns hold what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.analysis import contents
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.library import Asks
from auditor.terms import Term

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_STEPS = 12  # calls of one chain


def asked(w: Walker, asks: Asks, arguments: Arguments, value: Term, state: State, frame: Frame) -> Term:
    """The answer of a query: a row (or an error, or nothing) where there is one, or whether there is one."""
    terms = w.terms
    first = arguments.positional[0] if asks.of == 0 and arguments.positional else None
    table = first if first is not None else arguments.receiver
    there = _there(w, table, arguments if asks.narrows else None, state)
    if there is None:
        return value
    if asks.gives == "exists":
        return terms.boolean(there)
    if not asks.raises:
        return terms.alt([(value, there), (terms.none, terms.negate(there))])
    missing = state.fork()
    missing.assume(terms.negate(there), terms)
    if not missing.dead:
        frame.raises.append((missing, terms.make("error", asks.raises)))
    state.assume(there, terms)
    return value


def _there(w: Walker, table: Term | None, given: Arguments | None, state: State) -> Term | None:
    """The condition that there is such a row; None where the query could not be read."""
    columns: list[tuple[Term, Term]] = []
    compared: list[Term] = []
    if given is not None:
        columns += [(w.terms.literal(key), contents.freeze(w, one, state)) for key, one in given.named.items()]
        compared += given.positional
    for _ in range(_STEPS):
        if table is None or table.kind != "call":
            break
        model = w.world.libraries.find("python", str(table.data[0]))
        if model is not None and model.asks is not None and model.asks.narrows:
            named: tuple[str, ...] = table.data[1]
            extra = 1 if table.data[3] else 0
            end = len(table.args) - extra
            columns += [(w.terms.literal(k), v) for k, v in zip(named, table.args[end - len(named) : end], strict=True)]
            compared += table.args[: end - len(named)]
        of_class = next((one for one in table.args if one.kind == "class"), None)  # `session.query(Pending)`
        table = of_class if of_class is not None else w.world.receivers.get(table)
    if table is not None and table.kind == "load":
        table = table.args[0]
    if table is None or table.kind != "class":
        return None
    for one in compared:
        sides = one.args if one.kind == "compare" and one.data[0] == "==" else ()
        for side, other in zip(sides, sides[::-1], strict=True):
            column = _column_of(w, table, side)
            if column is not None:
                columns.append((column, other))
    conditions = [
        w.terms.make("exists", None, (w.terms.load(w.terms.load(table, column), value),))
        for column, value in columns
        if "__" not in str(column.data[1])
    ]
    return w.terms.all(conditions) if conditions else None


def _column_of(w: Walker, table: Term, side: Term) -> Term | None:
    """The name of the column that a side of a comparison is: `Pending.value`."""
    if side.kind == "load" and side.args[0] is table:
        return side.args[1]
    info = w.world.classes.get(table)
    names = (name for name, member in info.members.items() if member is side) if info is not None else iter(())
    found = next(names, None)
    return w.terms.literal(found) if found is not None else None
