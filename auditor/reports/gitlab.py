"""GitLab's Code Quality report: what a merge request shows beside the changed lines."""

from __future__ import annotations

import json
from typing import Any

from auditor.model import Finding, Report, Severity
from auditor.reports import Options, shared
from auditor.reports.terminal import escape

SEVERITIES: dict[Severity, str] = {"low": "minor", "medium": "major", "high": "critical", "critical": "blocker"}


def render(report: Report, _options: Options) -> str:
    """A list of the findings that count; pure ASCII. GitLab drops a second one with an equal fingerprint: none is."""
    return json.dumps([_entry(finding) for finding in shared.active(report)], indent=2) + "\n"


def _entry(finding: Finding) -> dict[str, Any]:
    items = f"{', '.join(finding.items)}: " if finding.items else ""
    fix = f" Fix: {shared.sentence(finding.fix)}" if finding.fix else ""
    begin = max(1, finding.line)
    return {
        "description": escape(f"{items}{shared.sentence(finding.message)}{fix}"),
        "check_name": finding.rule,
        "fingerprint": finding.fingerprint,
        "severity": SEVERITIES[finding.severity],
        "location": {"path": finding.path, "lines": {"begin": begin, "end": max(begin, finding.end_line)}},
    }
