"""Parts of terms and calls: the unit of a function, the object that a term means, the argument that a model names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from auditor.analysis import addresses
from auditor.analysis.world import Arguments
from auditor.library import Reference
from auditor.terms import Term, text_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def unit_key(function: Term) -> tuple[str, int]:
    """The key of a function's unit in the world's table."""
    return function.data[0], function.data[1]


def is_input(term: Term) -> bool:
    """Whether a value was read straight from the request."""
    return term.kind == "load" and term.args[0].kind == "root" and term.args[0].data[0] == "INPUT"


def is_environment(term: Term) -> bool:
    """Whether a holder is the process's environment: it is set before any request, so its presence says nothing."""
    return term.kind == "root" and term.data[0] == "ENV"


def holder_of(w: Walker, term: Term) -> Term:
    """The object whose slots a term means: a root is one object, however it was reached."""
    if term.kind == "root":
        return w.terms.make("root", (term.data[0], ""))
    return term


def pick(reference: Reference | None, arguments: Arguments, w: Walker | None = None) -> Term | None:
    """The argument that a model refers to, or None when it is not given."""
    if reference is None:
        return None
    if isinstance(reference, tuple):
        for one in reference:
            found = pick(one, arguments)
            if found is not None:
                return found
        return None
    if reference == "object":
        return arguments.receiver
    if isinstance(reference, str) and reference[:1].isdigit() and "." in reference:  # an option of an argument
        position, _, name = reference.partition(".")
        given = pick(int(position), arguments)
        return addresses.collected([given]).get(name) if given is not None else None
    if isinstance(reference, int):
        return arguments.positional[reference] if reference < len(arguments.positional) else None
    return arguments.named.get(reference)


def mapping_items(mapping: Term) -> Iterable[tuple[str | None, Term]]:
    """The keys and values of a frozen mapping; the key of a spread is None."""
    return zip(mapping.data, mapping.args, strict=True)


def path_of(value: Term) -> list[str]:
    """The fixed keys by which a value is looked up, outermost first."""
    keys: list[str] = []
    while value.kind == "load":
        key = text_of(value.args[1])
        if key is None:
            break
        keys.append(key)
        value = value.args[0]
    return keys[::-1]
