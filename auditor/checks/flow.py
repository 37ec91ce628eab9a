"""Does a secret of the flow reach a place where it must not be? (N03 logs, N04 answers and pages, N05 web storage)"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from auditor.checks.application import Application, at, observation
from auditor.checks.sides import is_open
from auditor.checks.tokens import Kind
from auditor.facts import Event
from auditor.model import Observation, Place
from auditor.questions import FlowQuestion
from auditor.terms import Term, contains, reach, text_of, value_of, values

_NAMES: dict[Kind, str] = {
    "access-token": "an access token", "refresh-token": "a refresh token", "token-response": "the whole token response",
    "client-secret": "the client secret",
}  # fmt: skip
_SINKS = {
    "log": (("is", "are"), "written to a log", ("log",)),
    "response": (("leaves", "leave"), "the server in an answer or a page", ("respond", "render")),
    "web-storage": (
        ("is", "are"),
        "put into a store of the browser or phone that any script of the page can read",
        ("store",),
    ),
}
"""What happens there, of one secret or of several, and the actions that do it."""
_GRANT_WORDS = ("accesstoken", "refreshtoken")
_TOKENS: tuple[Kind, ...] = ("access-token", "refresh-token", "token-response")
_FAILURES = ("error", "errordescription", "errors")
_OK, _REFUSED = 200, 400
_TELLING = 4  # letters: a shorter name says nothing
_CASE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER_NAMES = re.compile(  # the last word of a name says what it is: `token_type` is no token
    r"(?:^|[\W_])(code|verifier|nonce|challenge|expir\w*|type|scopes?|email|url|uri|path|id|name|theme|time|date|count)$"
)
_OPEN_NAMES = (
    "token", "auth", "grant", "secret", "session", "bearer", "cred", "jwt", "user", "data", "state", "store", "login",
    "connection", "key",
)  # fmt: skip


def answer(question: FlowQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each sink that a clear secret reaches; a proof where there are sinks and none does."""
    verbs, phrase, actions = _SINKS[question.to]
    sinks = [event for action in actions for event in application.of(action) if _is_sink(question, application, event)]
    out: list[Observation] = []
    for event in sinks:
        for place, value in _given(application, event):
            kinds = application.tokens.clear(value, question.kinds)
            if question.to == "web-storage" and not kinds and _is_bearer(application, event):
                kinds = frozenset({"access-token"})
            if kinds and not _absent(application, event):
                verb = verbs[len(kinds) > 1]
                what = " and ".join(_NAMES[kind] for kind in sorted(kinds))
                out.append(observation(rule, items, "fail", place, f"{what} {verb} {phrase}", unit=event.unit))
    if out:
        return list({(one.place, one.message): one for one in out}.values())  # a sink is one, whoever reaches it
    return _clean(question, rule, items, application, sinks)


# ------------------------------------------------------------------------------------------------------- sinks


def _is_sink(question: FlowQuestion, application: Application, event: Event) -> bool:
    if question.to == "web-storage":
        return application.facts.media.get(event.details["holder"]) == "web-storage"
    return event.action != "render" or event.name != "" or _in_template(application, event)


def _is_bearer(application: Application, event: Event) -> bool:
    """Whether what a store keeps here is sent to the provider as a bearer token, wherever it came from."""
    slot = event.details["holder"], event.details["key"]
    return slot in application.tokens.bearers and event.details["value"].kind != "literal"


def _in_template(application: Application, event: Event) -> bool:
    """Whether markup is a template's: what a component shows in the browser does not leave the server by that."""
    program = application.programs.get(event.place.path)
    return program is not None and program.language == "html"


def _given(application: Application, event: Event) -> Iterator[tuple[Place, Term]]:
    """What a sink is given, with the place where it is handed over."""
    value = event.details.get("value")
    if value is None:
        return
    if event.action == "render" and not event.name:
        for one in _shown(value):
            if not contains(one, _is_handed):  # reported where the template is rendered
                yield event.place, one
    elif event.name == "return":
        for one in values(value):
            yield application.facts.answered.get(one, event.place), one
    elif event.action == "render":
        for one in _named(value):
            yield event.place, one
    else:
        yield event.place, value


def _named(value: Term) -> Iterator[Term]:
    """What a template is handed; the session is handed to every one: what is shown of it counts."""
    if value.kind in ("sequence", "mapping"):
        for one in value.args:
            yield from _named(one)
    elif value.kind != "root":
        yield value


def _shown(value: Term) -> Iterator[Term]:
    """What an element of a template shows by itself, without the elements in it."""
    if value.kind in ("alt", "unknown"):
        for one in values(value) if value.kind == "alt" else value.args:
            yield from _shown(one)
    elif value.kind != "element":
        yield value


def _is_handed(leaf: Term) -> bool:
    return leaf.kind == "root" and str(leaf.data[0]).startswith("TEMPLATE:")


def _absent(application: Application, event: Event) -> bool:
    """Whether the sink is reached only where the token is not there: `if (!body.access_token) log(body)`."""
    return any(_says_absent(application, condition) for condition in event.conditions)


def _says_absent(application: Application, condition: Term) -> bool:
    """Whether a condition says that an answer holds no token: it is a refusal, or of another shape, or lacks the key."""
    if condition.kind in ("or", "and"):
        says = [_says_absent(application, one) for one in condition.args]
        return all(says) if condition.kind == "or" else any(says)
    holds = application.tokens.held
    if condition.kind == "load":
        return _name(condition.args[1]) in _FAILURES and bool(holds(condition.args[0]))
    if condition.kind == "compare":
        return _is_refused(application, condition)
    if condition.kind != "not":
        return False
    tested = condition.args[0]
    if tested.kind == "compare" and tested.data[0] == "in":
        return _name(tested.args[0]) in _GRANT_WORDS and bool(holds(tested.args[1]))
    if tested.kind == "compare":
        return _status(application, tested, "==") == _OK
    if tested.kind == "op":
        return tested.data in ("type", "ok") and any(holds(part) for part in tested.args)
    tested = tested.args[0] if tested.kind in ("exists", "present") else tested
    if tested.kind == "load" and _name(tested.args[1]) in ("ok", "success") and holds(tested.args[0]):
        return True
    return bool(holds(tested))


def _is_refused(application: Application, comparison: Term) -> bool:
    """Whether a comparison says that the status of an answer is a refusal's."""
    equal = _status(application, comparison, "==")
    least = _status(application, comparison, ">=") or _status(application, comparison, ">")
    return (equal or 0) >= _REFUSED or (least or 0) >= _OK


def _status(application: Application, comparison: Term, operator: str) -> int | None:
    """The number that the status of a token endpoint's answer is compared with."""
    left, right = comparison.args
    if right.kind == "op":
        left, right = right, left
    asked = left.kind == "op" and left.data == "status" and application.tokens.held(left.args[0])
    number = value_of(right) if right.kind == "literal" else None
    return number if asked and comparison.data[0] == operator and isinstance(number, int) else None


def _name(key: Term) -> str:
    return (text_of(key) or "").replace("_", "").lower()


# ------------------------------------------------------------------------------------------------------- proofs


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
    return value is not None and contains(
        value, lambda leaf: leaf.kind == "unknown" and leaf.data in ("spread", "many values")
    )


def _clean_front_end(
    rule: str, items: tuple[str, ...], application: Application, sinks: list[Event]
) -> list[Observation]:
    """No token was seen in web storage: a pass where each store there is understood."""
    if not application.connects:
        return []
    if not application.screens:
        return [observation(rule, items, "not-applicable", None, "no script runs in a browser or on a phone")]
    for event in sinks:
        message = _doubt(application, event)
        if message:
            return [observation(rule, items, "review", event.place, message, unit=event.unit)]
    lost = _lost(application)
    if lost is not None:
        return [observation(rule, items, "review", *lost)]
    place = sinks[0].place if sinks else application.screens[0]
    message = "no token is kept in a store of the browser or phone"
    return [observation(rule, items, "pass", at(place, ""), message)]


def _lost(application: Application) -> tuple[Place, str] | None:
    """Where a token of the front end leaves what can be followed, and why a person must look there."""
    tokens = application.tokens
    for call, sends in application.facts.outside.items():
        path, at, _ = call.data[2]
        given = call.args[:-1] if call.data[3] else call.args
        line, _, end_line, _ = application.programs[path].spans[at]
        if not sends and _is_front(application, path, line) and any(tokens.clear(one, _TOKENS) for one in given):
            return Place(path, line, end_line), "a token is handed on here to something that could not be followed"
    for event in (*application.of("respond"), *application.of("render")):
        if event.name and _writes_script(application, event):
            return (
                event.place,
                "a page that is written as text holds a token: what its script does with it could not be seen",
            )
    kept = [event for event in application.of("set") if tokens.clear(event.details["value"], _TOKENS)]
    flow = [event for action in ("exchange", "refresh") for event in application.of(action)]
    persisted = application.of("persist")
    if persisted and (kept or any(_is_front(application, one.place.path, one.place.line) for one in flow)):
        message = "the state of the page is kept in a store of the browser: whether a token is in it could not be seen"
        return persisted[0].place, message
    return None


def _is_front(application: Application, path: str, line: int) -> bool:
    """Whether a line runs before the eyes of a user, or may: where nothing says, there is no server beside it."""
    if application.programs[path].language not in ("javascript", "typescript", "html"):
        return False
    side = application.side(path, line)
    if side == "unknown":
        pages = {place.path for place in application.screens}
        return path in pages or not any(one.side == "server" for one in application.sides)
    return is_open(side)


def _writes_script(application: Application, event: Event) -> bool:
    """Whether an answer is a text with a script in it that holds a token."""
    value = event.details.get("value")
    if value is None or not contains(value, lambda leaf: "<script" in (text_of(leaf) or "").lower()):
        return False
    return bool(application.tokens.clear(value, _TOKENS))


def _doubt(application: Application, event: Event) -> str:
    """Why a person must look at what is put into web storage, "" where nobody must."""
    slot = event.details["holder"], event.details["key"]
    if slot in application.tokens.doubtful:
        return "what is kept here is sent as a bearer token: whether to the provider could not be seen"
    for part in _parts(event.details["value"]):
        if part.kind in ("unknown", "parameter") and _may_be_token(event.details["key"], part):
            return "what is kept here in a store of the browser could not be followed"
        if part.kind == "call" and _made_of_token(application, part):
            return "what is kept here is made of a token in a way that could not be followed"
        if (
            part.kind == "load"
            and _comes_from_elsewhere(application, part)
            and _may_be_token(event.details["key"], part)
        ):
            return "what is kept here in a store of the browser could not be followed"
        if part.kind == "load" and part.args[0].kind == "root" and text_of(part.args[1]) == "code":
            return "the authorization code is kept in a store of the browser"
        if part.kind == "load" and _name(part.args[1]) in _GRANT_WORDS:
            return "what is kept here is called a token: whether it is the provider's could not be seen"
    return ""


def _made_of_token(application: Application, value: Term) -> bool:
    """Whether a call was given something that holds a token, however deep; what a request is answered is not made of it."""

    def given(one: Term) -> Sequence[Term]:
        made = one.kind in ("call", "text", "serial", "sequence", "mapping")
        return one.args if made and not application.facts.outside.get(one, False) else ()

    return any(application.tokens.held(one) for one in reach(value, given))


def _comes_from_elsewhere(application: Application, load: Term) -> bool:
    """Whether a member is read of what another window sent, or of what stands in the page."""
    base = load
    while base.kind == "load":
        base = base.args[0]
    return base.kind in ("parameter", "unknown") or (
        base.kind == "call" and application.facts.outside.get(base) is False
    )


def _may_be_token(key: Term, value: Term) -> bool:
    """Whether the name under which an unknown value is kept leaves open that it is a token: `theme` does not."""
    called = value.data[1] if value.kind == "parameter" else text_of(value.args[1]) if value.kind == "load" else ""
    if _OTHER_NAMES.search(_CASE.sub(" ", text_of(key) or "").lower()):
        return False
    names = f"{text_of(key) or ''} {called or ''}".lower()
    return len(text_of(key) or "") < _TELLING or any(word in names for word in _OPEN_NAMES)


def _parts(value: Term) -> Iterator[Term]:
    """The value and what it is made of; what a call was given, and what a member was taken from, is not in it."""
    yield value
    if value.kind not in ("call", "load"):
        for one in values(value) if value.kind == "alt" else value.args:
            yield from _parts(one)
    elif value.kind == "load" and value.args[0].kind in ("unknown", "parameter"):
        yield value.args[0]
