"""JUnit XML: one test case an item, so that any CI shows the checklist."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from junitparser import Failure, JUnitXml, Skipped, TestCase, TestSuite

from auditor.model import Finding, ItemResult, Problem, Report
from auditor.reports import Options, shared
from auditor.reports.terminal import escape


def render(report: Report, _options: Options) -> str:
    """A suite for each section; a failed item is a failure, what needs a person or does not apply is skipped.

    No times are in it: equal reports are equal byte for byte.
    """
    findings = shared.by_item(report)
    root = JUnitXml(shared.TITLE)
    named = shared.connections(report)
    for number, (section, items) in enumerate(groupby(report.items, key=lambda item: item.section)):
        suite = TestSuite(_xml(section))
        for name in () if number else named:  # of the whole report, so they stand once
            suite.add_property("connects to", _one_line(name))
        suite.add_testcases([_case(item, findings.get(item.id, ())) for item in items])
        root.add_testsuite(suite)
    groups = [(heading, _problems(problems)) for heading, problems in shared.problem_groups(report.problems)]
    for name, cases in (("Advice", _advice(report)), *groups):
        if cases:
            suite = TestSuite(name)
            suite.add_testcases(cases)
            root.add_testsuite(suite)
    return written(root)


def written(root: JUnitXml) -> str:
    """The document with its counts. Jenkins' schema knows no `skipped` of the whole, only of each suite."""
    root.update_statistics()  # type: ignore[no-untyped-call]
    root._elem.attrib.pop("skipped", None)
    text: str = root.tostring().decode("utf-8")  # type: ignore[no-untyped-call]
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text.strip()}\n'


def _case(item: ItemResult, findings: Sequence[Finding]) -> TestCase:
    case = TestCase(_xml(f"{item.id} {item.title}"), f"connect-auditor.{_xml(item.section)}")
    if item.status == "fail":
        case.result = [_failure(item, findings)]
    elif item.status == "review":
        case.result = [Skipped(_xml(f"to review: {item.summary}"))]
    elif item.status == "not-applicable":
        case.result = [Skipped(_xml(f"does not apply: {item.summary}"))]
    output = "" if findings else "\n".join(_at(one.path, one.line, one.message) for one in item.evidence)
    if item.status == "attested":
        output = f"attested: {item.summary}\n{output}".rstrip("\n")
    if output:
        case.system_out = _xml(output)
    return case


def _failure(item: ItemResult, findings: Sequence[Finding]) -> Failure:
    failure = Failure(_xml(item.summary), findings[0].severity if findings else "failed")
    lines: list[str] = []
    for finding in findings:
        lines.append(_at(finding.path, finding.line, f"{finding.message} [{finding.rule}, {finding.severity}]"))
        lines += [f"  {_at(one.path, one.line, one.message)}" for one in finding.related]
    lines += [f"Fix: {' '.join(fix.split())}" for fix in shared.fixes(findings)]
    failure.text = _xml("\n".join(lines) or item.summary)
    return failure


def _advice(report: Report) -> list[TestCase]:
    """Rules beyond the checklist fail nothing, so they are skipped cases with their place."""
    return [_skipped(f"{one.rule} at {_one_line(shared.place(one.path, one.line))}", one.message)
            for one in shared.advice(report)]  # fmt: skip


def _problems(problems: Sequence[Problem]) -> list[TestCase]:
    return [_skipped(_one_line(shared.place(one.path, one.line)) or "the whole audit", f"{one.kind}: {one.message}")
            for one in problems]  # fmt: skip


def _skipped(name: str, reason: str) -> TestCase:
    case = TestCase(_xml(name), "connect-auditor")
    case.result = [Skipped(_xml(reason))]
    return case


def _at(path: str, line: int, message: str) -> str:
    place = _one_line(shared.place(path, line))
    return f"{place}  {_one_line(message)}".rstrip()


def _one_line(text: str) -> str:
    """Text of the audited repository, where no line break may look like one of ours."""
    return escape(text)


def _xml(text: str) -> str:
    """What XML can hold, with everything invisible spelled out; the line breaks put here by us stay."""
    return "\n".join(escape(line) for line in text.split("\n"))
