"""One HTML page that needs nothing else: no other file, no network, no inline handler.

Everything shown is escaped twice over: what is invisible is spelled out, then Jinja escapes what HTML would read. A
Content-Security-Policy lets run only the one script that is on the page, known by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Iterable, Sequence
from importlib import resources
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from auditor.model import Evidence, Finding, ItemResult, Problem, Report, Severity, Status
from auditor.reports import Options, shared
from auditor.reports.source import Quoted, Sources
from auditor.reports.terminal import escape

if TYPE_CHECKING:
    from auditor.catalogue import Rule

EXCERPTS = 20
"""Findings of one item, and places of its evidence, that are shown with their lines; the others only by place."""

RELATED = 3
"""Other places of a finding that are shown with their lines."""

LABELS: dict[Status, str] = {
    "fail": "Fail", "review": "To review", "pass": "Pass", "attested": "Attested", "not-applicable": "Does not apply",
}  # fmt: skip
MARKS: dict[Status, str] = {"fail": "✗", "review": "?", "pass": "✓", "attested": "○", "not-applicable": "–"}


Counts: TypeAlias = Sequence[tuple[Status, str, str, int]]
"""How many items have a status, with its label and mark."""


class PlaceView(NamedTuple):
    """A place with what is seen there and the lines around it."""

    where: str
    message: str
    lines: Sequence[Quoted] = ()


class FindingView(NamedTuple):
    """A finding; `why` and `decided` are its rule's. `told`: the item under which it is shown with all of that."""

    rule: str
    severity: Severity
    confidence: str
    place: PlaceView
    related: Sequence[PlaceView]
    fix: str
    why: str = ""
    decided: str = ""
    suppressed: str = ""
    told: str = ""


class ItemView(NamedTuple):
    """An item of the checklist, unfolded."""

    id: str
    title: str
    status: Status
    label: str
    mark: str
    summary: str
    where: str
    evidence: Sequence[PlaceView]
    findings: Sequence[FindingView]


class SectionView(NamedTuple):
    """A section of the checklist with its counts."""

    title: str
    anchor: str
    counts: Sequence[tuple[Status, int, str]]
    items: Sequence[ItemView]


class ApplicationView(NamedTuple):
    """One application with its checklist. `prefix`: what its anchors begin with, where a page holds several."""

    name: str
    prefix: str
    files: str
    connections: Sequence[tuple[str, str]]
    counts: Counts
    sections: Sequence[SectionView]
    advice: Sequence[FindingView]
    suppressed: Sequence[FindingView]
    problems: Sequence[tuple[str, Sequence[PlaceView]]]


def render(report: Report, options: Options) -> str:
    """The whole page."""
    return render_all([(report, options)])


def render_all(reports: Sequence[tuple[Report, Options]]) -> str:
    """One page with the reports on several applications of a repository."""
    css, script = _asset("report.css"), _asset("report.js")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_visible,
        keep_trailing_newline=True,
    )  # fmt: skip
    template = environment.from_string(_asset("report.html.j2"))
    items = [item for report, _ in reports for item in report.items]
    prefixes = [f"application-{number}-" for number in range(1, len(reports) + 1)] if len(reports) > 1 else [""]
    return template.render(
        policy=_policy(css, script),
        css=Markup(css),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        title=shared.TITLE,
        version=reports[0][0].tool.version,
        counts=_counts(items),
        total=len(items),
        applications=[
            _application(report, options, prefix) for (report, options), prefix in zip(reports, prefixes, strict=True)
        ],
    )


def _counts(items: Sequence[ItemResult]) -> Counts:
    return [(status, LABELS[status], MARKS[status], number) for status, number, _ in shared.counts(items)]


def _application(report: Report, options: Options, prefix: str) -> ApplicationView:
    views = _Views(report, options, prefix)
    return ApplicationView(
        name=report.application,
        prefix=prefix,
        files=shared.files_line(report),
        connections=[(one.name, shared.place(one.path, one.line) + shared.unjudged(one)) for one in report.connections],
        counts=_counts(report.items),
        sections=views.sections(),
        advice=[views.finding(one, with_lines=number < EXCERPTS) for number, one in enumerate(shared.advice(report))],
        suppressed=[views.finding(one, with_lines=False) for one in report.findings if one.suppressed is not None],
        problems=[
            (heading, [_problem(one) for one in group]) for heading, group in shared.problem_groups(report.problems)
        ],
    )


class _Views:
    """Makes the views, with excerpts from the report's files."""

    def __init__(self, report: Report, options: Options, prefix: str) -> None:
        self._report = report
        self._prefix = prefix
        self._rules = options.rules
        self._sources = Sources(options.read, report.findings)
        self._findings = shared.by_item(report)
        self._told: dict[str, str] = {}

    def sections(self) -> list[SectionView]:
        grouped = groupby(self._report.items, key=lambda item: item.section)
        return [self._section(title, list(items), number) for number, (title, items) in enumerate(grouped, 1)]

    def _section(self, title: str, items: Sequence[ItemResult], number: int) -> SectionView:
        return SectionView(
            title, f"{self._prefix}section-{number}", shared.counts(items), [self._item(item) for item in items]
        )

    def _item(self, item: ItemResult) -> ItemView:
        findings = self._findings.get(item.id, [])
        places: list[Evidence | Finding] = [*findings, *item.evidence]
        return ItemView(
            id=item.id,
            title=item.title,
            status=item.status,
            label=LABELS[item.status],
            mark=MARKS[item.status],
            summary=item.summary,
            where=shared.place(places[0].path, places[0].line) if places else "",
            evidence=self._evidence(item, findings),
            findings=[
                self.finding(one, number < EXCERPTS, self._teller(one, item)) for number, one in enumerate(findings)
            ],
        )

    def _evidence(self, item: ItemResult, findings: Iterable[Finding]) -> list[PlaceView]:
        """The places that no finding of the item shows already."""
        shown = {(one.path, one.line) for one in findings}
        left = [one for one in item.evidence if (one.path, one.line) not in shown]
        return [
            PlaceView(
                shared.place(one.path, one.line),
                one.message,
                self._sources.excerpt(one.path, one.line, one.end_line) if number < EXCERPTS else (),
            )
            for number, one in enumerate(left)
        ]

    def _teller(self, finding: Finding, item: ItemResult) -> str:
        """The item that shows this finding, if it is another: one that fails two items is shown once."""
        teller = self._told.setdefault(finding.fingerprint, item.id)
        return "" if teller == item.id else teller

    def finding(self, finding: Finding, with_lines: bool, told: str = "") -> FindingView:
        with_lines = with_lines and not told
        rule: Rule | None = self._rules.get(finding.rule)
        lines = self._sources.excerpt(finding.path, finding.line, finding.end_line, finding.rule) if with_lines else ()
        suppressed = finding.suppressed
        return FindingView(
            rule=finding.rule,
            severity=finding.severity,
            confidence=finding.confidence,
            place=PlaceView(shared.place(finding.path, finding.line), shared.sentence(finding.message), lines),
            related=self._related(finding, {one.number for one in lines}, with_lines),
            fix=_one_line(finding.fix),
            why=_one_line(rule.why) if rule else "",
            decided=_one_line(rule.decided) if rule else "",
            suppressed=f"{suppressed.by}: {suppressed.reason}" if suppressed else "",
            told=told,
        )

    def _related(self, finding: Finding, shown: Collection[int], with_lines: bool) -> list[PlaceView]:
        """The other places of a finding, the first of them with their lines where these are not shown already."""
        out = []
        for number, one in enumerate(finding.related):
            again = one.path == finding.path and one.line in shown
            wanted = with_lines and number < RELATED and not again
            lines = self._sources.excerpt(one.path, one.line, one.line, finding.rule) if wanted else ()
            out.append(PlaceView(shared.place(one.path, one.line), one.message, lines))
        return out


def _one_line(text: str) -> str:
    """Prose as YAML folds it ends with a line break."""
    return " ".join(text.split())


def _problem(problem: Problem) -> PlaceView:
    return PlaceView(shared.place(problem.path, problem.line) if problem.path else "", problem.message)


def _visible(value: Any) -> Any:
    """Of every text on the page: control and direction characters become text that can be seen."""
    return escape(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str) -> str:
    return resources.files("auditor.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(css: str, script: str) -> str:
    """What the page may do: apply this style, run this script, and nothing else."""
    return (
        f"default-src 'none'; style-src {_hash(css)}; script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
