"""Folds observations into one verdict for each item, and into findings with lasting fingerprints."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from auditor.catalogue import Catalogue, ChecklistItem, Rule, rules_by_item
from auditor.model import Evidence, Finding, ItemResult, Member, Observation, Place, Problem, RelatedPlace, Status

_ORDER: tuple[Status, ...] = ("fail", "review", "pass", "not-applicable")
_EVIDENCE_LIMIT = 20
UNREAD = frozenset(
    {"syntax", "crashed", "timeout", "too-large", "too-deep", "too-complex", "incomplete", "unreadable", "encoding"}
)


_LAMBDA = re.compile(r"<lambda:[0-9]+>")  # how functions without a name are called: by their line


def items(
    catalogue: Catalogue, observations: Sequence[Observation], connects: bool, hints: Sequence[Place],
    problems: Sequence[Problem], findings: Sequence[Finding] = (),
) -> tuple[ItemResult, ...]:  # fmt: skip
    """A verdict for each item of the checklist, in its order. A failure whose finding is suppressed makes it a review.

    `connects`: the application shows a sign of an OAuth client, so that silence is not an answer. `hints` are those
    signs. `problems`: files of the application that could not be read, which lower a pass to a review.
    """
    deciding = rules_by_item(catalogue)
    unread = [problem for problem in problems if problem.kind in UNREAD and problem.path]
    suppressed = {_spot(one): one for one in findings if one.suppressed is not None}
    out = []
    for item in catalogue.checklist:
        own = [one for one in observations if item.id in one.items]
        hidden = [one for one in own if _is_hidden(one, suppressed)]
        shown = [one for one in own if not _is_hidden(one, suppressed)]
        result = _item(item, shown, item.id in deciding, connects, hints, unread)
        if hidden and result.status != "fail":
            reasons = dict.fromkeys(suppressed[one.rule, one.place.path, one.place.line] for one in hidden if one.place)
            result = _suppressed(result if shown else None, item, tuple(reasons))
        out.append(result)
    return tuple(out)


def _spot(one: Finding) -> tuple[str, str, int]:
    return one.rule, one.path, one.line


def _is_hidden(one: Observation, suppressed: Mapping[tuple[str, str, int], Finding]) -> bool:
    return one.status == "fail" and one.place is not None and (one.rule, one.place.path, one.place.line) in suppressed


def _suppressed(otherwise: ItemResult | None, item: ChecklistItem, hidden: Sequence[Finding]) -> ItemResult:
    """The verdict on an item all of whose failures are suppressed: never a pass, whatever else was found."""
    reasons = dict.fromkeys(one.suppressed.reason for one in hidden if one.suppressed is not None)
    count = "1 failure is" if len(hidden) == 1 else f"{len(hidden)} failures are"
    summary = f"{count} suppressed: {'; '.join(list(reasons)[:3])}"
    evidence = tuple(Evidence(one.path, one.line, one.end_line, one.message) for one in hidden)
    if otherwise is not None and otherwise.status == "review":
        summary, evidence = f"{otherwise.summary}; {summary}", (*otherwise.evidence, *evidence)
    return ItemResult(item.id, item.title, item.section, "review", summary, evidence[:_EVIDENCE_LIMIT])


def _item(
    item: ChecklistItem, observations: list[Observation], decided: bool, connects: bool, hints: Sequence[Place],
    unread: Sequence[Problem],
) -> ItemResult:  # fmt: skip
    def result(status: Status, summary: str, evidence: tuple[Evidence, ...] = ()) -> ItemResult:
        return ItemResult(item.id, item.title, item.section, status, summary, evidence[:_EVIDENCE_LIMIT])

    signs = tuple(Evidence(place.path, place.line, place.end_line, place.message) for place in hints[:3])
    if not decided:
        if not connects and not unread:
            return result("not-applicable", "nothing that was read connects to an OAuth provider")
        return result("review", "no rule decides this yet: a person must look")
    if not observations:
        if connects:
            return result(
                "review", "there are signs of an OAuth client, but what this asks about was not recognised", signs
            )
        if unread:
            return result("review", "nothing was found, but not every file could be read", _unread(unread))
        return result("not-applicable", "nothing that was read connects to an OAuth provider")
    observations = sorted(observations, key=_key)
    worst = observations[0]
    evidence = _evidence(one for one in observations if one.status == worst.status)
    if worst.status in ("pass", "not-applicable") and unread:
        return result("review", f"{worst.message}; but not every file could be read", (*evidence, *_unread(unread)))
    return result(worst.status, _summary(worst, observations), evidence)


def _key(one: Observation) -> tuple[int, str, int]:
    place = one.place
    return (_ORDER.index(one.status), place.path if place else "", place.line if place else 0)


def _summary(worst: Observation, observations: Sequence[Observation]) -> str:
    others = sum(one.status == worst.status for one in observations) - 1
    more = f" (and {others} more)" if others > 0 else ""
    return f"{worst.message}{more}"


def _unread(problems: Sequence[Problem]) -> tuple[Evidence, ...]:
    return tuple(Evidence(one.path, max(1, one.line), max(1, one.line), one.message) for one in problems[:3])


def _evidence(observations: Iterable[Observation]) -> tuple[Evidence, ...]:
    out: dict[tuple[str, int], Evidence] = {}
    for one in observations:
        if one.place is not None:
            key = one.place.path, one.place.line
            out.setdefault(key, Evidence(one.place.path, one.place.line, one.place.end_line, one.message))
    return tuple(out.values())


def findings(
    rules: Mapping[str, Rule], observations: Iterable[Observation], lines: Mapping[str, Sequence[str]],
    moved: Mapping[str, str] | None = None, connected: Collection[str] = (),
) -> tuple[Finding, ...]:  # fmt: skip
    """One finding for each failure. `lines`: the source lines of a path, for the fingerprints.

    `connected`: the names of the providers that the application connects to, for the fix.

    `moved`: paths that count as others in the fingerprints, of files that were renamed since.
    """
    failed = sorted(
        (one for one in observations if one.status == "fail" and one.place is not None),
        key=lambda one: (one.place.path, one.place.line, one.rule, one.message),  # type: ignore[union-attr]
    )
    prints = _Fingerprints(lines, moved or {})
    out: list[Finding] = []
    places: set[tuple[str, str, int]] = set()
    for one in failed:
        assert one.place is not None
        place, rule = one.place, rules[one.rule]
        if (one.rule, place.path, place.line) in places:
            continue
        places.add((one.rule, place.path, place.line))
        members = one.members or (Member(place, one.unit),)
        all_of_it = tuple(sorted(prints.of(one.rule, member) for member in members))
        out.append(
            Finding(
                rule=one.rule,
                items=one.items,
                severity=rule.severity,
                confidence=one.confidence,
                path=place.path,
                line=place.line,
                end_line=place.end_line,
                message=one.message,
                fix=rule.fix_for(connected),
                fingerprint=all_of_it[0],
                fingerprints=all_of_it,
                related=tuple(RelatedPlace(r.path, r.line, r.message) for r in one.related),
            )
        )
    return tuple(out)


class _Fingerprints:
    """Counts equal violations as they come, so that each has a fingerprint of its own."""

    def __init__(self, lines: Mapping[str, Sequence[str]], moved: Mapping[str, str]) -> None:
        self._lines = lines
        self._moved = moved
        self._seen: Counter[tuple[str, str, str, str]] = Counter()

    def of(self, rule: str, member: Member) -> str:
        path = member.place.path
        unit = _LAMBDA.sub("<lambda>", member.unit)
        key = (rule, self._moved.get(path, path), unit, _line(self._lines, member.place))
        self._seen[key] += 1
        return fingerprint(*key, self._seen[key])


def _line(lines: Mapping[str, Sequence[str]], place: Place) -> str:
    """The finding's line without what formatters change: white space, and the kind of quotes."""
    text = lines.get(place.path, ())
    return "".join(text[place.line - 1].split()).replace("'", '"') if 0 < place.line <= len(text) else ""


def fingerprint(rule: str, path: str, unit: str, line: str, occurrence: int) -> str:
    """What stays the same when code moves: no line number is in it. The line itself goes in only as a hash."""
    parts = "\0".join((rule, path, unit, line, str(occurrence)))
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]
