"""What the walk found out: entries, and the actions that each performs, with the conditions they happen under."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, TypeAlias

from auditor.model import Place, Problem
from auditor.terms import Term, Terms

Action: TypeAlias = Literal[
    "authorize", "exchange", "refresh", "revoke", "provider-call", "store", "clear", "log", "respond", "render",
    "redirect", "flash", "raise", "set-cookie", "web-storage", "secret-use", "lost", "unsent", "set",
    "persist",
]  # fmt: skip

EntryKind: TypeAlias = Literal["route", "module", "unit"]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """Where control comes in: a registered handler, a module that is run, a unit that nobody calls.

    `line` is the 1-based line of the handler's `def`; `name` its qualified name, "" for a module.
    `method`: the verb that a route answers to, where it is known: get, post, …; `route`: its path.
    `called`: something in the program names it, so a walk without its caller proves little.
    `wraps`: (path, qualified name) of the functions around which it was made: `catchAsync(handler)`.
    """

    number: int
    kind: EntryKind
    path: str
    name: str
    line: int
    end_line: int
    language: str
    called: bool = False
    method: str = ""
    route: str = ""
    wraps: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One action of one entry. `conditions` all hold when it happens; `details` are the values that decide.

    `order` counts the events of the whole walk. `place` is where it stands, `unit` what it stands in, `site` a key of
    the place that is the same in every entry. `exceptional`: it happens while an exception is handled.
    """

    action: Action
    entry: Entry
    place: Place
    unit: str
    site: tuple[str, int]
    conditions: frozenset[Term]
    details: Mapping[str, Term]
    order: int
    name: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Write:
    """A value written to a slot that outlives a request, under conditions. `startup`: while a module loads."""

    holder: Term
    key: Term
    value: Term
    place: Place
    startup: bool
    conditions: frozenset[Term] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """All facts of an application."""

    entries: tuple[Entry, ...]
    events: tuple[Event, ...]
    writes: tuple[Write, ...]
    problems: tuple[Problem, ...]
    kinds: Mapping[Term, str]
    """What a call's result is: fresh, weak, now, secret, environment."""
    media: Mapping[Term, str]
    """Of what kind a store is: session, cookie, database, memory, …"""
    terms: Terms
    where: Mapping[Term, tuple[Place, ...]]
    """Where each comparison is made, in the order of the walk."""
    made: Mapping[Term, Place]
    """Where a fresh or weak value is made."""
    answered: Mapping[Term, Place]
    """What a handler gives back as its answer -> where it does."""
    outside: Mapping[Term, bool]
    """Calls that leave what is known: of something that no model knows (False), or that send a request (True)."""
    tokens: frozenset[Term]
    """Values that a library hands over as tokens: parameters of a callback, members of its result."""
    readers: Mapping[tuple[int, Term], tuple[str, str]]
    """(entry, value of the request) -> (path, qualified name) of the unit that reads it first."""
    reached: Mapping[tuple[str, str], frozenset[tuple[str, str]]]
    """(path, qualified name) of a unit -> the entries that enter it, called in the same way, itself among them."""
    heads: Mapping[tuple[str, str], int]
    """(path, qualified name) of a unit -> the 1-based line where it begins."""
