"""Is a refusal of the provider answered: 401 by clearing the tokens and asking to connect again, 403 in own words? (C14, C19)"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec

from auditor.checks import grants as holding
from auditor.checks import statuses
from auditor.checks.application import Application, at, observation
from auditor.checks.connections import provider_of
from auditor.checks.grants import Grants
from auditor.checks.reach import unused
from auditor.checks.sides import is_open
from auditor.facts import Event
from auditor.model import Member, Observation, Place
from auditor.questions import HandledQuestion
from auditor.terms import Term, leaves, text_of, value_of

Verdict: TypeAlias = Literal["pass", "review", "fail"]

_ANSWERS = ("redirect", "respond", "render", "flash")
_FLOW = ("authorize", "exchange", "refresh")
_TRACES = ("clear", "store", "log", "raise", *_ANSWERS)
_CONNECT = re.compile(
    r"\bre ?connect|\bre ?auth|\bre ?link|\bconnect\b|\bauthori[sz]e\b|\bauthori[sz]ation\b|\boauth|\blog ?in\b|\blogin\b"
    r"|\bsign ?in\b|\bsignin\b|\blink\b|\brelink\b|\bconsent\b"
)
_NO_CONNECTION = re.compile(r"(can ?not|could ?n[o']t|could not|can't|failed to|unable to|not able to) (re ?)?connect")
_PATH = re.compile(r"\bauth\b")
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[A-Za-z]{2,}")
_MEDIA = re.compile(
    r"(application|text|image)/[\w.+-]+|content-?type|utf-?8|status(_?code)?|get|post|put", re.IGNORECASE
)

_ROOM = 20_000  # pairs of a call and what happens later that are looked at for one status


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What is said of one call, and the events that show it."""

    said: Verdict
    call: Event
    seen: tuple[Event, ...]
    why: str = ""


def answer(question: HandledQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each file whose calls to the provider are judged alike."""
    grants = Grants(application.facts)
    everything = [
        event
        for event in application.of("provider-call")
        if "call" in event.details and _has_token(application, event.details.get("token"), event)
    ]
    calls = [event for event in everything if _uses_a_grant(application, grants, event)]
    if not application.connects:  # a bearer token alone is no sign of a provider: the own server takes one too
        calls = [event for event in calls if _is_elsewhere(event.details.get("url"))]
    if not calls and not application.connects:
        return []
    if not calls:
        return _without_calls(rule, items, application, grants, everything)
    judged: dict[tuple[str, int], Judged] = {}
    inside: list[Event] = []
    room = _ROOM
    theirs = _Theirs(application, grants)
    starts = frozenset(_starts(application))
    for event in calls:
        if question.status == 401 and _only_just_exchanged(application, event):
            inside.append(event)
            continue
        room -= sum(1 for _ in _after(application, event))
        if room < 0:
            said = Judged("review", event, (), "too much happens after this call to be followed to its end")
        elif question.status == 401:
            said = _unauthorized(application, grants, starts, event)
        else:
            said = _forbidden(application, event)
        if said.said == "fail" and event not in theirs:
            said = Judged(
                "review", event, (), "whether this call goes to the provider, with a token of its, could not be seen"
            )
        before = judged.get(event.site)
        if before is None or _rank(said.said) > _rank(before.said):
            judged[event.site] = said
    if not judged:
        message = (
            "the token is used only where it was exchanged; what a refusal leads to there is for a person to judge"
        )
        return [observation(rule, items, "review", event.place, message, unit=event.unit) for event in inside[:1]]
    groups: dict[tuple[str, str], list[Judged]] = {}
    for one in judged.values():
        groups.setdefault((one.call.place.path, one.said), []).append(one)
    return [
        _report(question, rule, items, application, group)
        for _, group in sorted(groups.items(), key=lambda pair: pair[0])
    ]


def _rank(said: str) -> int:
    return ("pass", "review", "fail").index(said)


# ------------------------------------------------------------------------------------ which calls are meant


def _uses_a_grant(application: Application, grants: Grants, event: Event) -> bool:
    """Whether a call to the provider uses a token that the provider gave to this application.

    A token that came with the request, or that lies in a browser where no grant was ever put, is the application's own
    unless the address names another host.
    """
    token = event.details.get("token")
    if token is None or any(leaf in grants.results for leaf in leaves(token)):
        return True
    if _is_elsewhere(event.details.get("url")):
        return True
    sources = [leaf for leaf in leaves(token) if leaf.kind == "load"]
    if sources and all(_comes_with_the_request(leaf) for leaf in sources):
        return False
    return not (grants.results and any(_in_browser(leaf) for leaf in sources) and grants.of_token(token) is None)


class _Theirs:
    """Whether a call goes to whom the flow is with: by its token, or by its address."""

    def __init__(self, application: Application, grants: Grants) -> None:
        self._application, self._grants = application, grants
        flow = [event for action in _FLOW for event in application.actions.get(action, ())]
        seen = [provider_of(event, application.directory) for event in flow]
        self._names = {name for name, _ in seen if name}
        self._domains = {_domain(host) for _, host in seen if host}
        sides = {application.side(one.place.path, one.place.line) for one in flow if one.action != "authorize"}
        self._on_server = sides == {"server"}

    def __contains__(self, event: Event) -> bool:
        token = event.details.get("token")
        if token is None or any(leaf in self._grants.results for leaf in leaves(token)):
            return True
        if self._grants.of_token(token) is not None:
            return True
        name, host = provider_of(event, self._application.directory)
        if name:
            return name in self._names or not self._names
        if host:
            return _domain(host) in self._domains
        url = event.details.get("url")
        if url is None or not any("/" in (text_of(leaf) or "") for leaf in leaves(url)):
            return True  # a provider's own library knows where it calls
        page = is_open(self._application.side(event.place.path, event.place.line))
        return not (page and self._on_server)  # a page sends its own server the token of its own session


def _domain(host: str) -> str:
    return ".".join(host.split(".")[-2:])


def _has_token(application: Application, client: Term | None, event: Event) -> bool:
    """Whether the client that sends a call was given a token: when it was made, later, or by an exchange of its own."""
    if client is None or client.kind != "call" or client is event.details.get("call"):
        return True
    names: tuple[str, ...] = client.data[1]
    if not names or any(re.search("token|credential|auth|session", name) for name in names):
        return True  # what is given by position is not known
    given = (write.holder is client for write in application.facts.writes)
    made = (
        client in other.details["call"].args
        for other in application.in_entry.get(event.entry, ())
        if other.action in ("exchange", "refresh") and "call" in other.details
    )
    return any(given) or any(made)


def _is_elsewhere(url: Term | None) -> bool:
    """Whether an address names a host that is not this application's."""
    head = text_of(url.args[0] if url.kind == "text" else url) if url is not None else None
    return head is not None and head.startswith(("http://", "https://")) and "://localhost" not in head


def _comes_with_the_request(load: Term) -> bool:
    """Whether a load reads from the request itself; its caller holds what it holds."""
    one = load
    while one.kind == "load":
        one = one.args[0]
    return one.kind == "root" and one.data[0] in ("INPUT", "HEADERS")


def _in_browser(load: Term) -> bool:
    """Whether a load reads what a browser keeps."""
    holder = load.args[0]
    return holder.kind == "external" and str(holder.data[0]).rpartition(".")[2] in ("localStorage", "sessionStorage")


def _without_calls(
    rule: str, items: tuple[str, ...], application: Application, grants: Grants, others: list[Event]
) -> list[Observation]:
    """No call with a token of a grant was seen: proof that there is none, or a review."""
    if others:
        message = "the tokens that calls carry here were given by somebody else: whether a refusal is answered there could not be seen"
        return [observation(rule, items, "review", others[0].place, message, unit=others[0].unit)]
    event = unused(application, grants)
    if event is None:
        return []
    message = "the tokens that the provider gives are never used for a call"
    return [observation(rule, items, "not-applicable", event.place, message, unit=event.unit)]


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


# -------------------------------------------------------------------------------------------------- 401


def _unauthorized(application: Application, grants: Grants, starts: frozenset[str], call: Event) -> Judged:
    """Whether a 401 leads to empty slots and to an answer that names connecting."""
    seen = [event for event in _after(application, call) if _tells(event, call, 401)]
    forgets = [
        event
        for event in seen
        if event.action == "clear" or (event.action == "store" and holding.marks_unusable(event))
    ]
    token = call.details.get("token")
    required = grants.of_token(token) if token is not None else None
    relayed = _relayed(call, seen)
    if relayed is not None:
        return Judged("review", call, (relayed,), "a 401 is passed on to the caller, who holds the token")
    if required is not None:
        cleared = holding.emptied(required, forgets)
    else:
        cleared = holding.emptied_by_name(token, forgets, grants.may_refresh) if token is not None else "none"
    prompts = [event for event in seen if _prompts(event, call, starts)]
    proof = (*forgets[:1], *prompts[:1]) if cleared != "none" else tuple(prompts[:1])
    if cleared == "all" and prompts:
        return Judged("pass", call, proof)
    if cleared == "some":
        why = "only some of the slots that hold its tokens are emptied"
        return Judged("review", call, proof, why)
    if cleared == "all" or prompts:
        return Judged("review", call, proof, "only one of clearing the tokens and asking to connect again was seen")
    return Judged("fail", call, ())


def _relayed(call: Event, seen: list[Event]) -> Event | None:
    """The answer that passes the provider's status on to a caller who sent the token along."""
    token = call.details.get("token")
    loads = [leaf for leaf in leaves(token) if leaf.kind == "load"] if token is not None else []
    if not any(_comes_with_the_request(load) for load in loads):
        return None
    return next(
        (one for one in seen if one.action == "respond" and call.details["call"] in _held(one, call, 401)), None
    )


def _after(application: Application, call: Event) -> Iterator[Event]:
    """What the entry does later than a call."""
    for event in application.in_entry.get(call.entry, ()):
        if event.order > call.order and event.action in _TRACES:
            yield event


def _tells(event: Event, call: Event, status: int) -> bool:
    """Whether an event, or what it says, belongs to this status: a success does not come to it."""
    if not statuses.possible(event, call, status):
        return False
    return not statuses.possible(event, call, 200) or (
        event.action in _ANSWERS and _held(event, call, status) != _held(event, call, 200)
    )


def _held(event: Event, call: Event, status: int) -> frozenset[Term]:
    said = [event.details[name] for name in ("value", "status") if name in event.details]
    return frozenset().union(*(statuses.remaining(value, {call.details["call"]: status}) for value in said))


def _prompts(event: Event, call: Event, starts: frozenset[str]) -> bool:
    """Whether an answer leads the user to connect again: it names it, or goes to where an authorization begins."""
    if event.action not in _ANSWERS:
        return False
    held = _held(event, call, 401)
    for text in _texts(held):
        plain_text = _CASE.sub(" ", text).lower()
        spaced = re.sub(r"[_\-/.?=&:]+", " ", plain_text)
        if _CONNECT.search(spaced) and not _NO_CONNECTION.search(spaced):
            return True
        if event.action == "redirect" and (_PATH.search(spaced) or _leads_to(text, starts)):
            return True
    return event.action == "redirect" and any(leaf.kind == "serial" and leaf.data == "query" for leaf in held)


def _texts(held: Iterable[Term]) -> Iterator[str]:
    """All literal texts, the keys of mappings, and the names of texts that lie in a table of the application's own."""
    for leaf in held:
        if leaf.kind == "mapping":
            yield from (key for key in leaf.data if key is not None)
        if leaf.kind == "load" and leaf.args[0].kind == "external" and (name := text_of(leaf.args[1])) is not None:
            yield name
        text = text_of(leaf)
        if text is not None:
            yield text


def _starts(application: Application) -> Iterator[str]:
    """The paths and the names of handlers that begin an authorization."""
    for event in application.actions.get("authorize", ()):
        if event.entry.kind == "route":
            yield event.entry.name.rpartition(".")[2]
            if event.entry.route:
                yield event.entry.route


def _leads_to(text: str, starts: frozenset[str]) -> bool:
    """Whether the target of a redirect is a start of an authorization: its path, or the name of its handler."""
    path = text.split("?")[0].rstrip("/")
    return path.rpartition(".")[2] in starts or any(
        start.startswith("/") and len(start) > 1 and path.endswith(start.rstrip("/")) for start in starts
    )


# -------------------------------------------------------------------------------------------------- 403


def _forbidden(application: Application, call: Event) -> Judged:
    """Whether a 403 is answered in own words, and in others than any other failure."""
    entry = list(_after(application, call))
    told = [event for event in entry if _answers(event) and _tells(event, call, 403)]
    sites = {event.site for event in told if not statuses.possible(event, call, 200)}  # the same words for another call
    usual = {
        text
        for event in entry
        if event.site not in sites and statuses.possible(event, call, 200)
        for text in _texts(_held(event, call, 200))
    }
    verdicts = [_answered(event, call, usual) for event in told]
    best = min(verdicts, key=lambda one: _rank(one.said), default=None)
    if best is not None:
        return best
    return _goes_on(application, call)


def _answers(event: Event) -> bool:
    """Whether an event says something to somebody: an answer, or of a library's functions an error of its own."""
    return event.action in _ANSWERS or (
        event.action == "raise" and event.entry.kind == "unit" and not event.entry.called
    )


def _answered(event: Event, call: Event, usual: set[str]) -> Judged:
    """What one answer to a 403 is worth."""
    held = _held(event, call, 403)
    own = {text for text in _texts(held) if text not in usual and _is_words(text)}
    whole = call.details["call"]
    bodies = [
        leaf
        for leaf in held
        if statuses.body_of(leaf, {whole}) is not None or (leaf.kind == "error" and whole in leaf.args)
    ]
    if bodies and event.action != "redirect":
        members = {leaf.args[0] for leaf in held if leaf.kind == "load"}
        if own and all(body in members for body in bodies):
            return Judged(
                "review", call, (event,), "a 403 is answered with words of the provider within the application's own"
            )
        return Judged("fail", call, (event,), "a 403 is passed on as the provider sent it")
    if not own and event.action != "redirect":
        numbers = [
            value_of(leaf) for leaf in held if leaf.kind == "literal" and not isinstance(value_of(leaf), (str, bool))
        ]
        broken = any(isinstance(number, int) and number >= 500 for number in numbers) or "ServerError" in event.name
        if whole in held or broken:
            return Judged(
                "fail", call, (event,), "a 403 is answered with a bare status, without a word of the application's own"
            )
        return Judged("review", call, (event,), "a 403 looks like a success that has nothing to show")
    if statuses.possible(event, call, 500) and _held(event, call, 500) == held:
        return Judged("review", call, (event,), "a 403 is answered like any other failure")
    return Judged("pass", call, (event,))


def _is_words(text: str) -> bool:
    """Whether a text says something to a person or names a page: no media type, header or number."""
    return bool(_WORD.search(text)) and _MEDIA.fullmatch(text) is None


def _goes_on(application: Application, call: Event) -> Judged:
    """Nothing is told: does the entry at least look at the status, and go on without the feature?"""
    own = call.details["call"]
    later = [event for event in application.in_entry.get(call.entry, ()) if event.order > call.order]
    noticed = [
        event
        for event in later
        if event.action in _TRACES and event.action != "raise" and not _is_local(event) and _tells(event, call, 403)
    ]
    kept = [event for event in noticed if event.action == "store"]
    if kept:
        return Judged("review", call, (kept[0],), "a 403 is recorded, and what is made of it could not be seen")
    if call.entry.kind != "route":
        if noticed:
            return Judged("review", call, (noticed[0],), "a 403 is noticed, and what is made of it could not be seen")
        return Judged("fail", call, ())
    answers = [event for event in later if event.action in _ANSWERS and statuses.possible(event, call, 403)]
    spared = [
        event for event in later if statuses.possible(event, call, 200) and not statuses.possible(event, call, 403)
    ]
    if answers and (noticed or spared):
        return Judged(
            "review", call, (answers[0],), "on a 403 the entry goes on without the feature, and without a word of it"
        )
    if answers and not any(own in _held(event, call, 403) for event in answers):
        return Judged(
            "review", call, (answers[0],), "the entry goes on without the answer of the call, whatever it was"
        )
    return Judged("fail", call, ())


def _is_local(event: Event) -> bool:
    """Whether a store is to a list that the function itself makes."""
    holder = event.details.get("holder")
    return (
        event.action == "store"
        and holder is not None
        and holder.kind not in ("root", "load", "call", "class", "external", "object")
    )


# ---------------------------------------------------------------------------------------------- reporting


def _report(
    question: HandledQuestion, rule: str, items: tuple[str, ...], application: Application, group: list[Judged]
) -> Observation:
    group = sorted(group, key=lambda one: (one.call.place.line, one.call.order))
    first = group[0]
    event, said = first.call, first.said
    others = tuple(dict.fromkeys(at(one.call.place, "a call to the provider") for one in group))[:10]
    line = event.place.line
    if said == "fail":
        if question.status == 401:
            message = (
                f"the call to the provider at line {line} does not clear the tokens and ask to connect again on a 401"
            )
        else:
            message = (
                f"{first.why} (call at line {line})"
                if first.why
                else f"a 403 of the provider at line {line} is not told from an answer"
            )
        units = {one.call.unit: Member(unit_place(application, one.call), one.call.unit) for one in group}
        found = observation(
            rule, items, "fail", unit_place(application, event), message, related=others, unit=event.unit
        )
        return msgspec.structs.replace(found, members=tuple(units.values()))
    seen = ", ".join(f"{one.action} at {one.place.path}:{one.place.line}" for one in first.seen)
    if said == "review":
        message = f"{first.why} ({seen})" if seen else first.why
        return observation(rule, items, "review", event.place, message, related=others, unit=event.unit)
    message = (
        "on a 401 the tokens are cleared and the user is asked to connect again"
        if question.status == 401
        else "a 403 is answered in the application's own words"
    )
    place = first.seen[0].place if first.seen else event.place
    related: tuple[Place, ...] = tuple(at(one.place, one.action) for one in first.seen[1:]) + others
    return observation(rule, items, "pass", place, message, related=related, unit=event.unit)


def unit_place(application: Application, event: Event) -> Place:
    """The line where the function begins that makes a call."""
    if event.entry.path == event.place.path and event.entry.name == event.unit:
        return Place(event.entry.path, event.entry.line, event.entry.line)
    line = application.heads.get((event.place.path, event.unit), event.place.line)
    return Place(event.place.path, line, line)


__all__ = ["answer"]
