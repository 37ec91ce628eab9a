"""What several formats say alike: the same words, the same order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from auditor.model import SEVERITIES, SIDES, Connection, Finding, ItemResult, Problem, ProblemKind, Report, Status

TITLE = "Connect Auditor"

COUNTS: tuple[tuple[Status, str, str], ...] = (
    ("fail", "fail", "fail"),
    ("pass", "pass", "pass"),
    ("review", "to review", "to review"),
    ("attested", "attested", "attested"),
    ("not-applicable", "does not apply", "do not apply"),
)
"""The statuses in the order in which they are counted, with the words for one and for many."""

DECISIONS: frozenset[ProblemKind] = frozenset({"suppression", "baseline", "attestation"})
"""The problems of what people decided, as opposed to what could not be read."""


def place(path: str, line: int) -> str:
    """path:line, or the path alone where no line is known."""
    return f"{path}:{line}" if line else path


def unjudged(one: Connection) -> str:
    """What is said behind the place of a provider that the configuration leaves out, "" of one that is judged."""
    return "" if one.judged else ", not judged"


def connections(report: Report) -> list[str]:
    """Each provider that the application connects to, with the place where that is seen."""
    return [f"{one.name} ({one.path}:{one.line}{unjudged(one)})" for one in report.connections]


def plural(number: int, one: str) -> str:
    """ "1 file", "2 files"."""
    return f"{number} {one}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """The text on one line, with a capital, unless it begins with a piece of code, and a full stop."""
    text = " ".join(text.split())
    first = text.partition(" ")[0]
    if first.isalpha() and first.islower():
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?", ":")) or not text else f"{text}."


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """By severity, then by place."""
    return sorted(findings, key=lambda one: (-SEVERITIES.index(one.severity), one.path, one.line, one.rule))


def active(report: Report) -> list[Finding]:
    """The findings that count, in the report's order."""
    return [finding for finding in report.findings if finding.suppressed is None]


def by_item(report: Report) -> dict[str, list[Finding]]:
    """The findings that count, by the id of each item that they fail, worst first."""
    out: dict[str, list[Finding]] = {}
    for finding in worst_first(active(report)):
        for item in finding.items:
            out.setdefault(item, []).append(finding)
    return out


def advice(report: Report) -> list[Finding]:
    """The findings of rules beyond the checklist, worst first: they decide no item."""
    return worst_first(finding for finding in active(report) if not finding.items)


def unexplained(report: Report) -> list[ItemResult]:
    """The items that failed without a finding that says where."""
    explained = {item for finding in active(report) for item in finding.items}
    return [item for item in report.items if item.status == "fail" and item.id not in explained]


def fixes(findings: Iterable[Finding]) -> list[str]:
    """How to mend them, each said once."""
    return list(dict.fromkeys(finding.fix for finding in findings if finding.fix))


def whole_audit_first(problems: Iterable[Problem]) -> list[Problem]:
    """Problems that are no file's, then the others in their order."""
    return sorted(problems, key=lambda problem: problem.path != "")


def problem_groups(problems: Iterable[Problem]) -> list[tuple[str, list[Problem]]]:
    """(heading, problems): those of what people decided, then those of what was read; none that is empty."""
    decided = [one for one in problems if one.kind in DECISIONS]
    others = whole_audit_first(one for one in problems if one.kind not in DECISIONS)
    groups = (("Comments, baseline and attestations", decided), ("Could not be read or followed", others))
    return [(heading, found) for heading, found in groups if found]


def counts(items: Sequence[ItemResult]) -> list[tuple[Status, int, str]]:
    """(status, number, "2 fail") for each status that occurs."""
    statuses = [item.status for item in items]
    out: list[tuple[Status, int, str]] = []
    for status, one, many in COUNTS:
        number = statuses.count(status)
        if number:
            out.append((status, number, f"{number} {one if number == 1 else many}"))
    return out


def counted(items: Sequence[ItemResult]) -> str:
    """All counts in one line."""
    return " · ".join(text for _, _, text in counts(items))


def files_line(report: Report) -> str:
    """How much was looked at."""
    line = f"{plural(report.files.read, 'file')} read, {report.files.analysed} analysed"
    running = Counter(one.side for one in report.sides if not one.unit)
    if running:
        line += f" ({', '.join(f'{number} {SIDES[side]}' for side, number in running.most_common())})"
    return f"{line}, {plural(len(report.problems), 'problem')}" if report.problems else line
