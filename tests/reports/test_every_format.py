"""What holds for each format: no secret, nothing hostile, always the same bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from auditor.model import Files, Report, Tool
from auditor.reports import FOR_MACHINES, RENDERERS, Options

FORMATS = tuple(RENDERERS)


def test_the_names() -> None:
    assert FORMATS == ("text", "json", "sarif", "markdown", "html", "junit", "gitlab-codequality", "github")
    assert frozenset(FORMATS) - {"text"} == FOR_MACHINES


def test_the_audit_sees_what_was_planted(planted: Any) -> None:
    """Else the next test would prove nothing."""
    seen = {(one.rule, one.path) for one in planted.report.findings}
    assert ("hardcoded-client-secret", "app/oauth.py") in seen
    assert ("hardcoded-client-secret", "app/pay.js") in seen
    assert ("missing-state-validation", "app/oauth.py") in seen
    assert ("missing-state", "app/pay.js") in seen
    assert len(planted.secrets) == 13


@pytest.mark.parametrize("name", FORMATS)
def test_no_secret_is_shown(planted: Any, name: str) -> None:
    text = RENDERERS[name](planted.report, planted.options._replace(detail="full"))
    assert [secret for secret in planted.secrets if secret in text] == []


@pytest.mark.parametrize("name", FORMATS)
def test_no_secret_is_shown_whatever_finding_lies_beside_it(planted: Any, name: str) -> None:
    """Every line of every file once as the place of a finding that is not about secrets, without any that is."""
    findings = tuple(
        msgspec.structs.replace(planted.report.findings[0], rule="missing-state", items=("C05",), path=path, line=line,
                                end_line=line, fingerprint=f"{path}{line}")
        for path in ("app/oauth.py", "app/pay.js", "app/token.py", ".env", "config/settings.yaml")
        for line in range(1, len((planted.root / path).read_text().splitlines()) + 1)
    )  # fmt: skip
    for start in range(0, len(findings), 15):
        report = msgspec.structs.replace(planted.report, findings=findings[start : start + 15])
        text = RENDERERS[name](report, planted.options)
        assert [secret for secret in planted.secrets if secret in text] == []


@pytest.mark.parametrize("name", FORMATS)
def test_equal_reports_are_equal_byte_for_byte(planted: Any, name: str) -> None:
    assert RENDERERS[name](planted.report, planted.options) == RENDERERS[name](planted.report, planted.options)


def test_the_order_of_hashes_changes_nothing(planted: Any) -> None:
    """In two processes with different seeds, of the audit too."""
    code = (
        "import sys; from pathlib import Path; from auditor.audit import audit; from auditor.catalogue import load;"
        "from auditor.reports import RENDERERS, Options;"
        "root = Path(sys.argv[1]); report = audit(root);"
        "options = Options(rules=load().rules, read=lambda path: (root / path).read_bytes());"
        "[sys.stdout.buffer.write(render(report, options).encode()) for render in RENDERERS.values()]"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code, str(planted.root)], capture_output=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert outputs[0] == outputs[1]
    assert b"<!doctype html>" in outputs[0]


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_without_anything(name: str) -> None:
    empty = Report(1, Tool("connect-auditor", "1.2.3"), ".", (), (), (), Files(0, 0))
    assert RENDERERS[name](empty, Options()).endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_invisible_comes_through(hostile: Report, name: str) -> None:
    """Our JSON is data: it may hold direction marks and the like as they are, but no control character either."""
    text = RENDERERS[name](hostile, Options(detail="full"))
    assert not set(text) & set("\x00\x1b\x9b" if name == "json" else "\x00\x1b\x9b\ufffe\u202e")


@pytest.mark.parametrize("name", FORMATS)
def test_options_for_people_change_no_format_for_machines(report: Report, name: str) -> None:
    plain, fancy = Options(), Options(color=True, width=40, unicode=False, detail="brief")
    assert (RENDERERS[name](report, plain) == RENDERERS[name](report, fancy)) is (name in FOR_MACHINES)
