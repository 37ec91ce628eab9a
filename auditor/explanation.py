"""The nouns of `explain PATH:LINE`: what the auditor saw at one line, in words for people.

No text here holds a literal of the audited program: a secret may be one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from auditor.model import Status

Touch: TypeAlias = Literal["here", "related", "unit"]
"""How a decision touches a line: it lies there, it names it as another place, it is about the enclosing function."""


class Guard(NamedTuple):
    """A condition that holds whenever the line is reached. `line`: where it is asked, 0 where that is not known."""

    text: str
    line: int = 0
    note: str = ""


class Action(NamedTuple):
    """One action of the flow, or of what belongs to it, with the values that decide it.

    `values`: (what it is, in words). `entries`: from which routes and functions it is reached, and `guards` hold in all.
    """

    name: str
    line: int
    call: str
    values: tuple[tuple[str, str], ...]
    entries: tuple[str, ...]
    guards: tuple[Guard, ...]


class Decision(NamedTuple):
    """What a rule decided, and how that touches the line. `note`: what people decided about it."""

    status: Status
    items: tuple[str, ...]
    rule: str
    path: str
    line: int
    message: str
    touch: Touch
    role: str = ""
    decided: str = ""
    note: str = ""


class UnitSeen(NamedTuple):
    """The function around the line, "" for the body of the file; `roles` in the flow, each with its place."""

    name: str
    line: int
    end_line: int
    roles: tuple[str, ...] = ()
    entries: tuple[str, ...] = ()


class Explanation(NamedTuple):
    """All that was seen at a line. `reading`: whether and why the file was read, in sentences.

    `asked`: what is compared on the line, and random values that are made there. `nearby`: the same function's actions.
    """

    path: str
    line: int
    application: str
    language: str
    reading: tuple[str, ...]
    unit: UnitSeen | None = None
    asked: tuple[Guard, ...] = ()
    actions: tuple[Action, ...] = ()
    nearby: tuple[Action, ...] = ()
    unfollowed: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()
