"""GitLab's Code Quality report."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from auditor.model import Report
from auditor.reports import RENDERERS, Options


def entries(report: Report) -> Any:
    text = RENDERERS["gitlab-codequality"](report, Options())
    assert text.isascii()
    return json.loads(text)


def test_an_entry(report: Report) -> None:
    assert entries(report)[0] == {
        "description": "C06: The code is exchanged before state is compared. Fix: Compare first.",
        "check_name": "missing-state-validation",
        "fingerprint": "f1",
        "severity": "critical",
        "location": {"path": "app/oauth.py", "lines": {"begin": 58, "end": 58}},
    }


def test_only_what_counts_each_with_a_fingerprint_of_its_own(report: Report) -> None:
    found = entries(report)
    assert [one["fingerprint"] for one in found] == ["f1", *(f"s{number}" for number in range(8)), "a"]
    assert found[-1]["description"] == "Plain HTTP. Fix: Use https."


@pytest.mark.parametrize(
    ("severity", "shown"), [("low", "minor"), ("medium", "major"), ("high", "critical"), ("critical", "blocker")]
)
def test_severities(report: Report, severity: Any, shown: str) -> None:
    finding = msgspec.structs.replace(report.findings[0], severity=severity)
    assert entries(msgspec.structs.replace(report, findings=(finding,)))[0]["severity"] == shown


def test_paths_come_back_as_they_are(hostile: Report) -> None:
    found = entries(hostile)
    active = [one for one in hostile.findings if one.suppressed is None]
    assert [one["location"]["path"] for one in found] == [one.path for one in active]
    assert "Seen a\\u202egnp.py" in found[6]["description"]


def test_nothing_found_is_an_empty_list(report: Report) -> None:
    assert entries(msgspec.structs.replace(report, findings=())) == []
