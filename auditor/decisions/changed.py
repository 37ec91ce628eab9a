"""What a change brings: the failures that the audit of the tree before it does not have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from auditor.model import Finding, Suppressed

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
