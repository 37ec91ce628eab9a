"""The facts of a flow as lines of text, the same whatever the language: for tests and for `explain`.

`exchange(INPUT.code) under INPUT.state == SESSION.st, present SESSION.st`
"""

from __future__ import annotations

from auditor.analysis.attack import is_input
from auditor.facts import Event, Facts
from auditor.terms import Term, leaves, show, text_of, values

_PRESENCE = frozenset({"exists", "present", "load"})
_COMPARED = frozenset({"==", "same"})


def describe(facts: Facts) -> list[str]:
    """One line for each authorization and each exchange, in the order of the walk, each line once."""
    lines: dict[str, None] = {}
    for event in facts.events:
        if event.action == "authorize":
            lines[f"authorize(state={_state(facts, event.details.get('state'))})"] = None
        elif event.action == "exchange":
            lines[_exchange(event)] = None
    return list(lines)


def _state(facts: Facts, state: Term | None) -> str:
    """How a sent state is made, where that is known."""
    if state is None:
        return "none"
    kinds = {facts.kinds[leaf] for one in values(state) for leaf in leaves(one) if leaf in facts.kinds}
    return "|".join(sorted(kinds)) or show(state)


def _exchange(event: Event) -> str:
    code = event.details.get("code")
    shown = {atom(condition) for condition in event.conditions if _counts(condition)}
    under = ", ".join(sorted(shown, key=lambda text: (" == " not in text, text)))
    return f"exchange({show(code) if code is not None else ''})" + (f" under {under}" if under else "")


def _counts(condition: Term) -> bool:
    """Whether a condition says more than that there is a code, a session or a request."""
    inner = condition
    while inner.kind in ("not", "exists", "present"):
        inner = inner.args[0]
    if inner.kind != "load":
        return inner.kind != "root"
    return not (is_input(inner) and text_of(inner.args[1]) == "code")


def atom(condition: Term) -> str:
    """A condition as people write it; the three kinds of presence of one slot are all `present`."""
    kind = condition.kind
    if kind in _PRESENCE:
        return f"present {show(condition.args[0] if kind != 'load' else condition)}"
    if kind == "not":
        inner = condition.args[0]
        if inner.kind == "compare" and inner.data[0] in _COMPARED:
            return atom(inner).replace(" == ", " != ")
        return atom(inner).replace("present ", "absent ", 1) if inner.kind in _PRESENCE else f"not {atom(inner)}"
    if kind == "compare" and condition.data[0] in _COMPARED:
        return " == ".join(
            sorted((show(side) for side in condition.args), key=lambda text: ("INPUT" not in text, text))
        )
    if kind in ("and", "or"):
        return "(" + f" {kind} ".join(sorted(atom(part) for part in condition.args)) + ")"
    return show(condition)
