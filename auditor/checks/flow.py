"""Does a secret of the flow reach a place where it must not be? (N03 logs, N04 answers and pages, N05 web storage)"""

from __future__ import annotations

from auditor.checks.application import Application, at, observation
from auditor.checks.tokens import Kind
from auditor.facts import Event
from auditor.model import Observation
from auditor.questions import FlowQuestion
from auditor.terms import Term, contains

_NAMES: dict[Kind, str] = {
    "access-token": "an access token", "refresh-token": "a refresh token", "token-response": "the whole token response",
    "client-secret": "the client secret",
}  # fmt: skip
_SINKS = {
    "log": ("is written to a log", ("log",)),
    "response": ("leaves the server in an answer or a page", ("respond", "render")),
    "web-storage": ("is put into a store of the browser or phone that any script of the page can read", ("store",)),
}


def answer(question: FlowQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each sink that a clear secret reaches; a proof where there are sinks and none does."""
    phrase, actions = _SINKS[question.to]
    sinks = [event for action in actions for event in application.of(action) if _is_sink(question, application, event)]
    out: list[Observation] = []
    for event in sinks:
        value = event.details.get("value")
        if value is None:
            continue
        kinds = application.tokens.clear(value, question.kinds)
        if kinds and not _absent(application, event):
            what = " and ".join(_NAMES[kind] for kind in sorted(kinds))
            out.append(observation(rule, items, "fail", event.place, f"{what} {phrase}", unit=event.unit))
    if out:
        return out
    return _clean(question, rule, items, application, sinks)


def _absent(application: Application, event: Event) -> bool:
    """Whether the sink is reached only where the token is not there: `if (!body.access_token) log(body)`."""
    for condition in event.conditions:
        if condition.kind == "not":
            tested = condition.args[0]
            tested = tested.args[0] if tested.kind in ("exists", "present") else tested
            if any(held.kind != "token-response" for held in application.tokens.held(tested)):
                return True
    return False


def _is_sink(question: FlowQuestion, application: Application, event: Event) -> bool:
    if question.to != "web-storage":
        return True
    return application.facts.media.get(event.details["holder"]) == "web-storage"


def _clean(
    question: FlowQuestion, rule: str, items: tuple[str, ...], application: Application, sinks: list[Event]
) -> list[Observation]:
    """Nothing reached a sink: a pass where there is such a part and it was followed, else it does not apply."""
    if question.to == "web-storage":
        return _clean_front_end(rule, items, application, sinks)
    if not application.connects:
        return []
    if not any(application.actions.get(action) for action in ("exchange", "refresh", "provider-call")):
        return []
    if question.to == "log" and not sinks:
        return [observation(rule, items, "not-applicable", None, "nothing is logged")]
    lost = [event for event in sinks if _unclear(event.details.get("value"))]
    if lost:
        message = "what reaches this place could not be followed to its end"
        return [observation(rule, items, "review", lost[0].place, message, unit=lost[0].unit)]
    place = sinks[0].place if sinks else None
    message = "no token was seen to go here, but not every way that a value can take is followed"
    return [observation(rule, items, "review", place, message)]


def _unclear(value: Term | None) -> bool:
    """Whether a value may hold more than was followed: a spread, a whole object of unknown making."""
    return value is not None and contains(value, lambda leaf: leaf.kind == "unknown" and leaf.data in ("spread", "many values"))


def _clean_front_end(
    rule: str, items: tuple[str, ...], application: Application, sinks: list[Event]
) -> list[Observation]:
    if not application.connects:
        return []
    if not application.front_end:
        return [observation(rule, items, "not-applicable", None, "no script runs in a browser or on a phone")]
    for event in sinks:
        if contains(event.details["value"], lambda leaf: leaf.kind in ("unknown", "parameter")):
            message = "what is kept here in a store of the browser could not be followed"
            return [observation(rule, items, "review", event.place, message, unit=event.unit)]
    place = sinks[0].place if sinks else application.front_end[0]
    message = "no token is kept in a store of the browser or phone"
    return [observation(rule, items, "pass", at(place, ""), message)]
