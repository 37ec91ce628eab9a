"""One report on the applications of a repository."""

from __future__ import annotations

import json

import msgspec
import pytest

from auditor.model import Report
from auditor.reports import RENDERERS, Options
from auditor.reports.several import Part, join


def joined(format_: str, *reports: Report) -> str:
    options = Options(share=len(reports))
    parts = [Part(one.application, one, options) for one in reports]
    return join(format_, parts)


@pytest.fixture
def two(report: Report) -> tuple[Report, Report]:
    """The same application twice, the second under another name and path."""
    findings = tuple(
        msgspec.structs.replace(one, path=f"web/{one.path}", fingerprint=f"w{one.fingerprint}")
        for one in report.findings
    )
    return report, msgspec.structs.replace(report, application="web", findings=findings)


def test_applications_share_the_annotations_that_github_shows(two: tuple[Report, Report]) -> None:
    lines = joined("github", *two).splitlines()
    assert [line.partition(",")[0] for line in lines[:10]] == [
        "::error file=app/s7.py", "::error file=web/app/s7.py", "::error file=app/oauth.py",
        *(f"::error file=app/s{number}.py" for number in range(7)),
    ]  # fmt: skip
    counts = "2 fail · 1 pass · 1 to review · 1 attested · 1 does not apply · 2 problems · connects to Monei Connect (app/oauth.py:14), bank.example (app/x.py:8, not judged)"
    assert lines[10:] == [
        f"Connect Auditor · shop: {counts}",
        f"Connect Auditor · web: {counts} · the worst 10 of 20 failures are annotated",
    ]


def test_applications_share_the_room_of_a_comment(two: tuple[Report, Report]) -> None:
    many = [
        msgspec.structs.replace(one, findings=tuple(
            msgspec.structs.replace(one.findings[0], line=number, message="word " * 50) for number in range(1, 400)
        ))
        for one in two
    ]  # fmt: skip
    text = joined("markdown", *many)
    assert 50_000 < len(text) < 65_536
    assert text.count("> **Cut:** there was no room for") == 2
    assert "## Connect Auditor · web" in text


def test_a_checklist_without_room_is_said(report: Report) -> None:
    text = RENDERERS["markdown"](report, Options(share=100))
    assert "there was no room for 1 more checklist" in text


def test_runs_and_suites_are_told_apart(two: tuple[Report, Report]) -> None:
    assert [run["automationDetails"]["id"] for run in json.loads(joined("sarif", *two))["runs"]] == [
        "connect-auditor/"
    ] * 2
    assert joined("junit", *two).count('<testsuite name="web: ') == 6
    assert len(json.loads(joined("gitlab-codequality", *two))) == 20
    assert [one["application"] for one in json.loads(joined("json", *two))["applications"]] == ["shop", "web"]
