"""The exit code and the sentence that explains it."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model import Files, Finding, ItemResult, Problem, Report, Severity, Status, Suppressed, Tool
from auditor.outcome import outcome


def item(name: str, status: Status) -> ItemResult:
    return ItemResult(name, "title", "Section", status, "summary")


def finding(severity: Severity, *items: str, suppressed: Suppressed | None = None) -> Finding:
    return Finding("rule", items, severity, "high", "a.py", 1, 1, "message", "fix", "print", (), suppressed)


def report(*parts: Any) -> Report:
    def those(kind: type) -> tuple[Any, ...]:
        return tuple(part for part in parts if isinstance(part, kind))

    return Report(1, Tool("t", "1"), ".", those(ItemResult), those(Finding), those(Problem), Files(1, 1))


def test_nothing_to_say() -> None:
    assert outcome(report(item("C01", "pass"), item("C02", "not-applicable")), "low", True) == (0, "")


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [("low", "low", 0b1), ("low", "medium", 0), ("high", "high", 1), ("medium", "high", 0), ("critical", "low", 1),
     ("critical", "never", 0)],
)  # fmt: skip
def test_the_threshold(severity: Any, fail_on: Any, code: int) -> None:
    assert outcome(report(item("C01", "fail"), finding(severity, "C01")), fail_on, False).code == code


def test_suppressed_findings_and_advice_fail_nothing() -> None:
    hidden = finding("high", "C01", suppressed=Suppressed("comment", "reason"))
    assert outcome(report(item("C01", "pass"), hidden, finding("high")), "low", True).code == 0


def test_a_failed_item_without_a_finding_fails() -> None:
    failed = report(item("C18", "fail"))
    assert outcome(failed, "critical", False) == (1, "1 failed item without a finding (exit 1)")
    assert outcome(failed, "never", False).code == 0


def test_reviews_and_problems_are_counted_and_fail_only_when_strict() -> None:
    unsure = report(item("C03", "review"), item("C13", "review"), Problem("a.py", "syntax", "m"))
    assert outcome(unsure, "low", False) == (0, "2 items to review, 1 problem (exit 0)")
    assert outcome(unsure, "never", True) == (1, "2 items to review, 1 problem (exit 1 because of --strict)")


def test_the_line_says_why_it_failed() -> None:
    failed = report(item("C01", "fail"), item("C03", "review"), finding("high", "C01"), finding("high", "C01"))
    assert outcome(failed, "low", True).line == "2 findings, 1 item to review (exit 1)"
    assert outcome(failed, "high", False).line == "2 findings of severity high or above, 1 item to review (exit 1)"
