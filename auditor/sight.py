"""What is seen at one line of an application: actions, values, guards, the function around it, what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor import program as ir
from auditor.analysis import phrase
from auditor.analysis.attack import is_input
from auditor.catalogue import Rule
from auditor.checks.application import Application
from auditor.checks.connections import whom
from auditor.checks.guarded import from_request
from auditor.checks.origin import Origin, origin
from auditor.checks.provenance import Provenance
from auditor.explanation import Action, Decision, Guard, Touch, UnitSeen
from auditor.facts import Entry, Event
from auditor.model import Finding, Observation, Place
from auditor.terms import Term, contains, leaves, text_of

_STATES: dict[Origin, str] = {
    "fresh": "random, made anew for each request", "weak": "made by a generator that can be guessed",
    "startup": "random, but made once at start-up", "constant": "always the same", "request": "taken from the request",
    "missing": "not there", "unknown": "whence it comes could not be followed",
}  # fmt: skip
_ORIGINS = {
    "literal": "written in the code", "environment": "from the environment", "manager": "from a secret manager",
    "settings": "from settings", "caller": "handed over by the caller", "unknown": "whence it comes could not be followed",
}  # fmt: skip
_ROLES = {
    "authorize": "start of authorization", "exchange": "callback", "refresh": "refresh", "revoke": "disconnect",
    "provider-call": "provider call", "render": "user interface",
}  # fmt: skip
_SILENT = frozenset({"call", "arguments", "url"})
"""Details that other details say better."""
_INVOLVED = frozenset({"authorize", "exchange", "refresh", "revoke", "provider-call", "secret-use", "lost"})
"""Actions of the flow; of the others only those that carry a secret are shown with the function around a line."""
_ASSIGNS = frozenset({"not", "exists", "present"})


class Sight:
    """Looks at lines of one file of an application."""

    def __init__(self, application: Application, path: str) -> None:
        self._application = application
        self._facts = application.facts
        self._path = path
        self._provenance = Provenance(self._facts)
        sent = application.attack.sent
        self._stored = {
            (one.holder, one.key) for one in self._facts.writes if any(leaf in sent for leaf in leaves(one.value))
        }
        self._events = [event for event in self._facts.events if event.place.path == path]

    def actions(self, line: int) -> tuple[Action, ...]:
        """The actions whose code covers the line."""
        return self._shown(event for event in self._events if self._is_at(event, line))

    def nearby(self, unit: UnitSeen, line: int) -> tuple[Action, ...]:
        """The other actions of the flow in the same function, or in the body of the file."""
        return self._shown(
            event
            for event in self._events
            if event.unit == unit.name and not self._is_at(event, line) and self._is_involved(event)
        )

    def unit(self, line: int) -> UnitSeen:
        """The innermost function around the line, with its roles and from where it is reached."""
        name, begin, end = self._around(line)
        own = [event for event in self._events if event.unit == name]
        entered = [one for one in self._facts.entries if (one.path, one.name, one.line) == (self._path, name, begin)]
        through = [event for event in self._facts.events if event.entry in entered] if name else []
        roles = dict.fromkeys(role for event in (*own, *through) for role in self._roles(event))
        entries = (*entered, *(event.entry for event in own)) if name else ()
        return UnitSeen(name, begin, end, tuple(roles), _entries(entries))

    def asked(self, line: int) -> tuple[Guard, ...]:
        """The comparisons that are made on the line, and the random values that are made there."""
        asked = [
            Guard(phrase.condition(term), line, self._compared(term))
            for term, places in self._facts.where.items()
            if any(place.path == self._path and covers(place, line) for place in places)
        ]
        made = [
            Guard(
                phrase.value(term),
                line,
                {"fresh": "fresh-random", "weak": "weak-random"}.get(self._facts.kinds[term], ""),
            )
            for term, place in self._facts.made.items()
            if place.path == self._path and covers(place, line) and term in self._facts.kinds
        ]
        return tuple(dict.fromkeys((*asked, *made)))

    def unfollowed(self, line: int) -> tuple[str, ...]:
        """What is not known of the line: calls that begin there and no model describes, values that were not followed."""
        out: dict[str, None] = {}
        program = self._application.programs[self._path]
        for call, sends in self._facts.outside.items():
            site = call.data[2] if call.kind == "call" else None
            if site is None or site.path != self._path or sends:
                continue
            if program.spans[site.at][0] == line:
                named = phrase.value(call) if call.data[0] else "a call of something that could not be told"
                out[f"{named}: no model says what it does"] = None
        for event in self._events:
            if self._is_at(event, line):
                for key, given in event.details.items():
                    lost = next((leaf for leaf in leaves(given) if leaf.kind == "unknown"), None)
                    if lost is not None and key not in _SILENT:
                        out[f"{key} of {event.action}: {phrase.value(lost)}"] = None
                if event.action == "lost":
                    out[f"a call that is within itself ({event.name}) is not followed"] = None
        out.update((f"line {at}: {message}", None) for at, message in program.problems)
        out.update((one.message, None) for one in self._facts.problems if one.path == self._path)
        return tuple(out)

    # ------------------------------------------------------------------------------------------ in words

    def _shown(self, events: Iterable[Event]) -> tuple[Action, ...]:
        """One action for all events of a site: it is the same code, reached from several entries."""
        groups: dict[tuple[str, int, str], list[Event]] = {}
        for event in events:
            groups.setdefault((event.action, event.site[1], event.name), []).append(event)
        shown = [self._action(group) for group in groups.values()]
        return tuple(sorted(dict.fromkeys(shown), key=lambda one: one.line))

    def _action(self, events: list[Event]) -> Action:
        first = events[0]
        values = dict.fromkeys(
            (key, said)
            for event in events
            for key, given in event.details.items()
            if key not in _SILENT and (said := self._value(key, given, event))
        )
        providers = dict.fromkeys(whom(event, self._application.directory) for event in events)
        named = tuple(("provider", one) for one in providers if one)
        everywhere = frozenset.intersection(*(event.conditions for event in events))
        ordered = sorted(everywhere, key=lambda one: (not contains(one, is_input), one.n))
        guards = dict.fromkeys(guard for one in ordered if (guard := self._guard(one, first.place.line)).text)
        return Action(
            first.action,
            first.place.line,
            first.name,
            (*named, *values),
            _entries(one.entry for one in events),
            tuple(guards),
        )

    def _value(self, key: str, given: Term, event: Event) -> str:
        """What is known of one of the values of an action."""
        if key == "state":
            return f"{_STATES[origin(self._application, given)]}: {phrase.value(given)}"
        if key == "secret":
            origins = dict.fromkeys(_ORIGINS[one.origin] for one in self._provenance.of(given))
            return f"client-secret, {' or '.join(origins)}: {phrase.value(given)}"
        if key == "holder":
            medium = self._facts.media.get(given)
            return f"{phrase.value(given)}{f' ({medium})' if medium else ''}"
        if key == "code" and event.action == "exchange" and from_request(event):
            return f"authorization-code, received: {phrase.value(given)}"
        if key == "key" and (name := text_of(given)) is not None:
            return phrase.key(name)
        kinds = self._kinds(given)
        return f"{', '.join(kinds)}: {phrase.value(given)}" if kinds else phrase.value(given)

    def _kinds(self, given: Term) -> list[str]:
        """The secrets of the flow that a value holds, and whether it is the state that is sent."""
        held = sorted(self._application.tokens.held(given), key=lambda one: (one.kind, one.clear))
        kinds = [f"{one.kind} {'in the clear' if one.clear else 'encrypted'}" for one in held]
        if any(leaf in self._application.attack.sent for leaf in leaves(given)):
            kinds.append("sent-state")
        return list(dict.fromkeys(kinds))

    def _guard(self, condition: Term, before: int) -> Guard:
        """The condition, with the line of this file on which it was last asked before another one."""
        inner = condition
        while inner.kind in _ASSIGNS and inner not in self._facts.where:
            inner = inner.args[0]
        lines = [one.line for one in self._facts.where.get(inner, ()) if one.path == self._path]
        line = max((one for one in lines if one <= before), default=min(lines, default=0))
        return Guard(phrase.condition(condition), line, self._compared(condition))

    def _compared(self, condition: Term) -> str:
        """Whether the condition compares what was received with the state that was stored."""
        found = list(leaves(condition))
        stored = any(one.kind == "load" and tuple(one.args) in self._stored for one in found)
        if stored and any(is_input(one) for one in found):
            return "received-state and stored-state"
        return "stored-state" if stored else ""

    # ------------------------------------------------------------------------------------------- around it

    def _around(self, line: int) -> tuple[str, int, int]:
        """(qualified name, first line, last line) of the innermost function that covers the line."""
        program = self._application.programs[self._path]
        names = {head: name for (path, name), head in self._facts.heads.items() if path == self._path}
        best = ("", 1, max(1, program.text_lines))
        for node in ir.nodes(program):
            if isinstance(node, ir.Unit):
                begin, _, end, _ = program.spans[node.at]
                head = program.spans[node.head or node.at][0]
                if begin <= line <= end and begin >= best[1] and end <= best[2]:
                    best = (names.get(head, node.name), begin, end)
        return best

    def _roles(self, event: Event) -> Iterable[str]:
        """What an event makes of the function that performs it."""
        role = _ROLES.get(event.action, "")
        if event.action in ("store", "clear", "render"):
            value = event.details.get("value", event.details.get("context"))
            kinds = self._kinds(value) if value is not None else []
            if event.action == "store" and kinds:
                role = f"store of {', '.join(kinds)}"
            elif event.action == "clear":
                role = "clears what is stored"
        if role:
            at = f"line {event.place.line}" if event.place.path == self._path else _where(event.place)
            yield f"{role} ({at})"

    def _is_at(self, event: Event, line: int) -> bool:
        """Whether an event is on the line. What a whole function gives back has no line but its first."""
        if event.name == "return" and event.place.end_line > event.place.line:
            return False
        return covers(event.place, line)

    def _is_involved(self, event: Event) -> bool:
        if event.action in _INVOLVED:
            return True
        return any(self._kinds(given) for key, given in event.details.items() if key not in _SILENT)


def decisions(
    observations: Iterable[Observation], findings: Iterable[Finding], rules: Mapping[str, Rule], path: str, line: int,
    unit: UnitSeen | None,
) -> tuple[Decision, ...]:  # fmt: skip
    """What rules decided that touches the line: what lies there first, then what names it, then what is about the function."""
    hidden = {(one.rule, one.path, one.line): one.suppressed for one in findings if one.suppressed is not None}
    out: dict[Decision, None] = {}
    for one in observations:
        touch, role = _touch(one, path, line, unit)
        if touch is None or one.place is None:
            continue
        reason = hidden.get((one.rule, one.place.path, one.place.line)) if one.status == "fail" else None
        note = f"suppressed by {reason.by}: {reason.reason}" if reason is not None else ""
        decided = rules[one.rule].decided if touch != "unit" and one.status != "not-applicable" else ""
        place = one.place
        out[
            Decision(one.status, one.items, one.rule, place.path, place.line, one.message, touch, role, decided, note)
        ] = None
    order: tuple[Touch, ...] = ("here", "related", "unit")
    statuses = ("fail", "review", "pass", "not-applicable")
    return tuple(sorted(out, key=lambda one: (order.index(one.touch), statuses.index(one.status), one.rule, one.line)))


def _touch(one: Observation, path: str, line: int, unit: UnitSeen | None) -> tuple[Touch | None, str]:
    place = one.place
    if place is None:
        return None, ""
    if place.path == path and covers(place, line):
        return "here", ""
    for other in one.related:
        if other.path == path and covers(other, line):
            return "related", other.message
    if unit is not None and unit.name and place.path == path and unit.line <= place.line <= unit.end_line:
        return "unit", ""
    return None, ""


def covers(place: Place, line: int) -> bool:
    """Whether a place holds the line."""
    return place.line <= line <= max(place.line, place.end_line)


def _where(place: Place) -> str:
    return f"{place.path}:{place.line}"


def _entries(entries: Iterable[Entry]) -> tuple[str, ...]:
    """From where control comes in, each once."""
    return tuple(dict.fromkeys(_entry(one) for one in entries))


def _entry(entry: Entry) -> str:
    if entry.kind == "module":
        return f"{entry.path}, when it is loaded"
    place = f"{entry.path}:{entry.line}"
    if entry.kind == "route":
        name = " ".join(part for part in (entry.method.upper(), entry.route) if part) or entry.name
        return f"route {name} ({place})"
    name = "without a name" if entry.name.rpartition(".")[2].startswith("<") else entry.name
    known = "whose callers could not be followed" if entry.called else "which nothing in sight calls"
    return f"function {name} ({place}), {known}"
