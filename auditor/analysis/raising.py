"""Which errors end a way, and which handler takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import contents
from auditor.analysis.state import State
from auditor.analysis.world import Frame
from auditor.terms import Term, value_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker


def split_raised(
    w: Walker, types: list[Term], raised: list[tuple[State, Term]], frame: Frame
) -> tuple[list[tuple[State, Term]], list[tuple[State, Term]]]:
    """Which raised errors a handler catches, and which go on; where it is not known, both."""
    if not types:
        return list(raised), []
    flat = [one for kind in types for one in (kind.args if kind.kind == "sequence" else values(kind))]
    caught, missed = [], []
    for state, error in raised:
        verdicts = [_catches(w, kind, error, frame) for kind in flat]
        if True in verdicts:
            caught.append((state, error))
        elif None in verdicts:
            caught.append((state.fork(), error))
            missed.append((state, error))
        else:
            missed.append((state, error))
    return caught, missed


def _catches(w: Walker, kind: Term, error: Term, frame: Frame) -> bool | None:
    name = w.world.name_of(kind)
    if (
        name in ("Exception", "BaseException") and kind.kind != "class"
    ):  # a class of the program's own has a base's name
        return True
    if error.kind == "object":
        cls = w.world.instances.get(error)
        lineage = w.world.lineage(cls) if cls is not None else []
        if kind in lineage:
            return True
        names = {w.world.name_of(one) for one in lineage if one.kind != "class"}
        if kind.kind == "class":
            return False
        return True if name in names else None if names - {"Exception", "BaseException", None} else False
    if kind.kind == "class":
        return False if error.kind in ("error", "call") and error.data != "any" else None
    raised_name = str(error.data) if error.kind == "error" else (w.world.name_of(error) or "").removesuffix("()")
    if kind.kind == "literal" and isinstance(value_of(kind), int):  # a status: of what the framework raises itself
        return None if raised_name in ("any", "", "werkzeug.exceptions.HTTPException") else False
    if not name or raised_name in ("any", ""):
        return None
    return name in _parents(w, frame.language, raised_name)


def _parents(w: Walker, language: str, error: str) -> set[str]:
    out: set[str] = set()
    queue = [error]
    while queue:
        one = queue.pop()
        if one not in out:
            out.add(one)
            queue.extend(w.world.libraries.parents(language, one))
    return out


def raised(w: Walker, error: Term, state: State, frame: Frame, node: ir.Node) -> None:
    """An error of a class of the program's own is raised: record what it says, to whoever uses the program."""
    cls = w.world.instances.get(error)
    if cls is not None and frame.unit is not None:
        said = [state.slots[error, key] for key in w.world.keys.get(error, ()) if (error, key) in state.slots]
        value = w.terms.make("sequence", None, tuple(contents.freeze(w, one, state) for one in said))
        w.record("raise", node, state, frame, name=w.world.classes[cls].qualified, value=value)
