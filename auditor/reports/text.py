"""The report for a person at a terminal: the checklist with its proofs, what to do, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TypeVar

from auditor.model import SIDES, Evidence, Finding, ItemResult, Problem, Report, Status
from auditor.reports import Options, shared
from auditor.reports.shared import place as _place
from auditor.reports.terminal import Glyphs, Page

Thing = TypeVar("Thing")

FINDINGS_SHOWN = 4
RELATED_SHOWN = 2
PROBLEMS_SHOWN = 8

INDENT = 9
"""Where titles start: "  ✓ C01  "."""

STYLES: dict[Status, str] = {
    "pass": "green", "fail": "bold red", "review": "yellow", "not-applicable": "dim", "attested": "cyan",
}  # fmt: skip


def render(report: Report, options: Options) -> str:
    """The whole report as lines of at most `options.width`, except where a path is longer."""
    page = Page(options)
    _head(page, report)
    of_item = shared.by_item(report)
    column = INDENT + max((len(item.title) for item in report.items), default=0) + 2
    said: dict[str, str] = {}
    shown = [item for item in report.items if options.detail != "brief" or item.status in ("fail", "review")]
    for section, members in groupby(shown, key=lambda item: item.section):
        page.blank()
        page.line((section, "bold"))
        for _, run in groupby(members, key=_reason):
            items = list(run)
            for item in items[:-1]:
                _item(page, item, (), column, said, with_reason=False)
            _item(page, items[-1], of_item.get(items[-1].id, ()), column, said, first=items[0].id)
    _advice(page, report)
    _suppressed(page, report)
    _problems(page, report.problems)
    _sides(page, report)
    page.blank()
    _counts(page, report.items)
    failed = next((item for item in report.items if item.status == "fail"), None)
    if failed and options.detail != "brief":
        page.paragraph(
            f"connect-auditor explain {failed.id} says why that matters, explain PATH:LINE what was seen at a line",
            0, style="dim",
        )  # fmt: skip
    return page.text()


def _head(page: Page, report: Report) -> None:
    dot = f" {page.glyphs.dot} "
    named = ", ".join(shared.connections(report))
    title = dot.join(part for part in (shared.TITLE, report.application, named) if part)
    page.paragraph(title, 0, style="bold")
    page.line((shared.files_line(report), "dim"))


def _reason(item: ItemResult) -> tuple[object, ...]:
    """What neighbours must have in common for their reason to be said once, below the last of them."""
    if item.status not in ("review", "not-applicable"):
        return (item.id,)
    return (item.status, item.summary, item.evidence if len(item.evidence) > 1 else ())


def _item(
    page: Page, item: ItemResult, findings: Sequence[Finding], column: int, said: dict[str, str],
    with_reason: bool = True, first: str = "",
) -> None:  # fmt: skip
    """One item: its line with the deciding place, then why, where else and how to mend it.

    `first` is the first of a run of items with the same reason, which is said for all of them. `said`: which item has
    told how to mend something; what is added here is told once.
    """
    sign = f"  {mark(page.glyphs, item.status)} {item.id}  "
    title = (item.title, "dim" if item.status == "not-applicable" else "")
    start = ((sign, STYLES[item.status]), title)
    room = page.options.width - column
    padding = " " * (column - INDENT - len(item.title))
    places: list[Evidence | Finding] = [*item.evidence, *findings]
    place = _place(places[0].path, places[0].line) if places else ""
    if len(findings) > 1:
        place = shared.plural(len(findings), "finding")
    alone = first in ("", item.id)
    said_beside = item.status == "not-applicable" and not place and alone and with_reason and len(item.summary) <= room
    beside = item.summary if said_beside else place
    if beside and len(beside) <= room:
        note = item.evidence[0].message if item.evidence and item.status in ("pass", "attested") else ""
        fits = note and len(beside) + 2 + len(note) <= room
        page.line(*start, (padding + beside, "dim"), (f"  {note}" if fits else "", "dim"))
    else:
        page.paragraph(title[0], 0, label=sign, style=title[1], label_style=STYLES[item.status])
        if beside:
            page.line((" " * INDENT + beside, "dim"))
    if item.status == "fail":
        _failure(page, item, findings, said)
    elif with_reason and item.status != "pass" and not said_beside:
        label = "" if alone else f"{first} to {item.id}: "
        page.paragraph(item.summary, INDENT, label=label, style="dim" if item.status == "not-applicable" else "")
    if with_reason and (page.options.detail == "full" or item.status == "review"):
        shown = {(one.path, one.line) for one in findings}
        others = [one for one in item.evidence[1:] if (one.path, one.line) not in shown]
        _evidence(page, others, item.summary)


def _failure(page: Page, item: ItemResult, findings: Sequence[Finding], said: dict[str, str]) -> None:
    if len(findings) == 1:
        page.paragraph(_told(findings[0]), INDENT)
        _related(page, findings[0])
    else:
        alike = _told(findings[0]) if len({_told(finding) for finding in findings}) == 1 else ""
        if alike or not any(item.summary.startswith(finding.message) for finding in findings):
            page.paragraph(alike or item.summary, INDENT)
        for finding in _folded(page, findings, FINDINGS_SHOWN):
            page.paragraph("" if alike else _told(finding), INDENT, label=f"{_place(finding.path, finding.line)}  ")
            _related(page, finding)
        _more(page, len(findings), FINDINGS_SHOWN, INDENT)
    for fix in shared.fixes(findings):
        teller = said.setdefault(fix, item.id)
        page.paragraph(fix if teller == item.id else f"as for {teller}.", INDENT, label="Fix: ")


def _told(finding: Finding) -> str:
    """What was found, with the name by which a comment suppresses it and `explain` knows it."""
    return f"{finding.message} [{finding.rule}]"


def _related(page: Page, finding: Finding) -> None:
    for place in _folded(page, finding.related, RELATED_SHOWN):
        page.paragraph(place.message, INDENT + 2, label=f"{_place(place.path, place.line)}  ", style="dim")
    _more(page, len(finding.related), RELATED_SHOWN, INDENT + 2)


def _evidence(page: Page, evidence: Sequence[Evidence], said: str) -> None:
    """Further places of an item; `said`: what begins with what needs no repeating."""
    for place in _folded(page, evidence, FINDINGS_SHOWN):
        message = "" if said.startswith(place.message) else place.message
        page.paragraph(message, INDENT, label=f"{_place(place.path, place.line)}  ", style="dim")
    _more(page, len(evidence), FINDINGS_SHOWN, INDENT)


def _advice(page: Page, report: Report) -> None:
    """Findings of rules beyond the checklist: they decide no item."""
    advice = shared.advice(report)
    if not advice or page.options.detail == "brief":
        return
    page.blank()
    page.line(("Advice", "bold"))
    for finding in _folded(page, advice, PROBLEMS_SHOWN):
        page.line((f"  {finding.rule}", ""), (f"  {_place(finding.path, finding.line)}", "dim"))
        page.paragraph(finding.message, 4)
    _more(page, len(advice), PROBLEMS_SHOWN, 2)


def _suppressed(page: Page, report: Report) -> None:
    suppressed = [finding for finding in report.findings if finding.suppressed is not None]
    if not suppressed:
        return
    page.blank()
    if page.options.detail != "full":
        page.line((f"{shared.plural(len(suppressed), 'finding')} suppressed, --verbose shows them", "dim"))
        return
    page.line(("Suppressed", "bold"))
    for finding in suppressed:
        if finding.suppressed is not None:
            page.line((f"  {finding.rule}", ""), (f"  {_place(finding.path, finding.line)}", "dim"))
            page.paragraph(finding.suppressed.reason, 4, label=f"{finding.suppressed.by}: ")


def _problems(page: Page, problems: Sequence[Problem]) -> None:
    for heading, group in shared.problem_groups(problems):
        page.blank()
        page.line((f"{heading} ({len(group)})", "bold"))
        for problem in _folded(page, group, PROBLEMS_SHOWN):
            place = _place(problem.path, problem.line) if problem.path else ""
            page.paragraph(problem.message, 2, label=f"{place}  " if place else "")
        _more(page, len(group), PROBLEMS_SHOWN, 2)


def _sides(page: Page, report: Report) -> None:
    """On which side each program runs, and what shows it; only where everything is wanted."""
    if page.options.detail != "full" or not report.sides:
        return
    page.blank()
    page.line(("Where it runs", "bold"))
    for one in report.sides:
        at = shared.place(one.path, one.line)
        page.paragraph(f"{at}  {SIDES[one.side]}: {one.reason}", 2)


def _counts(page: Page, items: Sequence[ItemResult]) -> None:
    page.row([(text, STYLES[status]) for status, _, text in shared.counts(items)])


def mark(glyphs: Glyphs, status: Status) -> str:
    """The sign of a status."""
    marks: dict[Status, str] = {
        "pass": glyphs.passed, "fail": glyphs.failed, "review": glyphs.review,
        "not-applicable": glyphs.not_applicable, "attested": glyphs.attested,
    }  # fmt: skip
    return marks[status]


def _folded(page: Page, things: Sequence[Thing], limit: int) -> Sequence[Thing]:
    """All of them if one line more than the limit would do, or if nothing is folded."""
    return things if page.options.detail == "full" or len(things) <= limit + 1 else things[:limit]


def _more(page: Page, total: int, limit: int, indent: int) -> None:
    if page.options.detail != "full" and total > limit + 1:
        page.line((f"{' ' * indent}{page.glyphs.ellipsis} and {total - limit} more, --verbose shows them", "dim"))
