"""Workflow commands, read back as the runner reads them."""

from __future__ import annotations

import re

import msgspec
import pytest

from auditor.model import Finding, Report
from auditor.reports import RENDERERS, Options


def lines(report: Report) -> list[str]:
    return RENDERERS["github"](report, Options()).splitlines()


def test_the_worst_ten_and_one_line_that_counts(report: Report) -> None:
    found = lines(report)
    assert found[0] == (
        "::error file=app/s7.py,line=1,endLine=1,title=C10 unencrypted-token-storage::In clear: 7.%0AFix: Encrypt it."
    )
    assert found[1] == (
        "::error file=app/oauth.py,line=58,endLine=58,title=C06 missing-state-validation::"
        "The code is exchanged before state is compared.%0AFix: Compare first."
    )
    assert found[9] == "::notice file=app/a.py,line=3,endLine=3,title=plain-http::Plain HTTP.%0AFix: Use https."
    assert found[10] == (
        "Connect Auditor: 2 fail · 1 pass · 1 to review · 1 attested · 1 does not apply · 2 problems · "
        "connects to Monei Connect (app/oauth.py:14), bank.example (app/x.py:8, not judged)"
    )
    assert len(found) == 11


def test_what_is_beyond_ten_is_said(report: Report) -> None:
    more = msgspec.structs.replace(report.findings[0], line=90)
    found = lines(msgspec.structs.replace(report, findings=(*report.findings, more)))
    assert len(found) == 11
    assert found[-1].endswith(" · the worst 10 of 11 failures are annotated")
    assert not any("plain-http" in line for line in found)


def test_an_item_that_failed_without_a_place(report: Report) -> None:
    found = lines(msgspec.structs.replace(report, findings=(), problems=()))
    assert found[0] == "::error title=C06 state is validated::It is not."


@pytest.mark.parametrize("name", ["a%0Ab,c:d.py", "a\n::error::b.py", "::error::x.py", "##[error]x.py"])
def test_the_runner_reads_back_the_path(report: Report, name: str) -> None:
    finding = msgspec.structs.replace(report.findings[0], path=name, message=f"at {name}")
    first, *_ = lines(msgspec.structs.replace(report, findings=(finding,), items=()))
    properties, _, message = first.removeprefix("::error ").partition("::")
    values = dict(one.split("=", 1) for one in properties.split(","))
    assert unescaped(values["file"]) == name
    assert values["line"] == "58"
    assert unescaped(message).startswith("At ")


def unescaped(text: str) -> str:
    """As actions/runner does it: the percent sign last."""
    for code, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, letter)
    return text


def test_audited_text_starts_no_command(hostile: Report) -> None:
    for at in range(len(hostile.findings)):
        found = lines(msgspec.structs.replace(hostile, findings=hostile.findings[at:], items=()))
        assert len(found) <= 11
        for line in found[:-1]:
            assert re.match(r"::(error|notice) file=[^,:]+,line=1,endLine=1,title=[^,:]+::", line)
        assert found[-1].startswith("Connect Auditor: no items")


def test_a_clean_report_is_one_line(report: Report) -> None:
    clean = msgspec.structs.replace(report, items=report.items[:1], findings=(), problems=(), connections=())
    assert lines(clean) == ["Connect Auditor: 1 pass"]


def test_a_line_is_never_zero(report: Report) -> None:
    finding = Finding("r", ("C06",), "high", "high", "a.py", 0, 0, "m", "", "f")
    assert lines(msgspec.structs.replace(report, findings=(finding,), items=()))[0] == (
        "::error file=a.py,line=1,endLine=1,title=C06 r::M."
    )
