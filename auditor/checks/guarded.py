"""Is the exchange guarded: can a forged callback reach it? (C06)"""

from __future__ import annotations

from auditor.analysis.attack import Attack, is_state, verdict
from auditor.checks.application import Application, at, by_entry, depends_on_caller, entry_place, observation
from auditor.facts import Event
from auditor.model import Observation, Place
from auditor.questions import GuardedQuestion
from auditor.terms import contains


def answer(question: GuardedQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each callback, and for each exchange that no known callback reaches."""
    out: list[Observation] = []
    for events in by_entry(application.of("exchange")):
        out.extend(_callback(question, rule, items, application, events))
    if not out and question.against == "forged" and application.actions.get("lost"):
        for event in application.actions["lost"][:1]:
            out.append(observation(rule, items, "review", event.place, "a call could not be followed to its end"))
    return out


def _callback(
    question: GuardedQuestion, rule: str, items: tuple[str, ...], application: Application, events: list[Event]
) -> list[Observation]:
    attack = application.attack
    worst = max(events, key=lambda event: _rank(verdict(attack, event)[0]))
    said = verdict(attack, worst)[0]
    where = entry_place(worst)
    unit = worst.entry.name
    exchanged = at(worst.place, "the code is exchanged here")
    if worst.entry.kind == "unit" and (worst.entry.called or depends_on_caller(worst)):
        if question.against != "forged":
            return []
        message = "the code is exchanged here, and nothing that was read shows the callback that it comes from"
        return [observation(rule, items, "review", worst.place, message, unit=unit)]
    if said == "fail":
        if question.against != "forged":
            return []
        related = (exchanged, *_comparisons(application, worst, late=True))
        return [observation(rule, items, "fail", where, _fault(application, worst), related=related, unit=unit)]
    if said == "absent":
        if question.against != "absent":
            return []
        message = (
            f"state is compared, but the comparison also holds when it is missing on both sides: the code is exchanged "
            f"at line {worst.place.line} for a visitor who began nothing"
        )
        related = (exchanged, *_comparisons(application, worst))
        return [observation(rule, items, "fail", where, message, related=related, unit=unit)]
    if question.against != "forged":
        return []
    if said == "review":
        message = f"whether a forged state is refused before the exchange at line {worst.place.line} could not be followed"
        related = (exchanged, *_comparisons(application, worst))
        return [observation(rule, items, "review", where, message, related=related, unit=unit)]
    proof = _comparisons(application, worst)
    place = proof[0] if proof else worst.place
    message = f"a forged or missing state is refused before the code is exchanged at line {worst.place.line}"
    return [observation(rule, items, "pass", place, message, related=(exchanged,), unit=unit)]


def _rank(said: str) -> int:
    return ("pass", "review", "absent", "fail").index(said)


def _fault(application: Application, event: Event) -> str:
    """What went wrong, as precisely as the facts allow."""
    line = event.place.line
    late = [
        place
        for term, place in application.facts.where.items()
        if place.path == event.place.path and place.line > line and contains(term, is_state)
    ]
    if late and not any(contains(condition, is_state) for condition in event.conditions):
        return f"the code is exchanged at line {line} and state is compared at line {late[0].line}: too late"
    if any(contains(condition, is_state) for condition in event.conditions):
        return f"state is looked at, but another state than the one that was sent still reaches the exchange at line {line}"
    return f"the code is exchanged at line {line} and no comparison of state stands before it"


def _comparisons(application: Application, event: Event, late: bool = False) -> tuple[Place, ...]:
    """Where conditions of the exchange compare the received state."""
    out: list[Place] = []
    pool = application.facts.where
    for condition in sorted(event.conditions, key=lambda one: one.n):
        parts = [condition, *condition.args] if condition.kind in ("and", "or", "not") else [condition]
        for part in parts:
            place = pool.get(part)
            if place is not None and _about_state(application.attack, part):
                out.append(at(place, "state is compared here"))
    return tuple(dict.fromkeys(out))[:3]


def _about_state(attack: Attack, condition: object) -> bool:
    from auditor.terms import Term

    return isinstance(condition, Term) and contains(condition, is_state)
