"""Workflow commands of GitHub Actions: annotations for the worst failures, and one line that counts."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model import Finding, ItemResult, Report, Severity
from auditor.reports import Options, shared
from auditor.reports.terminal import escape

SHOWN = 10
"""GitHub shows no more of a kind for a step: the others would be lost without a word."""

COMMANDS: dict[Severity, str] = {"low": "notice", "medium": "warning", "high": "error", "critical": "error"}


def render(report: Report, _options: Options) -> str:
    """A command a line, the worst first, then the counts. Nothing of the audited text can start a command."""
    return render_all([("", report)])


def render_all(reports: Sequence[tuple[str, Report]]) -> str:
    """The worst of all applications, each with its name and report, and a line of counts for each."""
    bare = [_item(item) for _, report in reports for item in shared.unexplained(report)]
    found = shared.worst_first(finding for _, report in reports for finding in shared.active(report))
    commands = [*bare, *(_finding(finding) for finding in found)]
    lines = [_counts(name, report) for name, report in reports]
    if len(commands) > SHOWN:
        lines[-1] += f" · the worst {SHOWN} of {len(commands)} failures are annotated"
    return "\n".join((*commands[:SHOWN], *lines)) + "\n"


def _counts(name: str, report: Report) -> str:
    title = f"{shared.TITLE} · {escape(name)}" if name else shared.TITLE
    line = [f"{title}: {shared.counted(report.items) or 'no items'}"]
    if report.problems:
        line.append(shared.plural(len(report.problems), "problem"))
    if report.connections:
        line.append(f"connects to {escape(', '.join(shared.connections(report)))}")
    return " · ".join(line)


def _finding(finding: Finding) -> str:
    line = max(1, finding.line)
    title = f"{', '.join(finding.items)} {finding.rule}".strip()
    fix = f"\nFix: {shared.sentence(finding.fix)}" if finding.fix else ""
    where = f"file={_path(finding.path)},line={line},endLine={max(line, finding.end_line)}"
    message = f"{_text(shared.sentence(finding.message))}{_text(fix)}"
    return f"::{COMMANDS[finding.severity]} {where},title={_property(escape(title))}::{message}"


def _item(item: ItemResult) -> str:
    title = _property(escape(f"{item.id} {item.title}"))
    return f"::error title={title}::{_text(shared.sentence(item.summary))}"


def _path(path: str) -> str:
    """The path as the runner must read it back; what it cannot show safely is spelled out."""
    return _property("".join(letter if letter in "\r\n" else escape(letter) for letter in path))


def _text(text: str) -> str:
    """A command's message. Its own line breaks are kept, everything else that is invisible is spelled out."""
    return _data("\n".join(escape(line) for line in text.split("\n")))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
