"""The baseline: the failures that were there when an old repository began to be audited. Only others count.

The file has neither line numbers nor dates and is sorted, so that it changes only when a failure comes or goes. The
audit and the hook only read it; `connect-auditor baseline` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import dataclass_transform

import msgspec
from msgspec.structs import replace

from auditor.errors import UsageError
from auditor.model import Finding, Problem, Suppressed

FILE_NAME = "connect-auditor.baseline.json"
SCHEMA = 1
_CONFLICT = (b"<<<<<<< ", b">>>>>>> ")


@dataclass_transform(frozen_default=True)
class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """One failure. `path` and `rule` are for people: its identity is the fingerprint."""

    path: str
    rule: str
    fingerprint: str


@dataclass_transform(frozen_default=True)
class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `schema` says how fingerprints are made."""

    schema: int
    findings: tuple[Entry, ...]


def parse(data: bytes, name: str) -> Baseline:
    """The baseline in these bytes; raises UsageError that names the file."""
    if any(line.startswith(_CONFLICT) for line in data.splitlines()):
        raise UsageError(
            f"{name}: a merge left its conflict markers in it: take both sides, or write it anew with `connect-auditor baseline`"
        )
    try:
        found = msgspec.json.decode(data, type=Baseline)
    except msgspec.DecodeError as error:
        raise UsageError(f"{name}: not a baseline: {error}") from None
    if found.schema != SCHEMA:
        raise UsageError(
            f"{name}: made by another version (schema {found.schema}): write it anew with `connect-auditor baseline`"
        )
    return found


def render(entries: Iterable[Entry]) -> bytes:
    """The bytes of a baseline, the same for the same failures."""
    made = Baseline(SCHEMA, tuple(sorted(set(entries))))
    return msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n"


def entries_of(findings: Iterable[Finding]) -> list[Entry]:
    """What a baseline says of findings: those that would count for the exit code."""
    return [Entry(one.path, one.rule, mark) for one in findings if counts(one) for mark in one.identity]


def counts(finding: Finding) -> bool:
    """Whether a finding is a failure of an item that neither a comment nor anything else suppresses."""
    return finding.suppressed is None and bool(finding.items)


def updated(
    old: Baseline | None, findings: Sequence[Finding], audited: Callable[[str], bool], prune: bool
) -> list[Entry]:
    """The new entries: those of what was not audited as they were, for the rest what is there now.

    `audited`: whether a path belongs to what was audited. `prune`: only drop what is gone, add nothing.
    """
    before = old.findings if old is not None else ()
    now = entries_of(findings)
    if prune:
        there = {one.fingerprint for one in now}
        return [one for one in before if not audited(one.path) or one.fingerprint in there]
    return [*(one for one in before if not audited(one.path)), *now]


def apply(
    findings: Sequence[Finding], baseline: Baseline, name: str, audited: Callable[[str], bool], unread: Collection[str]
) -> tuple[tuple[Finding, ...], tuple[Problem, ...]]:
    """The findings with those suppressed that the baseline has, and a problem for each entry that nothing needs.

    `name`: the baseline's path. `unread`: paths that could not be judged, of which nothing is known to be gone.
    """
    known = {one.fingerprint for one in baseline.findings}
    because = Suppressed("baseline", "it was there when the baseline was written", name)
    out = tuple(replace(one, suppressed=because) if counts(one) and one.is_among(known) else one for one in findings)
    there = {mark for one in findings if one.suppressed is None for mark in one.identity}
    stale = [
        one
        for one in baseline.findings
        if one.fingerprint not in there and audited(one.path) and one.path not in unread
    ]
    problems = tuple(
        Problem(
            name,
            "baseline",
            f"stale: {one.rule} in {one.path} is there no more; `connect-auditor baseline --prune` drops it",
        )
        for one in stale
    )
    return out, problems
