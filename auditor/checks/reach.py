"""Does a token that the provider gives ever leave for a call? Only what is proved here is not applicable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor import program as ir
from auditor.checks.application import Application
from auditor.checks.grants import Grants
from auditor.facts import Event
from auditor.terms import Term, leaves, text_of

_WRITING = frozenset(
    {"url_for", "url", "static", "csrf_token", "get_flashed_messages", "range", "gettext", "_", "length"}
)
_LOOKING_UP = frozenset({"get", "items", "keys", "values", "strip", "format", "strftime"})
_UNSURE = frozenset({"incomplete", "too-deep", "crashed"})
_OF_THE_TOKEN = ("oauth", "/token", "introspect", "revoke", "tokeninfo")  # addresses that are about the token itself


def unused(application: Application, grants: Grants) -> Event | None:
    """The exchange whose token is provably used for nothing: neither it nor a slot that holds it goes into a call.

    None where there is no exchange, where the analysis lost something, or where a call that is not known takes it.
    """
    facts = application.facts
    exchanges = application.actions.get("exchange", ())
    if application.actions.get("lost") or any(problem.kind in _UNSURE for problem in facts.problems):
        return None
    if not exchanges or any(event.entry.kind != "route" for event in exchanges):
        return None  # a handler is seen to its end; what a function gives to its caller is not
    if any(slot.holder.kind != "root" for slot in grants.slots):
        return None  # who else reads a table, a file or an object may not be seen
    flow = {
        event.details.get("call")
        for action in ("exchange", "refresh", "revoke")
        for event in application.actions.get(action, ())
    }
    holds = _Holds(grants, facts.tokens, facts.outside)
    for call, sends in facts.outside.items():
        if call in flow or (sends and _about_the_token(call)):
            continue
        if any(holds(argument) for argument in _arguments(call, sends)):
            return None
    shown = (*application.actions.get("respond", ()), *application.actions.get("render", ()))
    if any(
        not _seen(application, event) and holds(event.details["value"]) for event in shown if "value" in event.details
    ):
        return None  # whoever gets it may use it
    return exchanges[0]


def _writes(callee: ir.Expression) -> bool:
    """Whether a call in a page is a template's own function or a look-up, which only writes text into the page."""
    if type(callee) is ir.Member:
        return callee.name in _LOOKING_UP
    return type(callee) is ir.Name and callee.id in _WRITING


def _seen(application: Application, event: Event) -> bool:
    """Whether what is shown ends in a page that was read and calls nothing."""
    paths = [
        path
        for path, program in application.programs.items()
        if program.language not in ("python", "javascript", "typescript")
        and not any(type(node) is ir.Call and not _writes(node.callee) for node in ir.nodes(program))
    ]
    names = [text_of(leaf) for leaf in leaves(event.details["value"])]
    return event.place.path in paths or any(
        path.endswith(f"/{name}") for path in paths for name in names if name and "." in name
    )


def _arguments(call: Term, sends: bool) -> Iterator[Term]:
    """What is handed over; the receiver counts where it sends, for a client carries the token that it was made with."""
    receiver = bool(call.data[3])
    yield from call.args if sends or not receiver else call.args[:-1]


def _about_the_token(call: Term) -> bool:
    """Whether a request goes to an address that manages tokens: it looks one up, renews or ends it."""
    texts = (text_of(leaf) for argument in call.args for leaf in leaves(argument))
    return any(
        text.startswith(("https://", "http://")) and any(word in text for word in _OF_THE_TOKEN)
        for text in texts
        if text
    )


class _Holds:
    """Whether a value holds a token, or anything that was made of one; each term is looked at once."""

    def __init__(self, grants: Grants, given: frozenset[Term], sends: Mapping[Term, bool]) -> None:
        self._grants = grants
        self._sends = sends  # what a request is answered does not hold what it was asked with
        self._known: dict[Term, bool] = dict.fromkeys((*grants.results, *given), True)

    def __call__(self, value: Term) -> bool:
        stack = [value]
        while stack:
            one = stack[-1]
            if one in self._known:
                stack.pop()
                continue
            waiting = [part for part in one.args if part not in self._known and part is not one]
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            self._known[one] = (one.kind == "load" and self._grants.reads(one)) or (
                not self._sends.get(one, False) and any(self._known[part] for part in one.args)
            )
        return self._known[value]
