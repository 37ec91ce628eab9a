"""Is the exchange guarded: can a forged callback reach it? (C06)"""

from __future__ import annotations

from auditor.analysis.attack import Attack, is_input, is_named_state, is_state, verdict
from auditor.checks.application import Application, at, by_entry, depends_on_caller, entry_place, line_in, observation
from auditor.facts import Event
from auditor.model import Observation, Place
from auditor.questions import GuardedQuestion
from auditor.terms import Term, contains, leaves


def answer(question: GuardedQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each callback, and for each exchange that no known callback reaches."""
    out: list[Observation] = []
    for events in by_entry(_from_callbacks(application, application.of("exchange"))):
        out.extend(_callback(question, rule, items, application, events))
    if not out and question.against == "forged" and application.actions.get("lost"):
        for event in application.actions["lost"][:1]:
            out.append(observation(rule, items, "review", event.place, "a call could not be followed to its end"))
    return out


def _from_callbacks(application: Application, events: tuple[Event, ...]) -> list[Event]:
    """Where an exchange is reached with a code of the request, other ways to it (a stored code) are not callbacks.

    A way whose code some caller gives that is not seen may be one, if no callback takes it.
    """
    received = {event.site for event in events if from_request(event)}
    return [
        event
        for event in events
        if from_request(event)
        or event.site not in received
        or (depends_on_caller(event) and not application.is_reached(event.entry))
    ]


def from_request(event: Event) -> bool:
    """Whether the code of an exchange was read from the request."""
    code = event.details.get("code")
    return code is not None and contains(code, lambda leaf: is_input(leaf) or is_address(leaf))


def is_address(term: Term) -> bool:
    """The callback's whole address, from which a library takes the code."""
    return term.kind == "root" and term.data[0] == "CALLBACK_URL"


def _callback(
    question: GuardedQuestion, rule: str, items: tuple[str, ...], application: Application, events: list[Event]
) -> list[Observation]:
    attack = application.attack
    worst = max(events, key=lambda event: _rank(verdict(attack, event)[0]))
    said = verdict(attack, worst)[0]
    where, unit = callback_place(application, worst)
    exchanged = at(worst.place, "the code is exchanged here")
    exchange_at = line_in(where.path, worst.place)
    related = (exchanged, *_comparisons(application, worst))
    if question.against == "absent":
        if said != "absent" or _unknown_caller(application, worst):
            return []
        message = (
            f"state is compared, but the comparison also holds when it is missing on both sides: the code is exchanged "
            f"at {exchange_at} for a visitor who began nothing"
        )
        return [observation(rule, items, "fail", where, message, related=related, unit=unit)]
    if _unknown_caller(application, worst):
        message = "the code is exchanged here, and nothing that was read shows the callback that it comes from"
        return [observation(rule, items, "review", worst.place, message, unit=unit)]
    if said == "fail" and worst.entry.method == "post" and not application.actions.get("authorize"):
        message = (
            f"the code is sent here by a program that is not in this repository: whether it compares state before "
            f"it hands the code over (exchanged at {exchange_at}) is for a person to see"
        )
        return [observation(rule, items, "review", where, message, related=related, unit=unit)]
    if said == "fail":
        return [
            observation(rule, items, "fail", where, _fault(application, worst, where.path), related=related, unit=unit)
        ]
    if said == "absent":
        return []
    if said == "review":
        message = f"whether a forged state is refused before the exchange at {exchange_at} could not be followed"
        return [observation(rule, items, "review", where, message, related=related, unit=unit)]
    proof = related[1:]
    place = proof[0] if proof else worst.place
    message = f"a forged or missing state is refused before the code is exchanged at {line_in(place.path, worst.place)}"
    return [observation(rule, items, "pass", place, message, related=(exchanged,), unit=unit)]


def _unknown_caller(application: Application, event: Event) -> bool:
    """Whether what hands over the code is not seen: a unit that others call, or whose parameter the code is."""
    if event.entry.kind != "unit":
        return False
    if from_request(event):
        return event.entry.called and not application.actions.get("authorize")
    return event.entry.called or depends_on_caller(event)


def callback_place(application: Application, event: Event) -> tuple[Place, str]:
    """Where the callback begins, and its name: the entry, what it wraps, or within a script what reads the code."""
    entry = event.entry
    if entry.kind != "module" and not entry.wraps:
        return entry_place(event), entry.name
    readers = [application.facts.readers.get((entry.number, leaf)) for leaf in leaves(event.details["code"])]
    wanted = [one for one in readers if one is not None and (entry.kind == "module" or one in entry.wraps)]
    if not wanted and len(entry.wraps) == 1:
        wanted = list(entry.wraps)
    for path, name in wanted:
        if (path, name) in application.heads:
            line = application.heads[path, name]
            return Place(path, line, line), name
    if entry.kind != "module":
        return entry_place(event), entry.name
    line = application.heads.get((event.place.path, event.unit), event.place.line)
    return Place(event.place.path, line, line), event.unit


def _rank(said: str) -> int:
    return ("pass", "review", "absent", "fail").index(said)


def _fault(application: Application, event: Event, path: str) -> str:
    """What went wrong, as precisely as the facts allow, in a finding that lies in the file `path`."""
    exchange_at = line_in(path, event.place)
    line = event.place.line
    late = [
        place
        for term, places in application.facts.where.items()
        for place in places
        if place.path == event.place.path
        and place.line > line
        and _may_be_of(event, place)
        and contains(term, is_named_state)
    ]
    if late and not any(contains(condition, is_named_state) for condition in event.conditions):
        return f"the code is exchanged at {exchange_at} and state is compared at {line_in(path, late[0])}: too late"
    if any(contains(condition, is_named_state) for condition in event.conditions):
        return f"state is looked at, but another state than the one that was sent still reaches the exchange at {exchange_at}"
    return f"the code is exchanged at {exchange_at} and no comparison of state stands before it"


def _comparisons(application: Application, event: Event, late: bool = False) -> tuple[Place, ...]:
    """Where conditions of the exchange compare the received state."""
    out: list[Place] = []
    pool = application.facts.where
    for condition in sorted(event.conditions, key=lambda one: one.n):
        parts = [condition, *condition.args] if condition.kind in ("and", "or", "not") else [condition]
        for part in parts:
            if part in pool and _about_state(application.attack, part):
                out.append(at(_nearest(event, pool[part]), "state is compared here"))
    return tuple(dict.fromkeys(out))[:3]


def _nearest(event: Event, places: tuple[Place, ...]) -> Place:
    """Which of the places where a comparison is made is that of this callback: two callbacks may write the same one."""
    entry = event.entry
    inside = [one for one in places if one.path == entry.path and entry.line <= one.line <= entry.end_line]
    beside = [one for one in places if one.path in (entry.path, event.place.path)]
    return (inside or beside or places)[0]


def _may_be_of(event: Event, place: Place) -> bool:
    """Whether a place can belong to this entry: not if it lies in another function of the entry's file."""
    entry = event.entry
    return place.path != entry.path or entry.kind == "module" or entry.line <= place.line <= entry.end_line


def _about_state(attack: Attack, condition: Term) -> bool:
    return contains(condition, is_state)
