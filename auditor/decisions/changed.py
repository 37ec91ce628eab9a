"""What a change brings: the failures that the audit of the tree before it does not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from auditor.model import Finding, Observation, Place, Suppressed

ALIKE = 0.5
"""The part of its lines that a file keeps when it is moved, at least: what git takes for a renamed file, too."""


def apply(findings: Sequence[Finding], before: Collection[str], name: str) -> tuple[Finding, ...]:
    """The findings, those that were there before suppressed. `before`: fingerprints; `name`: of the tree before."""
    return tuple(
        replace(one, suppressed=Suppressed("base", f"it was there before, in {name}"))
        if one.suppressed is None and one.is_among(before)
        else one
        for one in findings
    )


def unproven(
    now: Sequence[Observation], before: Sequence[Observation], gone: str, at: Place
) -> tuple[Observation, ...]:
    """What was seen now, each proof of before that cannot be followed any more as a failure.

    `gone`: a file that is deleted although it is imported `at` a place: what it did for a proof it does no more.
    """
    asked = [one for one in before if one.place is not None]
    open_before = {_question(one) for one in asked if one.status != "pass"}
    proven = {_question(one) for one in asked if one.status == "pass"} - open_before
    proven_there = {
        one.rule for one in asked if one.status == "pass" and one.place is not None and one.place.path == gone
    }

    def is_lost(one: Observation) -> bool:
        if one.status != "review" or one.place is None:
            return False
        return _question(one) in proven or (one.rule in proven_there and _question(one) not in open_before)

    said = f"this was proven before, and {gone}, which is still imported in {at.path}, is deleted"
    return tuple(
        replace(one, status="fail", message=f"{said}: {one.message}", related=(*one.related, at))
        if is_lost(one)
        else one
        for one in now
    )


def _question(one: Observation) -> tuple[str, str, str]:
    """What was asked, and where: whatever the answer is."""
    return one.rule, one.place.path if one.place is not None else "", one.unit


def moved(gone: Mapping[str, bytes], came: Mapping[str, bytes]) -> dict[str, str]:
    """The files that were renamed, old path to new: each pair that is alike, the most alike first.

    `gone`: files that are only in the tree before, `came`: those only in the tree after.
    """
    before = {path: _lines(data) for path, data in gone.items()}
    after = {path: _lines(data) for path, data in came.items()}
    pairs = sorted(
        (-likeness, old, new)
        for old, lines in before.items()
        for new, others in after.items()
        if (likeness := _likeness(lines, others)) >= ALIKE
    )
    out: dict[str, str] = {}
    for _, old, new in pairs:
        if old not in out and new not in out.values():
            out[old] = new
    return out


def _lines(data: bytes) -> Counter[bytes]:
    return Counter(line for line in map(bytes.strip, data.split(b"\n")) if line)


def _likeness(one: Counter[bytes], other: Counter[bytes]) -> float:
    return (one & other).total() / max(one.total(), other.total(), 1)
