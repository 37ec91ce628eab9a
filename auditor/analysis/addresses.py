"""Addresses as terms: their parts, the fields of their query, and the fields of what is sent."""

from __future__ import annotations

import dataclasses

from auditor.terms import Term, plain, text_of, values


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart: the literal text before the query, the parameters, and whether others may follow."""

    base: str
    fields: dict[str, Term]
    open: bool


def address(term: Term) -> Address | None:
    """Take a text apart; None when it is no address with parameters."""
    parts = term.args if term.kind == "text" else (term,)
    base: list[str] = []
    fields: dict[str, Term] = {}
    opened = asked = False
    key: str | None = None
    pieces: list[Term | str] = []

    def finish() -> None:
        nonlocal key, pieces
        if key is not None:
            fields[key] = _value(pieces)
        key, pieces = None, []

    for part in parts:
        if part.kind != "literal":
            if part.kind == "serial" and part.data == "query":
                for name, field in collected([part]).items():
                    fields.setdefault(name, field)
                asked = True
            elif key is not None:
                pieces.append(part)
            elif asked:
                opened = True
            else:
                base.append("\0")
            continue
        text = plain(part)
        while text:
            if key is not None:
                value, ampersand, text = _cut(text, "&")
                if value:
                    pieces.append(value)
                if ampersand:
                    finish()
            elif asked:
                name, mark, text = _cut(text, "=&")
                if mark == "=":
                    key = name.strip("&?").removeprefix("amp;")  # an address in markup has its ampersands escaped
            else:
                before, mark, text = _cut(text, "?")
                base.append(before)
                asked = bool(mark)
    finish()
    return Address("".join(base), fields, opened) if asked else None


def _cut(text: str, marks: str) -> tuple[str, str, str]:
    for index, letter in enumerate(text):
        if letter in marks:
            return text[:index], letter, text[index + 1 :]
    return text, "", ""


def _value(pieces: list[Term | str]) -> Term:
    if len(pieces) == 1 and isinstance(pieces[0], Term):
        return pieces[0]
    if all(isinstance(piece, str) for piece in pieces):
        return Term("literal", ("str", "".join(str(piece) for piece in pieces)), (), -1)
    return Term(
        "text", None, tuple(p if isinstance(p, Term) else Term("literal", ("str", p), (), -1) for p in pieces), -1
    )


def collected(terms: list[Term], depth: int = 6) -> dict[str, Term]:
    """All keys and values in these values, however they are written out; the first of a name counts."""
    out: dict[str, Term] = {}
    for term in terms:
        _collect(term, out, depth)
    return out


def _collect(term: Term, out: dict[str, Term], depth: int) -> None:
    if depth == 0:
        return
    if term.kind == "mapping":
        for key, value in zip(term.data, term.args, strict=True):
            if key is not None:
                out.setdefault(key, value)
        for value in term.args:
            _collect(value, out, depth - 1)
    elif term.kind == "sequence":
        pair = term.args
        if len(pair) == 2 and (name := text_of(pair[0])) is not None:
            out.setdefault(name, pair[1])
        for value in term.args:
            _collect(value, out, depth - 1)
    elif term.kind in ("serial", "parsed"):
        for value in term.args:
            _collect(value, out, depth - 1)
    elif term.kind == "alt":
        for value in values(term):
            _collect(value, out, depth - 1)
    elif term.kind == "text" or text_of(term) is not None:
        taken = _query(term)
        for name, value in taken.items():
            out.setdefault(name, value)
        if term.kind == "text":
            for value in term.args:
                if value.kind in ("serial", "mapping"):
                    _collect(value, out, depth - 1)


def _query(term: Term) -> dict[str, Term]:
    """The parameters of an address, or of a body written as `a=b&c=d`."""
    first = term.args[0] if term.kind == "text" else term
    text = text_of(first) or ""
    if "=" not in text and "?" not in text:
        return {}
    taken = address(term)
    if taken is None and "=" in text and " " not in text.split("=")[0]:
        lead = Term("literal", ("str", "?" + text), (), -1)
        rest = term.args[1:] if term.kind == "text" else ()
        taken = address(Term("text", None, (lead, *rest), -1))
    return taken.fields if taken is not None else {}


def has(fields: dict[str, Term], names: tuple[str, ...]) -> bool:
    return any(name in fields for name in names)


def first(fields: dict[str, Term], names: tuple[str, ...]) -> Term | None:
    return next((fields[name] for name in names if name in fields), None)
