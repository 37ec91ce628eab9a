"""Is a refusal of the provider answered: 401 by clearing the tokens and asking to connect again, 403 in own words? (C14, C19)"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from auditor.analysis.attack import MAYBE, NO, YES, Answer, conjunction, disjunction, negation
from auditor.checks.application import Application, at, observation, says
from auditor.facts import Event
from auditor.model import Observation, Place
from auditor.questions import HandledQuestion
from auditor.terms import Term, alternatives, leaves, text_of, value_of

_CONNECT = ("connect", "authori", "log in", "login", "sign in", "signin", "link", "oauth", "auth")
_ANSWERS = ("redirect", "respond", "render", "flash")


def answer(question: HandledQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each file whose calls to the provider are judged alike."""
    calls = [event for event in application.of("provider-call") if "call" in event.details]
    judged: dict[tuple[str, int], tuple[str, Event, list[Event]]] = {}
    inside = []
    for event in calls:
        if _only_just_exchanged(application, event):
            inside.append(event)
            continue
        said, evidence = _judge(question, application, event)
        key = event.site
        before = judged.get(key)
        if before is None or _rank(said) > _rank(before[0]):
            judged[key] = (said, event, evidence)
    out: list[Observation] = []
    if not judged:
        for event in inside[:1]:
            message = "the token is used only where it was exchanged; what a refusal leads to there is for a person to judge"
            out.append(observation(rule, items, "review", event.place, message, unit=event.unit))
        return out
    by_file: dict[tuple[str, str], list[tuple[str, Event, list[Event]]]] = {}
    for one in judged.values():
        by_file.setdefault((one[1].place.path, one[0]), []).append(one)
    for (_, said), group in sorted(by_file.items(), key=lambda pair: pair[0]):
        out.append(_report(question, rule, items, application, said, group))
    return out


def _rank(said: str) -> int:
    return ("pass", "review", "fail").index(said)


def _only_just_exchanged(application: Application, event: Event) -> bool:
    """Whether the token came out of an exchange of the same entry: it is not a stored one."""
    exchanged = {
        other.details["call"]
        for other in application.actions.get("exchange", ())
        if other.entry is event.entry and "call" in other.details
    }
    token = event.details.get("token")
    if event.entry.kind == "module":
        return False  # a script is one entry from beginning to end
    return token is not None and any(leaf in exchanged for leaf in leaves(token))


def _judge(question: HandledQuestion, application: Application, event: Event) -> tuple[Literal["pass", "review", "fail"], list[Event]]:
    """What the entry does when this call is refused."""
    call = event.details["call"]
    specific = [
        other
        for other in application.facts.events
        if other.entry is event.entry
        and other.order > event.order
        and other.action in ("clear", "flash", "redirect", "respond", "render", "log", "store")
        and _happens(other.conditions, call, question.status)
        and not _happens(other.conditions, call, 200)
    ]
    if question.status == 401:
        cleared = [other for other in specific if other.action == "clear"]
        prompted = [other for other in specific if _prompts(other)]
        if cleared and prompted:
            return "pass", [*cleared[:1], *prompted[:1]]
        if cleared or prompted:
            return "review", [*cleared[:1], *prompted[:1]]
        return "fail", []
    told = [other for other in specific if other.action in _ANSWERS]
    if not told:
        return "fail", []
    if all(_happens(other.conditions, call, 500) for other in told):
        return "review", told[:1]
    return "pass", told[:1]


def _prompts(event: Event) -> bool:
    """Whether an answer leads the user to connect again."""
    value = event.details.get("value")
    if value is None or event.action not in _ANSWERS:
        return False
    return says(value, _CONNECT) or any(leaf.kind == "serial" for leaf in leaves(value) if event.action == "redirect")


def _happens(conditions: Iterable[Term], call: Term, status: int) -> bool:
    return conjunction(holds(condition, call, status) for condition in conditions) is not NO


def holds(condition: Term, call: Term, status: int) -> Answer:
    """Whether a condition holds when the call is answered with this status."""
    kind = condition.kind
    if kind == "and":
        return conjunction(holds(part, call, status) for part in condition.args)
    if kind == "or":
        return disjunction(holds(part, call, status) for part in condition.args)
    if kind == "not":
        return negation(holds(condition.args[0], call, status))
    if kind == "op" and condition.data == "ok" and condition.args[0] is call:
        return YES if 200 <= status < 400 else NO
    if kind == "alt":
        return disjunction(
            conjunction((holds(guard, call, status), holds(value, call, status))) for value, guard in alternatives(condition)
        )
    if kind == "literal":
        return YES if value_of(condition) else NO
    if kind == "compare":
        return _compared(condition, call, status)
    return MAYBE


def _compared(condition: Term, call: Term, status: int) -> Answer:
    op, loose = condition.data
    left, right = (_status(side, call, status) for side in condition.args)
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return MAYBE
    if isinstance(left, str) != isinstance(right, str):
        if op in ("==", "same") and not loose:
            return NO
        left, right = (int(side) if isinstance(side, str) and side.isdigit() else side for side in (left, right))
        if isinstance(left, str) or isinstance(right, str):
            return MAYBE
    answers = {
        "==": left == right, "same": left == right, "<": left < right, "<=": left <= right,  # type: ignore[operator]
        ">": left > right, ">=": left >= right,  # type: ignore[operator]
    }  # fmt: skip
    return MAYBE if op not in answers else YES if answers[op] else NO


def _status(side: Term, call: Term, status: int) -> int | float | str | None:
    if side.kind == "op" and side.data == "status" and side.args[0] is call:
        return status
    value = value_of(side) if side.kind == "literal" else None
    return value if isinstance(value, (int, float, str)) else None


def _report(
    question: HandledQuestion, rule: str, items: tuple[str, ...], application: Application, said: str,
    group: list[tuple[str, Event, list[Event]]],
) -> Observation:  # fmt: skip
    group = sorted(group, key=lambda one: (one[1].place.line, one[1].order))
    first = group[0][1]
    where = unit_place(application, first)
    others = tuple(at(one[1].place, "a call to the provider") for one in group)[:10]
    if said == "fail":
        if question.status == 401:
            message = f"the call to the provider at line {first.place.line} does not clear the tokens and ask to connect again on a 401"
        else:
            message = f"a 403 of the provider at line {first.place.line} is not told from an answer"
        return observation(rule, items, "fail", where, message, related=others, unit=first.unit)
    if said == "review":
        seen = ", ".join(f"{one.action} at line {one.place.line}" for one in group[0][2]) or "something"
        if question.status == 401:
            message = f"on a 401 only one of clearing the tokens and asking to connect again was seen ({seen})"
        else:
            message = f"a 403 is answered like any other failure ({seen})"
        return observation(rule, items, "review", first.place, message, related=others, unit=first.unit)
    proof = group[0][2]
    place = proof[0].place if proof else first.place
    message = (
        "on a 401 the tokens are cleared and the user is asked to connect again"
        if question.status == 401
        else "a 403 is answered in the application's own words"
    )
    related: tuple[Place, ...] = tuple(at(one.place, one.action) for one in proof[1:]) + others
    return observation(rule, items, "pass", place, message, related=related, unit=first.unit)


def unit_place(application: Application, event: Event) -> Place:
    """The line where the function begins that makes a call."""
    if event.entry.path == event.place.path and event.entry.name == event.unit:
        return Place(event.entry.path, event.entry.line, event.entry.line)
    line = application.heads.get((event.place.path, event.unit), event.place.line)
    return Place(event.place.path, line, line)


__all__ = ["answer", "holds", "text_of"]
