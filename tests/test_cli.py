"""The command: what goes where, and the exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from auditor import __version__, cli
from auditor.audit import Audited, Plan, plan
from auditor.catalogue import Catalogue, ChecklistItem, Example, Rule, Words
from auditor.discover.changes import WHOLE, Change
from auditor.errors import InternalError, UsageError
from auditor.model import Files, Finding, ItemResult, Problem, Report, Tool
from auditor.questions import HandledQuestion
from auditor.reports import RENDERERS

SECRET = "cs_live_this_must_not_be_shown"

FINDING = Finding("missing-state", ("C05",), "medium", "high", "a.py", 1, 1, "No state.", "send one.", "f")
FAILED = ItemResult("C05", "state is fresh", "Authorization flow", "fail", "It is not.")
REVIEW = ItemResult("C03", "separate", "Credentials", "review", "Cannot tell.")
PASSED = ItemResult("C01", "secret", "Credentials", "pass", "Yes.")


def report(*items: ItemResult, findings: tuple[Finding, ...] = (), problems: tuple[Problem, ...] = ()) -> Report:
    return Report(1, Tool("connect-auditor", __version__), ".", items, findings, problems, Files(1, 1))


Answers = Callable[[Report | Exception], list[dict[str, Any]]]


@pytest.fixture
def audit_gives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answers:
    """Puts a stub in the place of the audit; gives the list of calls that it will have got."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def prepare(answer: Report | Exception) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def audit_all(made: Plan, change: Change, **options: Any) -> tuple[Audited, ...]:
            calls.append({"path": made.scopes[0].path, "change": change, **options})
            if isinstance(answer, Exception):
                raise answer
            return (Audited(answer, made.scopes[0], {}),)

        module = types.ModuleType("auditor.audit")
        module.audit_all = audit_all  # type: ignore[attr-defined]
        module.plan = plan  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "auditor.audit", module)
        return calls

    return prepare


@pytest.fixture
def catalogue(monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    rule = Rule(
        items=("C19",), title="A 403 is ignored", severity="low", references=("RFC 6750 section 3.1",), why="Because.",
        decided="By looking.", fix="Answer it.", check=HandledQuestion(403), name="unhandled-forbidden",
        examples=(
            Example("ignored", "python", "fail", code="r = get()  # here: fail\n"),
            Example("also ignored", "python", "fail", code="second\n"),
            Example("not followed", "javascript", "review", code="follow();\n"),
            Example("answered", "python", "pass", files={"a.py": "ok = 1\n", "b.py": "ok = 2\n"}),
            Example("ignored", "typescript", "fail", code="// the next line\n// here: fail\nget();\n"),
        ),
    )  # fmt: skip
    items = (ChecklistItem("C19", "Scopes", "a 403 is handled", "The page."),
             ChecklistItem("C20", "Scopes", "missing scopes can be asked for", "The page."))  # fmt: skip
    made = Catalogue(
        words=Words(flow=(), hints=()), checklist=items, rules={rule.name: rule}, libraries=(), providers=()
    )
    monkeypatch.setattr("auditor.catalogue.load", lambda: made)
    return made


# ---- exit codes


def test_all_passed(audit_gives: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    calls = audit_gives(report(PASSED))
    assert cli.run(["audit"]) == 0
    out, err = capsys.readouterr()
    assert "✓ C01" in out
    assert err == ""
    (call,) = calls
    assert {**call, "cache": None} == {
        "path": Path(),
        "change": WHOLE,
        "progress": None,
        "with_baseline": True,
        "cache": None,
    }


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        ([], 1, "1 finding, 1 item to review (exit 1)"),
        (["--fail-on", "high"], 0, "1 item to review (exit 0)"),
        (["--fail-on", "medium"], 1, "1 finding of severity medium or above, 1 item to review (exit 1)"),
        (["--fail-on", "never"], 0, "1 item to review (exit 0)"),
        (["--fail-on", "never", "--strict"], 1, "1 item to review (exit 1 because of --strict)"),
    ],
)
def test_failures(
    audit_gives: Answers, capsys: pytest.CaptureFixture[str], options: list[str], code: int, line: str
) -> None:
    audit_gives(report(FAILED, REVIEW, findings=(FINDING,)))
    assert cli.run(["audit", *options]) == code
    assert capsys.readouterr().err == f"connect-auditor: {line}\n"


def test_the_configuration_is_used_and_options_go_before_it(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_gives(report(FAILED, findings=(FINDING,)))
    (tmp_path / "connect-auditor.toml").write_text('fail-on = "high"\nformat = "json"\n')
    assert cli.run(["audit"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 1
    assert cli.run(["audit", "--fail-on", "low", "--format", "text"]) == 1
    assert capsys.readouterr().out.startswith("Connect Auditor")


@pytest.mark.parametrize(
    "arguments",
    [["audit", "--nonsense"], ["audit", "--format", "xml"], ["nonsense"], ["audit", "missing"], ["audit", "a", "b"],
     ["audit", "--config", "missing.toml"], ["explain"]],
)  # fmt: skip
def test_wrong_arguments(audit_gives: Answers, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    audit_gives(report())
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err


def test_nothing_to_audit(audit_gives: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    audit_gives(UsageError("nothing to audit in \x1b[2Japp"))
    assert cli.run(["audit"]) == 2
    assert capsys.readouterr() == ("", "connect-auditor: nothing to audit in \\x1b[2Japp\n")


def test_a_broken_configuration_is_said_before_the_audit(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = audit_gives(report())
    (tmp_path / "connect-auditor.toml").write_text("strict =")
    assert cli.run(["audit"]) == 2
    assert "connect-auditor.toml:1" in capsys.readouterr().err
    assert calls == []


@pytest.mark.parametrize("verbose", [False, True])
def test_an_error_of_ours_shows_no_value(
    audit_gives: Answers, capsys: pytest.CaptureFixture[str], verbose: bool
) -> None:
    audit_gives(KeyError(SECRET))
    assert cli.run(["audit", *(["--verbose"] if verbose else [])]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert "internal error: KeyError at test_cli.py:" in err
    assert "report" in err
    assert SECRET not in err
    assert ("in audit\n" in err) is verbose


def test_an_internal_error_says_what_it_is(audit_gives: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    audit_gives(InternalError("the catalogue of rules is empty"))
    assert cli.run(["audit"]) == 3
    assert "internal error: the catalogue of rules is empty;" in capsys.readouterr().err


def test_interrupted(audit_gives: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    audit_gives(report())
    monkeypatch.setattr(sys.modules["auditor.audit"], "audit_all", interrupt)
    assert cli.run(["audit"]) == 130


# ---- output


def test_output_goes_to_the_file_and_nothing_else_to_standard_output(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    audit_gives(report(PASSED))
    assert cli.run(["audit", "--output", "report.txt"]) == 0
    assert capsys.readouterr().out == ""
    text = (tmp_path / "report.txt").read_bytes().decode()
    assert "✓ C01" in text
    assert "\x1b" not in text


def test_an_output_that_cannot_be_written(audit_gives: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    audit_gives(report(PASSED))
    assert cli.run(["audit", "--output", "no/such/folder"]) == 2
    assert "no/such/folder: could not be written: No such file or directory" in capsys.readouterr().err


# ---- formats


@pytest.mark.parametrize(
    ("command", "parameter", "begun", "expected"),
    [(cli.audit, "formats", "s", ["sarif"]), (cli.audit, "formats", "g", ["gitlab-codequality", "github"]),
     (cli.attest, "item", "c0", [f"C0{number}" for number in range(1, 10)]), (cli.attest, "item", "missing", [])],
)  # fmt: skip
def test_completion(command: click.Command, parameter: str, begun: str, expected: list[str]) -> None:
    context = click.Context(command)
    option = next(one for one in command.params if one.name == parameter)
    assert [item.value for item in option.shell_complete(context, begun)] == expected


def test_several_formats_in_one_run(audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calls = audit_gives(report(FAILED, findings=(FINDING,)))
    assert cli.run(["audit", "--format", "sarif=out.sarif", "-f", "json=out.json", "-f", "html=page.html"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("Connect Auditor")
    assert err == "connect-auditor: 1 finding (exit 1)\n"
    assert json.loads((tmp_path / "out.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((tmp_path / "out.json").read_text())["schema"] == 1
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert {file.name for file in tmp_path.iterdir()} == {"out.sarif", "out.json", "page.html"}
    assert len(calls) == 1


@pytest.mark.parametrize("name", RENDERERS)
def test_the_exit_code_is_the_same_in_every_format(
    audit_gives: Answers, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    audit_gives(report(FAILED, REVIEW, findings=(FINDING,)))
    assert cli.run(["audit", "--format", name]) == 1
    assert capsys.readouterr().err == "connect-auditor: 1 finding, 1 item to review (exit 1)\n"
    assert cli.run(["audit", "--format", f"{name}=file"]) == 1
    assert cli.run(["audit", "--format", name, "--fail-on", "high"]) == 0


def test_a_format_without_a_file_takes_standard_output(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_gives(report(PASSED))
    assert cli.run(["audit", "-f", "json", "-f", "text=report.txt"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == 1
    assert "✓ C01" in (tmp_path / "report.txt").read_text()


def test_output_is_for_what_would_go_to_standard_output(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_gives(report(PASSED))
    assert cli.run(["audit", "-f", "sarif=out.sarif", "-o", "report.txt"]) == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "report.txt").read_text().startswith("Connect Auditor")
    assert cli.run(["audit", "-f", "markdown", "-o", "report.md"]) == 0
    assert (tmp_path / "report.md").read_text().startswith("## Connect Auditor")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-f", "sariff"], "there is no format 'sariff': did you mean 'sarif'?"),
        (["-f", "gitlab"], "did you mean 'gitlab-codequality'?"),
        (["-f", "qqqq"], "the formats are text, json, sarif, markdown, html, junit, gitlab-codequality, github"),
        (["-f", "sarif="], "sarif= names no file"),
        (
            ["-f", "json", "-f", "html"],
            "would both go to standard output: give one of them a file, as in --format html=",
        ),
        (["-f", "json=a", "-f", "html=a"], "a: two formats cannot go to the same file"),
        (["-f", "json=a", "-o", "a"], "a: two formats cannot go to the same file"),
        (["-f", "json=no/a"], "no/a: could not be written: No such file or directory"),
        (["-f", "json=."], ".: could not be written: Is a directory"),
    ],
)
def test_formats_that_cannot_be_are_refused_before_the_audit(
    audit_gives: Answers, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], message: str
) -> None:
    calls = audit_gives(report(PASSED))
    assert cli.run(["audit", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_turns_out_unwritable_leaves_no_other_and_no_page(
    audit_gives: Answers, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: object) -> object:
        raise OSError(28, "No space left on device")

    audit_gives(report(PASSED))
    monkeypatch.setattr("tempfile.mkstemp", full)
    assert cli.run(["audit", "-f", "json=a", "-f", "sarif=b"]) == 2
    assert capsys.readouterr() == ("", "connect-auditor: a: could not be written: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_a_repository_is_a_category_of_its_own(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / "apps/shop").mkdir(parents=True)
    audit_gives(report(PASSED))
    for path, name in ((".", "connect-auditor/"), ("apps/shop", "connect-auditor/apps/shop/")):
        cli.run(["audit", path, "-f", "sarif"])
        assert json.loads(capsys.readouterr().out)["runs"][0]["automationDetails"] == {"id": name}


def test_quiet(audit_gives: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    audit_gives(report(PASSED, REVIEW))
    assert cli.run(["audit", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert "C03" in out
    assert "C01" not in out
    assert err == ""


def test_verbose_names_the_configuration(
    audit_gives: Answers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_gives(report(PASSED))
    (tmp_path / "connect-auditor.toml").touch()
    cli.run(["audit", "--verbose"])
    assert f"configuration: {tmp_path / 'connect-auditor.toml'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [({}, [], False), ({"FORCE_COLOR": "1"}, [], True), ({"FORCE_COLOR": "1"}, ["--no-color"], False),
     ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False), ({"FORCE_COLOR": "1", "NO_COLOR": ""}, [], True)],
)  # fmt: skip
def test_colours(
    audit_gives: Answers,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    options: list[str],
    colored: bool,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    audit_gives(report(PASSED))
    cli.run(["audit", *options])
    assert ("\x1b[" in capsys.readouterr().out) is colored


@contextlib.contextmanager
def standard_output(encoding: str) -> Any:
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding=encoding)) as stream:
        yield stream


def test_a_terminal_that_knows_only_ascii(audit_gives: Answers) -> None:
    audit_gives(report(PASSED, problems=(Problem("caf\N{LATIN SMALL LETTER E WITH ACUTE}.py", "syntax", "m"),)))
    with standard_output("ascii") as stream:
        assert cli.run(["audit"]) == 0
        text = stream.buffer.getvalue().decode("ascii")
    assert "  + C01" in text
    assert "caf\\xe9.py" in text


def test_json_is_utf8_whatever_the_terminal_knows(audit_gives: Answers) -> None:
    audit_gives(report(problems=(Problem("caf\N{LATIN SMALL LETTER E WITH ACUTE}.py", "syntax", "m"),)))
    with standard_output("latin-1") as stream:
        assert cli.run(["audit", "--format", "json"]) == 0
        data = json.loads(stream.buffer.getvalue().decode("utf-8"))
    assert data["problems"][0]["path"] == "caf\N{LATIN SMALL LETTER E WITH ACUTE}.py"


def test_progress_only_on_a_terminal_and_when_it_takes_long(
    audit_gives: Answers, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = audit_gives(report(PASSED))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    cli.run(["audit"])
    calls[0]["progress"]("reading")
    assert "reading" not in capsys.readouterr().err
    cli.run(["audit", "--quiet"])
    assert calls[1]["progress"] is None


def test_a_reader_that_has_gone_away() -> None:
    """As in `connect-auditor schema report | head -0`: no traceback, and the command's own exit code."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "auditor", "schema", "report"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


# ---- the other commands


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"connect-auditor {__version__}\n"


def test_help_imports_nothing_that_costs_time() -> None:
    code = "import sys; from auditor import cli; cli.run(['--help']); sys.stderr.write(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Audits an application" in done.stdout
    costly = {"libcst", "tree_sitter", "detect_secrets", "rich", "yaml", "msgspec", "pathspec", "tomllib", "subprocess",
              "jinja2", "junitparser", "tempfile"}  # fmt: skip
    assert not costly & set(done.stderr.split())


def test_schema_report(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schema", "report"]) == 0
    forms = json.loads(capsys.readouterr().out)["anyOf"]
    assert forms == [{"$ref": "#/$defs/Report"}, {"$ref": "#/$defs/Reports"}]


def test_checklist(catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["checklist"]) == 0
    assert capsys.readouterr().out == "Scopes\n  C19  a 403 is handled\n  C20  missing scopes can be asked for\n"
    assert cli.run(["checklist", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)[0] == {
        "id": "C19", "section": "Scopes", "title": "a 403 is handled", "source": "The page.",
    }  # fmt: skip


RULE_PAGE = """\
unhandled-forbidden  low severity, high confidence
  A 403 is ignored
  C19  a 403 is handled

  Why
    Because.

  How it is decided
    By looking.

  Fails: ignored  python
    r = get()  ← found here

  Passes: answered  python
    a.py
    ok = 1
    b.py
    ok = 2

  Fails: ignored  typescript
    // the next line
    get();  ← found here

  Left for review: not followed  javascript
    follow();

  Fix
    Answer it.

  References
    RFC 6750 section 3.1
"""


def test_explain_a_rule(catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["explain", "unhandled-forbidden"]) == 0
    assert capsys.readouterr().out == RULE_PAGE


def test_explain_an_item_in_any_case(catalogue: Catalogue, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["explain", "c19"]) == 0
    assert capsys.readouterr().out == f"C19  a 403 is handled\nScopes\n\nThe page.\n\n{RULE_PAGE}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("unhandled-forbiden", "did you mean 'unhandled-forbidden'?"), ("c2", "did you mean 'C20'?"),
     ("zzzzzz", "`connect-auditor checklist` shows the items")],
)  # fmt: skip
def test_explain_something_unknown(
    catalogue: Catalogue, capsys: pytest.CaptureFixture[str], name: str, hint: str
) -> None:
    assert cli.run(["explain", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"there is no rule or item {name!r}" in err
    assert hint in err
