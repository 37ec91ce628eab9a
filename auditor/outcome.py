"""What a report means for the exit code, in a number and in a sentence."""

from __future__ import annotations

from typing import NamedTuple

from auditor.config import Threshold
from auditor.model import SEVERITIES, Finding, Report

PASSED, FAILED, USAGE, INTERNAL = 0, 1, 2, 3


class Outcome(NamedTuple):
    """The exit code, and one line that counts what it rests on; "" if there is nothing to say."""

    code: int
    line: str


def outcome(report: Report, fail_on: Threshold, strict: bool) -> Outcome:
    """Whether the audit failed: a finding of an item at or above `fail_on`, or an item that failed without one.

    Suppressed findings and advice (findings of no item) fail nothing. Reviews and problems fail it only if `strict`.
    """
    failing = [finding for finding in report.findings if _fails(finding, fail_on)]
    explained = {item for finding in report.findings if finding.suppressed is None for item in finding.items}
    bare = [item for item in report.items if item.status == "fail" and item.id not in explained]
    failed = bool(failing or bare) and fail_on != "never"
    reviews = sum(item.status == "review" for item in report.items)
    unsure = [*counted(reviews, "item to review", "items to review"), *counted(len(report.problems), "problem")]

    reasons = []
    if failed:
        threshold = "" if fail_on == "low" else f" of severity {fail_on} or above"
        reasons += [f"{text}{threshold}" for text in counted(len(failing), "finding")]
        reasons += counted(len(bare), "failed item without a finding", "failed items without a finding")
    code = FAILED if failed or (strict and unsure) else PASSED
    line = ", ".join(reasons + unsure)
    if code == FAILED and not failed:
        line += " (exit 1 because of --strict)"
    elif line:
        line += f" (exit {code})"
    return Outcome(code, line)


def counted(number: int, one: str, many: str = "") -> list[str]:
    """["2 findings"], ["1 finding"] or, for none, []."""
    return [f"{number} {one if number == 1 else many or one + 's'}"] if number else []


def _fails(finding: Finding, fail_on: Threshold) -> bool:
    if fail_on == "never" or finding.suppressed is not None or not finding.items:
        return False
    return SEVERITIES.index(finding.severity) >= SEVERITIES.index(fail_on)
