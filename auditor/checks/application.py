"""What checks look at: the facts of one application, with the evidence that it is one."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping

from auditor.analysis.attack import Attack
from auditor.analysis.secrets import flat, is_secret_name, is_token_name
from auditor.catalogue import Provider
from auditor.checks import named
from auditor.checks.connections import Directory
from auditor.checks.sides import is_open
from auditor.checks.tokens import Tokens
from auditor.discover.committed import Committed
from auditor.facts import Entry, Event, Facts
from auditor.model import Connection, Observation, Place, Problem, Side, SideSeen
from auditor.program import Program
from auditor.terms import Term, contains, leaves, text_of


@dataclasses.dataclass(frozen=True)
class Application:
    """The loaded programs and their facts. `hints` are places that show an OAuth client, whatever was recognised.

    `front_end`: where a script runs in a browser or on a phone. `problems` are files that were not read although they
    may hold evidence.
    """

    facts: Facts
    programs: Mapping[str, Program]
    hints: tuple[Place, ...] = ()
    front_end: tuple[Place, ...] = ()
    problems: tuple[Problem, ...] = ()
    repository: Committed | None = None
    directory: Directory = dataclasses.field(default_factory=Directory)
    sides: tuple[SideSeen, ...] = ()
    connections: tuple[Connection, ...] = ()

    @functools.cached_property
    def screens(self) -> tuple[Place, ...]:
        """Where a script runs before the eyes of a user: programs that show it, then pages and files that seem to."""
        scripts = (one for one in self.sides if self.programs[one.path].language in ("javascript", "typescript"))
        shown = (one for one in scripts if is_open(one.side))
        lines = tuple(Place(one.path, max(1, one.line), max(1, one.line), one.reason) for one in shown)
        return (*lines, *self.front_end)

    def side(self, path: str, line: int) -> Side:
        """On which side a line of a program runs: that of its function, where a framework takes it elsewhere."""
        seen = [
            one for one in self.sides if one.path == path and (not one.end_line or one.line <= line <= one.end_line)
        ]
        return seen[-1].side if seen else "unknown"

    @functools.cached_property
    def owners(self) -> frozenset[str]:
        """The names of the known providers that it connects to, as they stand in names of variables."""
        found = {one.name for one in self.connections}
        return frozenset(flat(one.name) for one in self.directory.providers if (one.title or one.name) in found)

    @functools.cached_property
    def uses(self) -> named.Uses:
        """The values that are given a name in the code."""
        return named.uses(self.programs)

    def names_secret(self, name: str, holder: str = "") -> bool:
        """Whether a name, with that of what holds it, is one of a client secret."""
        return is_secret_name(name, holder, self.owners)

    def names_token(self, name: str, holder: str = "") -> bool:
        """Whether a name is one of a token of the providers that it connects to."""
        return is_token_name(name, holder, self.owners)

    @functools.cached_property
    def connected(self) -> tuple[Provider, ...]:
        """The known providers that it connects to; all of them where none was recognised."""
        known = tuple(self.directory.providers)
        return tuple(one for one in known if flat(one.name) in self.owners) or known

    @functools.cached_property
    def attack(self) -> Attack:
        """The attack games over the facts."""
        return Attack(self.facts)

    @functools.cached_property
    def tokens(self) -> Tokens:
        """Which values hold the secrets of the flow."""
        return Tokens(self.facts, self.actions, self.programs)

    @functools.cached_property
    def heads(self) -> Mapping[tuple[str, str], int]:
        """(path, qualified name) of a unit -> the 1-based line where it begins."""
        return self.facts.heads

    @functools.cached_property
    def actions(self) -> Mapping[str, tuple[Event, ...]]:
        """Events by action, those of entries that have a caller last."""
        out: dict[str, list[Event]] = {}
        for event in self.facts.events:
            out.setdefault(event.action, []).append(event)
        return {action: tuple(events) for action, events in out.items()}

    @functools.cached_property
    def in_entry(self) -> Mapping[Entry, tuple[Event, ...]]:
        """Events by the entry that performs them, in the order of the walk."""
        out: dict[Entry, list[Event]] = {}
        for event in self.facts.events:
            out.setdefault(event.entry, []).append(event)
        return {entry: tuple(events) for entry, events in out.items()}

    def of(self, action: str) -> tuple[Event, ...]:
        """The events of an action, each site judged where its callers are known when any is.

        A walk without its caller tells nothing more where another entry took the same way with one. A helper that is
        reached by one known handler says nothing of a second handler that nobody is seen to call.
        """
        events = self.actions.get(action, ())
        known = {event.site for event in events if not guessed(event)}
        return tuple(
            event
            for event in events
            if not guessed(event) or event.site not in known or not self.is_reached(event.entry)
        )

    def is_reached(self, entry: Entry) -> bool:
        """Whether another entry enters this one: then its own walk is only a part of that one's."""
        own = entry.path, entry.name
        return any(other != own for other in self.facts.reached.get(own, ()))

    @functools.cached_property
    def connects(self) -> bool:
        """Whether the application shows any sign of an OAuth client."""
        return bool(self.hints) or any(self.actions.get(action) for action in ("authorize", "exchange", "refresh"))


def guessed(event: Event) -> bool:
    """Whether an event was seen only in a walk whose caller is not known although there may be one."""
    return event.entry.kind == "unit" and (event.entry.called or depends_on_caller(event))


def depends_on_caller(event: Event) -> bool:
    """Whether the values that decide are parameters that some unknown caller gives."""
    return any(
        contains(value, lambda leaf: leaf.kind == "parameter")
        for key, value in event.details.items()
        if key in ("code", "state", "token")
    )


def by_entry(events: Iterable[Event]) -> list[list[Event]]:
    """Events grouped by the entry that performs them, in the order of the walk."""
    groups: dict[int, list[Event]] = {}
    for event in events:
        groups.setdefault(event.entry.number, []).append(event)
    return list(groups.values())


def observation(
    rule: str, items: tuple[str, ...], status: str, place: Place | None, message: str, *,
    related: tuple[Place, ...] = (), unit: str = "", confidence: str = "high",
) -> Observation:  # fmt: skip
    """An observation; a thin wrapper that keeps the checks legible."""
    return Observation(items, rule, status, place, message, related, confidence, unit)  # type: ignore[arg-type]


def entry_place(event: Event, message: str = "") -> Place:
    """The line where the handler begins that performs an event."""
    return Place(event.entry.path, event.entry.line, event.entry.line, message)


def line_in(path: str, place: Place) -> str:
    """A place in the message of a finding in this file: "line 12", and with its path where it is another's."""
    return f"line {place.line}" if place.path == path else f"{place.path}:{place.line}"


def at(place: Place, message: str) -> Place:
    """The same place with other words."""
    return Place(place.path, place.line, place.end_line, message, place.column)


def says(term: Term, words: tuple[str, ...]) -> bool:
    """Whether a text within a value names one of the words."""
    return any(word in (text_of(leaf) or "").lower() for leaf in leaves(term) for word in words)
