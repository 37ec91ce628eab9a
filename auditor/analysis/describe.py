"""The facts of a flow as lines of text, the same whatever the language.

`exchange(INPUT.code) under INPUT.state == SESSION.st, present SESSION.st`
"""

from __future__ import annotations

from collections.abc import Callable

from auditor.analysis.attack import is_input
from auditor.facts import Event, Facts
from auditor.terms import Term, contains, leaves, show, text_of, values

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


def atom(condition: Term, shown: Callable[[Term], str] = show) -> str:
    """A condition as people write it, its values as they are `shown`; the three kinds of presence are all `present`."""
    kind = condition.kind
    if kind in _PRESENCE:
        return f"present {shown(condition.args[0] if kind != 'load' else condition)}"
    if kind == "not":
        inner = condition.args[0]
        if inner.kind == "compare" and inner.data[0] in _COMPARED:
            return " != ".join(_sides(inner, shown))
        text = atom(inner, shown)
        return text.replace("present ", "absent ", 1) if inner.kind in _PRESENCE else f"not {text}"
    if kind == "compare":
        operator = str(condition.data[0])
        return " == ".join(_sides(condition, shown)) if operator in _COMPARED else _ordered(condition, operator, shown)
    if kind in ("and", "or"):
        parts = sorted({atom(part, shown) for part in condition.args})
        return f"({f' {kind} '.join(parts)})" if len(parts) > 1 else parts[0]
    if kind == "completed":
        return f"completed({shown(condition.args[0])})"
    return shown(condition)


def _sides(comparison: Term, shown: Callable[[Term], str]) -> list[str]:
    """What is compared, that of the request first."""
    sides = sorted((not contains(side, is_input), shown(side)) for side in comparison.args)
    return [text for _, text in sides]


def _ordered(comparison: Term, operator: str, shown: Callable[[Term], str]) -> str:
    return f" {operator} ".join(shown(side) for side in comparison.args)
