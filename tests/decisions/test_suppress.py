"""Comments that suppress, and those that must not."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace

from auditor.audit import audit
from auditor.decisions import suppress
from auditor.model import Finding, Problem, Report

RULES = {"missing-state": ("C05",), "weak-state": ("C05",), "secret-in-log": ("N03",)}
TODAY = date(2026, 11, 25)


def finding(line: int, rule: str = "missing-state", path: str = "a.py") -> Finding:
    return Finding(rule, RULES[rule], "high", "high", path, line, line, "m", "f", f"{rule}{line}")


def run(text: str, *findings: Finding, path: str = "a.py") -> tuple[list[str], list[tuple[int, str]]]:
    """The reasons of the findings ("" for those that count), and what is wrong with the comments."""
    found, problems = suppress.apply(findings, {path: text.encode()}, RULES, (), TODAY)
    assert all(isinstance(one, Problem) and one.kind == "suppression" and one.path == path for one in problems)
    return [one.suppressed.reason if one.suppressed else "" for one in found], [
        (one.line, one.message) for one in problems
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = 1  # connect-auditor: ignore[missing-state] -- because\n", 1),
        ("# connect-auditor: ignore[missing-state] -- because\nx = 1\n", 2),
        ("x = 1  # noqa: S105  # connect-auditor: ignore[missing-state] -- because\n", 1),
        ("#connect-auditor:ignore[ missing-state ]--because\nx = 1\n", 2),
        ("# connect-auditor: ignore[missing-state] until=2026-11-25 -- because\nx = 1\n", 2),
        ("# connect-auditor: ignore[missing-state] -- because, until=2027-01-31\nx = 1\n", 2),
        ("# connect-auditor: ignore[missing-state] -- because\n# connect-auditor: ignore[weak-state] -- w\nx = 1\n", 3),
        ("if x:\n    # connect-auditor: ignore[missing-state, missing-state] -- because\n    x = 1\n", 3),
    ],
)
def test_suppressed(text: str, line: int) -> None:
    reasons, problems = run(text, finding(line))
    assert reasons == ["because"]
    assert [message for _, message in problems if "weak-state" not in message] == []


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.js", "/* connect-auditor: ignore[missing-state] -- because */\nx = 1;\n", 2),
        ("a.js", "/**\n * connect-auditor: ignore[missing-state] -- because\n * and more\n */\nx = 1;\n", 5),
        ("a.tsx", "<a>\n{/* connect-auditor: ignore[missing-state] -- because */}\n<b/></a>\n", 3),
        ("a.html", "<!-- connect-auditor: ignore[missing-state] -- because -->\n<p>\n", 2),
        ("a.html", "<p> {# connect-auditor: ignore[missing-state] -- because #}\n", 1),
        ("a.html", "<script>\n// connect-auditor: ignore[missing-state] -- because\nx();\n</script>\n", 3),
        ("a.html", "<p> {% comment %} connect-auditor: ignore[missing-state] -- because {% endcomment %}\n", 1),
        (".env", "A=x # connect-auditor: ignore[missing-state] -- because\n", 1),
        ("a.yaml", "# connect-auditor: ignore[missing-state] -- because\na: x\n", 2),
    ],
)
def test_suppressed_in_every_language(path: str, text: str, line: int) -> None:
    assert run(text, finding(line, path=path), path=path) == (["because"], [])


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("ignore[missing-state]", "gives no reason"),
        ("ignore[missing-state] because", "gives no reason"),
        ("ignore[missing-state] -- ", "gives no reason"),
        ("ignore[missing-state] -- ...", "gives no reason"),
        ("ignore[missing-state] -- until=2027-01-31", "gives no reason"),
        (
            "ignore[missing-states] -- because",
            "there is no rule 'missing-states', this comment suppresses nothing: did you",
        ),
        ("ignore[missing-state, nonsense] -- because", "there is no rule 'nonsense'"),
        ("ignore[C05] -- because", "the rules of C05 are missing-state, weak-state"),
        ("ignore[*] -- because", "there is no rule '*'"),
        ("ignore[] -- because", "names no rule"),
        ("ignore[missing-state,] -- because", "names no rule"),
        ("ignore -- because", "not understood"),
        ("ignore missing-state -- because", "not understood"),
        ("ignore[missing-state] forever -- because", "not understood"),
        ("disable[missing-state] -- because", "not understood"),
        ("", "not understood"),
        ("ignore[missing-state] until=2026-11-24 -- because", "ended with 2026-11-24"),
        ("ignore[missing-state] -- because until=2026-11-24", "ended with 2026-11-24"),
        ("ignore[missing-state] until=soon -- because", "until= needs a date"),
        ("ignore[missing-state] until=2027-02-30 -- because", "until= needs a date"),
    ],
)
def test_what_is_wrong_suppresses_nothing_and_is_reported(said: str, problem: str) -> None:
    reasons, problems = run(f"x = 1  # connect-auditor: {said}\n", finding(1))
    assert reasons == [""]
    assert len(problems) == 1
    assert problems[0][0] == 1
    assert problem in problems[0][1]


@pytest.mark.parametrize(
    "text",
    [
        'x = "# connect-auditor: ignore[missing-state] -- because"\n',
        '"""\n# connect-auditor: ignore[missing-state] -- because\n"""\n',
        "# see connect-auditor: it says why\n",
        "x = 1\n",
    ],
)
def test_what_is_no_comment_to_us_is_nothing(text: str) -> None:
    assert run(text, finding(1), finding(3)) == (["", ""], [])


def test_a_comment_speaks_of_one_line_only() -> None:
    text = "x = 1  # connect-auditor: ignore[missing-state] -- because\nx = 2\n"
    assert run(text, finding(1), finding(2)) == (["because", ""], [])
    text = "# connect-auditor: ignore[missing-state] -- because\n\nx = 2\n"
    assert run(text, finding(3))[0] == [""]


def test_unused_comments_are_reported_by_rule() -> None:
    text = "x = 1  # connect-auditor: ignore[missing-state, weak-state] -- because\n"
    reasons, problems = run(text, finding(1))
    assert reasons == ["because"]
    assert problems == [(1, "nothing to suppress: there is no finding of weak-state on line 1")]


def test_what_could_not_be_judged_is_not_unused() -> None:
    source = {"a.py": b"x = 1  # connect-auditor: ignore[missing-state] -- because\n"}
    assert suppress.apply((), source, RULES, {"a.py"}, TODAY) == ((), ())


def test_a_file_that_cannot_be_read_to_its_end() -> None:
    text = "x = '''\n# connect-auditor: ignore[missing-state] -- because\n"
    reasons, problems = run(text, finding(3))
    assert reasons == [""]
    assert "not known to be a comment" in problems[0][1]


def test_many_comments_take_no_time() -> None:
    import time

    began = time.perf_counter()
    run("# connect-auditor: ignore[missing-state] -- because\n" * 20_000, finding(20_001))
    run("# " + "#" * 500_000 + " connect-auditor: x\n" + "/" * 500_000)
    run("# connect-auditor: ignore[missing-state] -- " + " " * 500_000 + "\n")
    assert time.perf_counter() - began < 10


@pytest.mark.parametrize(
    "text",
    [
        "x = f(\n    1,\n)  # connect-auditor: ignore[missing-state] -- because\n",
        "x = f(  # connect-auditor: ignore[missing-state] -- because\n    1,\n)\n",
        "x = f(\n    1,  # connect-auditor: ignore[missing-state] -- because\n)\n",
    ],
)
def test_a_statement_of_several_lines(text: str) -> None:
    """Its first and its last line count: what stands between them may be a statement of its own."""
    reasons, problems = run(text, replace(finding(1), end_line=3))
    inside = "1,  #" in text
    assert reasons == ["" if inside else "because"]
    assert bool(problems) is inside


def test_a_byte_order_mark_is_nothing() -> None:
    for path, sign in (("a.js", "//"), ("a.py", "#"), (".env", "#"), ("a.yaml", "#")):
        text = f"\ufeff{sign} connect-auditor: ignore[missing-state] -- because\nx = 1\n"
        assert run(text, finding(2, path=path), path=path) == (["because"], []), path


@pytest.mark.parametrize("said", ["connect-auditor ignore[missing-state] -- because", "connect-auditor ignore -- x"])
def test_a_forgotten_colon_is_reported(said: str) -> None:
    reasons, problems = run(f"# {said}\nx = 1\n", finding(2))
    assert reasons == [""]
    assert "not understood" in problems[0][1]
    assert run("# the connect-auditor ignores this\nx = 1\n", finding(2)) == ([""], [])


LOGGED = """\
import os
import requests
from flask import Flask, request, session
app = Flask(__name__)


@app.get(
    "/callback",
)
@measured
def callback():
    data = {"grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"]}
    answer = requests.post(
        "https://connect.example.com/token",
        data=data,
    )
    print(
        "got",
        answer.json(),
    )
    return "connected"
"""
NEST = """\
import { Controller, Get, Query } from '@nestjs/common';
import axios from 'axios';

@Controller('oauth')
export class OAuth {
  @Get('callback')
  async callback(@Query('code') code: string) {
    const { data } = await axios.post('https://connect.example.com/token', {
      grant_type: 'authorization_code', code, client_secret: process.env.SECRET,
    });
    return 'connected';
  }
}
"""
RULE = "missing-state-validation"


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("app.py", LOGGED, "@app.get("),
        ("app.py", LOGGED, '    "/callback",'),
        ("app.py", LOGGED, "@measured"),
        ("app.py", LOGGED, "def callback"),
        ("oauth.ts", NEST, "  @Get('callback')"),
        ("oauth.ts", NEST, "  async callback"),
    ],
)
@pytest.mark.parametrize("above", [True, False])
def test_a_function_with_decorators(tmp_path: Path, name: str, text: str, line: str, above: bool) -> None:
    said = f"{'#' if name == 'app.py' else '//'} connect-auditor: ignore[{RULE}] -- because"
    assert [one.suppressed for one in of(tmp_path, name, text).findings if one.rule == RULE] == [None]
    written = next(each for each in text.splitlines() if each.startswith(line))
    report = of(tmp_path, name, text.replace(written, f"{said}\n{written}" if above else f"{written}  {said}"))
    assert [one.suppressed is not None for one in report.findings if one.rule == RULE] == [True]
    assert [one for one in report.problems if one.kind == "suppression"] == []
    (item,) = (one for one in report.items if one.id == "C06")
    assert (item.status, "because" in item.summary) == ("review", True)


def test_a_comment_in_a_file_that_no_rule_was_asked_about_is_not_said_to_be_in_vain(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text(f"# connect-auditor: ignore[{RULE}] -- because\nx = 1\n")
    assert [one for one in of(tmp_path, "app.py", LOGGED).problems if one.kind == "suppression"] == []
    (tmp_path / "other.py").write_text("# connect-auditor: ignore[nonsense] -- because\nx = 1\n")
    (problem,) = (one for one in of(tmp_path, "app.py", LOGGED).problems if one.kind == "suppression")
    assert (problem.path, problem.line) == ("other.py", 1)


def of(folder: Path, name: str, text: str) -> Report:
    (folder / name).write_text(text)
    return audit(folder)
