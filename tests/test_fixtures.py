"""The applications in `fixtures/` give the reports that lie beside them.

After a change that is meant to change a report, `REGOLDEN=1 .venv/bin/pytest tests/test_fixtures.py tests/test_readme.py`
writes them anew, and the output in the README: read the difference before you commit it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from auditor.audit import audit
from auditor.catalogue import load
from auditor.model import Report
from auditor.reports import RENDERERS, Options

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"
GOLDEN = FIXTURES / "golden"
REGOLDEN = bool(os.environ.get("REGOLDEN"))
NAMES = ("express-bad", "express-good", "flask-bad", "flask-good")
GOOD = [name for name in NAMES if name.endswith("good")]
BAD = [name for name in NAMES if name.endswith("bad")]


@pytest.fixture(autouse=True)
def _no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hook that runs these tests has told git which repository it means."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def repository(name: str, folder: Path) -> Path:
    """A repository of its own, in which nothing has been committed yet."""
    target = folder / name
    shutil.copytree(FIXTURES / name, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for command in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=target, check=True, capture_output=True)
    return target


def normalised(report: Report) -> Report:
    """Without what changes with a release."""
    return msgspec.structs.replace(report, tool=msgspec.structs.replace(report.tool, version=""))


@pytest.mark.parametrize("name", NAMES)
def test_golden_reports(name: str, tmp_path: Path) -> None:
    report = normalised(audit(repository(name, tmp_path)))
    for suffix, format_ in (("json", "json"), ("txt", "text")):
        golden = GOLDEN / f"{name}.{suffix}"
        written = RENDERERS[format_](report, Options())
        if REGOLDEN:
            golden.write_text(written, encoding="utf-8")
        assert written == golden.read_text(encoding="utf-8"), f"{golden.name} is out of date"


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_a_repository_gives_the_same_verdicts(name: str, tmp_path: Path) -> None:
    """`fixtures/` is a folder of tests to whoever audits this repository, and an application to whoever names it."""
    (tmp_path / "fixtures").mkdir()
    alone = audit(repository(name, tmp_path))
    shutil.copytree(tmp_path / name, tmp_path / "fixtures" / name, ignore=shutil.ignore_patterns(".git"))
    shutil.rmtree(tmp_path / name)
    for command in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, capture_output=True)
    within = audit(tmp_path / "fixtures" / name)
    assert within.application == alone.application == name
    assert within.files == alone.files
    assert {item.id: item.status for item in within.items} == {item.id: item.status for item in alone.items}
    prefix = f"fixtures/{name}/"
    assert [(one.rule, one.path, one.line) for one in within.findings] == [
        (one.rule, prefix + one.path, one.line) for one in alone.findings
    ]


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_found_in_a_good_application(name: str, tmp_path: Path) -> None:
    report = audit(repository(name, tmp_path))
    assert [(one.rule, one.path, one.line) for one in report.findings] == []
    assert [item.id for item in report.items if item.status == "fail"] == []
    assert report.problems == ()


@pytest.mark.parametrize("name", BAD)
def test_findings_of_a_bad_application_belong_to_items_that_fail(name: str, tmp_path: Path) -> None:
    report = audit(repository(name, tmp_path))
    failed = {item.id for item in report.items if item.status == "fail"}
    assert {item for one in report.findings for item in one.items} == failed
    assert {one.rule for one in report.findings} <= load().rules.keys()
    assert report.problems == ()


def test_every_application_has_its_reports_and_no_report_is_left_over() -> None:
    folders = {entry.name for entry in FIXTURES.iterdir() if entry.is_dir() and entry != GOLDEN}
    assert folders == set(NAMES)
    assert {entry.name for entry in GOLDEN.iterdir()} == {
        f"{name}.{suffix}" for name in NAMES for suffix in ("json", "txt")
    }
