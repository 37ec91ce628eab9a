"""The nouns of a report: what a check observes, what the judge concludes, what a renderer shows.

The JSON form of `Report` is a contract (see `schema report`): its fields change only with `SCHEMA`.
Paths are relative to the repository's root, with `/`; lines are 1-based. No text here ever holds a secret's value.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias, dataclass_transform

import msgspec

SCHEMA = 1

Status: TypeAlias = Literal["pass", "fail", "review", "not-applicable", "attested"]
Side: TypeAlias = Literal["server", "browser", "mobile", "desktop", "unknown"]
Severity: TypeAlias = Literal["low", "medium", "high", "critical"]
Confidence: TypeAlias = Literal["low", "medium", "high"]
ProblemKind: TypeAlias = Literal[
    "syntax", "unreadable", "encoding", "too-large", "too-deep", "too-complex", "crashed", "timeout", "unsupported",
    "link", "git", "suppression", "baseline", "attestation", "incomplete", "partial",
]  # fmt: skip

SIDES: dict[Side, str] = {
    "server": "on a server", "browser": "in a browser", "mobile": "on a phone", "desktop": "on a desktop",
    "unknown": "on an unknown side",
}  # fmt: skip
"""Where a program runs, as a person says it."""

SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Noun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=False):
    """All nouns are frozen and refuse unknown fields."""


class Place(Noun, order=True):
    """Where something is: a path and a 1-based line, with what is seen there in a few words."""

    path: str
    line: int
    end_line: int
    message: str = ""
    column: int = 1


class Member(Noun):
    """One of several violations that are told as one: where it lies, and in which function or class."""

    place: Place
    unit: str


class Observation(Noun):
    """One answer of one check: a status with its place. `rule` names the rule that asked.

    `unit` is the qualified name of the enclosing function or class, for the fingerprint ("" for module level).
    `members`: what is told here at one place although it lies at several; () for itself alone.
    """

    items: tuple[str, ...]
    rule: str
    status: Literal["pass", "fail", "review", "not-applicable"]
    place: Place | None
    message: str
    related: tuple[Place, ...] = ()
    confidence: Confidence = "high"
    unit: str = ""
    members: tuple[Member, ...] = ()


class Evidence(Noun):
    """A place that proves an item's status."""

    path: str
    line: int
    end_line: int
    message: str


class ItemResult(Noun):
    """A checklist item with its verdict. `summary` is one sentence; evidence is sorted, the deciding one first."""

    id: str
    title: str
    section: str
    status: Status
    summary: str
    evidence: tuple[Evidence, ...] = ()


class RelatedPlace(Noun):
    """Another place that belongs to a finding."""

    path: str
    line: int
    message: str


class Suppressed(Noun):
    """Why a finding is not counted: a reasoned comment, the baseline, or because the tree before has it too (base)."""

    by: Literal["comment", "baseline", "base"]
    reason: str
    path: str = ""
    line: int = 0


class Finding(Noun):
    """A violation. `fingerprint` has no line number: rule, path, enclosing unit, normalised line, occurrence.

    `fingerprints`: those of all that is told at this place, one for each function that has the fault, sorted. The
    finding was there before only if all of them were.
    """

    rule: str
    items: tuple[str, ...]
    severity: Severity
    confidence: Confidence
    path: str
    line: int
    end_line: int
    message: str
    fix: str
    fingerprint: str
    related: tuple[RelatedPlace, ...] = ()
    suppressed: Suppressed | None = None
    fingerprints: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[str, ...]:
        """The fingerprints of all that is told here."""
        return self.fingerprints or (self.fingerprint,)

    def is_among(self, known: Collection[str]) -> bool:
        """Whether all that is told here is known by these fingerprints."""
        return all(one in known for one in self.identity)


class Problem(Noun):
    """Something that could not be read or followed; nothing is lost silently. `path` is "" for the whole audit."""

    path: str
    kind: ProblemKind
    message: str
    line: int = 0


class Files(Noun):
    """How many files the audit looked at (`read`) and how many programs it analysed."""

    read: int
    analysed: int


class Connection(Noun):
    """A provider that the application connects to and where that is seen.

    `name`: its title, or the host of one that nobody knows. `judged`: whether the configuration leaves it in.
    """

    name: str
    path: str
    line: int
    judged: bool = True


class SideSeen(Noun):
    """On which side a program runs, or one function of it, and the line that shows it, 0 for its path or language.

    `unit`: the function's name; it begins at `line` and ends at `end_line`, which is 0 for a whole program.
    """

    path: str
    side: Side
    reason: str
    line: int = 0
    unit: str = ""
    end_line: int = 0


class Tool(Noun):
    """Who made the report."""

    name: str
    version: str


class Report(Noun):
    """The whole audit: always all 26 items in the checklist's order, findings sorted by path, line and rule."""

    schema: int
    tool: Tool
    root: str
    items: tuple[ItemResult, ...]
    findings: tuple[Finding, ...]
    problems: tuple[Problem, ...]
    files: Files
    application: str = ""
    connections: tuple[Connection, ...] = ()
    sides: tuple[SideSeen, ...] = ()


class Reports(Noun):
    """The reports on the applications of one repository, where its configuration names several."""

    schema: int
    applications: tuple[Report, ...]
