"""Rows that a program reads and writes by statements of SQL in texts, whatever the library that sends them.

A table is an object of its own, its columns are slots: `UPDATE links SET token = NULL` empties one, `DELETE` all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import calls, contents, sql
from auditor.analysis.sql import Statement, Written
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame
from auditor.terms import Term, text_of, value_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_ROWS = "(rows)"
_SENDS = frozenset(
    {"execute", "executemany", "query", "run", "get", "all", "each", "raw", "prepare", "fetch", "fetchrow", "fetchval",
     "fetch_one", "fetch_all", "fetchone", "fetchall", "one", "none", "oneOrNone", "any", "unsafe", "text", "iterate"}
)  # fmt: skip
_SAME = frozenset(
    {
        "fetchone",
        "fetchall",
        "fetchmany",
        "first",
        "one",
        "one_or_none",
        "all",
        "mappings",
        "rows",
        "recordset",
        "scalar",
    }
)


def sent(w: Walker, name: str, arguments: Arguments, result: Term, state: State, frame: Frame, node: ir.Node) -> bool:
    """Whether a call sends a statement, or what a statement was prepared for; what it does is done then."""
    if name not in _SENDS:
        return False
    prepared = w.world.statements.get(arguments.receiver) if arguments.receiver is not None else None
    given = [contents.freeze(w, one, state) for one in arguments.positional]
    if prepared is not None:
        statement, parts = prepared
    else:
        text = given[0] if given else None
        found = _read(text) if text is not None else None
        if found is None:
            return False
        (statement, parts), given = found, given[1:]
        if name in ("prepare", "text"):
            w.world.statements[result] = found
            return True
    _do(w, statement, parts, _Given(given, w), arguments.receiver, result, state, frame, node)
    for one in arguments.positional:
        if one.kind == "function":  # it is called with an error and the rows
            calls.later(w, one, [w.terms.none, result], state, frame, node)
    return True


def _read(text: Term) -> tuple[Statement, tuple[Term, ...]] | None:
    """The statement of a text, and what its holes are filled with."""
    parts = text.args if text.kind == "text" else (text,)
    holes: list[Term] = []
    written = ""
    for part in parts:
        piece = text_of(part)
        if piece is None:
            piece = f"\0{len(holes)}\0"
            holes.append(part)
        written += piece
    if len(holes) == len(parts):
        return None
    statement = sql.read(written)
    return (statement, tuple(holes)) if statement is not None else None


class _Given:
    """The parameters of a statement: one by one, or as a list or an object."""

    def __init__(self, given: list[Term], w: Walker) -> None:
        plain = [one for one in given if one.kind != "function"]
        alone = plain[0] if len(plain) == 1 else None
        self._named = alone if alone is not None and alone.kind == "mapping" else None
        listed = alone is not None and alone.kind == "sequence" and alone.data is None
        self._listed: tuple[Term, ...] = alone.args if alone is not None and listed else tuple(plain)
        self._w = w

    def value(self, key: int | str) -> Term:
        """What a parameter is."""
        if isinstance(key, int) and self._named is None and key < len(self._listed):
            return self._listed[key]
        if self._named is not None and key in self._named.data:
            return self._named.args[tuple(self._named.data).index(key)]
        return self._w.terms.unknown("parameter", (self._named,) if self._named is not None else self._listed)


def _do(
    w: Walker, statement: Statement, holes: tuple[Term, ...], given: _Given, receiver: Term | None, result: Term,
    state: State, frame: Frame, node: ir.Node,
) -> None:  # fmt: skip
    """Write, empty or name what a statement is about."""
    table = w.world.external(f"table:{statement.table}", frame.language)
    w.world.media[table] = "database"
    if statement.verb == "delete":
        w.record("clear", node, state, frame, holder=table)
    elif statement.verb == "select":
        w.world.selected[result] = (table, statement.columns)
        if receiver is not None:  # a cursor is asked for the rows afterwards
            state.put((receiver, w.terms.literal(_ROWS)), result)
    for column, written in statement.writes:
        w.write(table, w.terms.literal(column), _value(w, written, holes, given), state, frame, node)


def _value(w: Walker, written: Written, holes: tuple[Term, ...], given: _Given) -> Term:
    if written.kind == "null":
        return w.terms.none
    if written.kind == "text":
        return w.terms.literal(str(written.value))
    if written.kind == "given":
        return given.value(written.value)
    if written.kind == "hole" and isinstance(written.value, int) and written.value < len(holes):
        return holes[written.value]
    return w.terms.unknown("sql")


def column(w: Walker, rows: Term, key: Term, frame: Frame) -> Term | None:
    """What lies under a key of what was selected: of rows the rows, of a row a column."""
    found = w.world.selected.get(rows)
    if found is None:
        return None
    table, columns = found
    name = text_of(key)
    if name is not None:
        if name in _SAME:
            return rows
        wanted = dict(columns).get(name.lower(), name.lower() if any(one == "*" for one, _ in columns) else "")
        return w.terms.load(table, w.terms.literal(wanted)) if wanted else None
    number = value_of(key) if key.kind == "literal" else None
    if frame.language == "javascript" or not isinstance(number, int):
        return rows  # an element of the rows
    if number < len(columns) and columns[number][1] not in ("", "*"):
        return w.terms.load(table, w.terms.literal(columns[number][1]))
    return None


def same(w: Walker, name: str, receiver: Term | None, state: State) -> Term | None:
    """What a method gives that only hands on what was selected, by its receiver or before by it."""
    if receiver is None or name not in _SAME:
        return None
    return receiver if receiver in w.world.selected else w.slot((receiver, w.terms.literal(_ROWS)), state)
