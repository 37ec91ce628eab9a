"""`explain PATH:LINE`: what was seen there and why it was decided so, and why not where nothing was seen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from auditor import cli, lookup
from auditor.explanation import Explanation, Guard
from auditor.reports import Options
from auditor.reports.place import render
from tests.conftest import Repository

PYTHON = """\
import os
import secrets

import requests
from flask import Flask, abort, redirect, request, session

app = Flask(__name__)
SECRET = os.environ["MONEI_CLIENT_SECRET"]


@app.get("/connect")
def connect():
    session["oauth_state"] = secrets.token_urlsafe(32)
    return redirect("https://monei.cc/connect/authorize?response_type=code&client_id=a&state=" + session["oauth_state"])


@app.get("/callback")
def callback():
    expected = session.pop("oauth_state", None)
    if not expected or request.args.get("state") != expected:
        abort(400)
    answer = requests.post(
        "https://api.monei.cc/connect/token",
        json={"grant_type": "authorization_code", "code": request.args.get("code"), "client_secret": SECRET},
    )
    print(answer.json()["access_token"])
    return "connected"
"""

JAVASCRIPT = """\
const crypto = require('crypto');
const express = require('express');
const session = require('express-session');

const app = express();
app.use(session({ secret: process.env.SESSION_SECRET }));
const SECRET = process.env.MONEI_CLIENT_SECRET;

app.get('/connect', (req, res) => {
  req.session.oauth_state = crypto.randomBytes(32).toString('hex');
  res.redirect('https://monei.cc/connect/authorize?response_type=code&client_id=a&state=' + req.session.oauth_state);
});

app.get('/callback', async (req, res) => {
  const expected = req.session.oauth_state;
  delete req.session.oauth_state;
  if (!expected || req.query.state !== expected) return res.sendStatus(400);
  const answer = await fetch('https://api.monei.cc/connect/token', {
    method: 'POST',
    body: JSON.stringify({ grant_type: 'authorization_code', code: req.query.code, client_secret: SECRET }),
  });
  console.log((await answer.json()).access_token);
  res.send('connected');
});
"""

CODE = {"app.py": PYTHON, "server.js": JAVASCRIPT}
CALLBACK = {"app.py": 18, "server.js": 14}
"""Where the handler begins."""
COMPARED = {"app.py": 20, "server.js": 17}
"""Where it compares state."""


def line_of(path: str, text: str) -> int:
    return next(number for number, line in enumerate(CODE[path].splitlines(), 1) if text in line)


def seen_at(path: str, line: int, **options: Any) -> Explanation:
    return lookup.explain(lookup.Point(Path(path), line), Path(), **options).explanation


@pytest.fixture
def both(shop: Repository) -> Repository:
    """The same application in Python and in JavaScript."""
    for path, code in CODE.items():
        shop.write(path, code)
    shop.git("add", "--all")
    return shop


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("path", CODE)
@pytest.mark.parametrize("text", ["answer = ", "grant_type"])
def test_every_line_of_the_exchange_shows_it(path: str, text: str) -> None:
    seen = seen_at(path, line_of(path, text))
    (action,) = seen.actions
    assert (action.name, action.line) == ("exchange", line_of(path, "answer = "))
    assert action.values == (
        ("provider", "Monei Connect"),
        ("code", "authorization-code, received: request.code"),
        ("secret", "client-secret, from the environment: environment.MONEI_CLIENT_SECRET"),
    )
    assert action.entries == (f"route GET /callback ({path}:{CALLBACK[path]})",)
    assert action.guards == (
        Guard("request.state == session.oauth_state", COMPARED[path], "received-state and stored-state"),
        Guard("present session.oauth_state", 0, "stored-state"),
    )


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("path", CODE)
def test_what_was_decided_of_the_exchange_and_why(path: str) -> None:
    seen = seen_at(path, line_of(path, "answer = "))
    (proof,) = [one for one in seen.decisions if one.items == ("C06",)]
    assert (proof.status, proof.rule) == ("pass", "missing-state-validation")
    assert (proof.path, proof.line) == (path, COMPARED[path])
    assert (proof.touch, proof.role) == ("related", "the code is exchanged here")
    assert proof.message.endswith(f"at line {line_of(path, 'answer = ')}")
    assert proof.decided.startswith("Each request handler")
    assert seen.unit is not None
    assert seen.unit.line <= CALLBACK[path] < seen.unit.end_line
    assert f"callback (line {line_of(path, 'answer = ')})" in seen.unit.roles


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("path", CODE)
def test_the_comparison(path: str) -> None:
    seen = seen_at(path, COMPARED[path])
    line = COMPARED[path]
    assert seen.asked == (Guard("request.state == session.oauth_state", line, "received-state and stored-state"),)
    assert (seen.decisions[0].items, seen.decisions[0].touch) == (("C06",), "here")
    assert ("exchange", line_of(path, "answer = ")) in [(one.name, one.line) for one in seen.nearby]


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    ("path", "made"), [("app.py", "secrets.token_urlsafe(…)"), ("server.js", "crypto.randomBytes(…)")]
)
def test_the_start_of_the_flow(path: str, made: str) -> None:
    seen = seen_at(path, line_of(path, "32"))
    assert seen.asked == (Guard(made, line_of(path, "32"), "fresh-random"),)
    (store,) = seen.actions
    assert store.values == (("holder", "session (cookie)"), ("key", "oauth_state"), ("value", f"sent-state: {made}"))
    seen = seen_at(path, line_of(path, "connect/authorize"))
    authorize = next(one for one in seen.actions if one.name == "authorize")
    assert dict(authorize.values)["state"] == f"random, made anew for each request: {made}"
    assert seen.unit is not None
    assert f"start of authorization (line {line_of(path, 'connect/authorize')})" in seen.unit.roles


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize("path", CODE)
def test_a_leak(path: str) -> None:
    seen = seen_at(path, line_of(path, "access_token"))
    (log,) = seen.actions
    assert log.name == "log"
    assert dict(log.values)["value"].startswith("access-token in the clear: ")
    first = seen.decisions[0]
    assert (first.status, first.rule, first.touch) == ("fail", "secret-in-log", "here")


@pytest.mark.parametrize(
    ("path", "call", "named"),
    [("app.py", "    import unheard; unheard.of(session)\n", "unheard.of(…)"),
     ("server.js", "  require('unheard').of(expected);\n", "unheard.of(…)")],
)  # fmt: skip
def test_a_call_that_no_model_describes(both: Repository, path: str, call: str, named: str) -> None:
    before = "    answer = " if path == "app.py" else "  const answer = "
    both.replace(path, before, call + before)
    line = line_of(path, before)
    assert seen_at(path, line).unfollowed == (f"{named}: no model says what it does",)


def test_a_suppressed_failure_says_why(both: Repository) -> None:
    both.replace(
        "app.py", "    print(", "    # connect-auditor: ignore[secret-in-log] -- a fake of the provider\n    print("
    )
    seen = seen_at("app.py", line_of("app.py", "print(") + 1)
    assert seen.decisions[0].note == "suppressed by comment: a fake of the provider"


# ---- nothing seen, and why


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("plain.py", "x = 1\n", "it was not analysed: none of the words of the flow stands in it (client_secret, "),
        ("tests/test_app.py", "access_token = 1\n", "by its path it is test, and tests are not part of the application"),
        ("style.css", "a {}\n", "it was not analysed: no frontend reads files of this kind"),
        ("excluded/a.py", "access_token = 1\n", "`exclude` in connect-auditor.toml leaves it out"),
        ("ignored.py", "access_token = 1\n", "git ignores it, and `git check-ignore -v ignored.py` says why"),
        ("broken.py", "access_token = (\n", "it was not analysed: "),
        ("broken.js", "const access_token = {{{\n", "it was "),
        ("huge.py", "access_token = 1\n" * 150_000, "it was not analysed: larger than 2 MiB: not read"),
        ("word.js", "const bearer = 1;\n", "analysed, because it has the word bearer"),
        ("two.py", "access_token = client_id\n", "analysed, because it has the words access_token, client_id"),
        (".env", "MONEI_CLIENT_SECRET=\n", "analysed as settings: "),
    ],
)  # fmt: skip
def test_whether_the_file_was_read(both: Repository, path: str, text: str, reason: str) -> None:
    both.write("connect-auditor.toml", 'exclude = ["excluded/"]\n')
    both.write(".gitignore", "ignored.py\n")
    both.write(path, text)
    both.git("add", "--all")
    seen = seen_at(path, 1)
    assert any(reason in sentence for sentence in seen.reading), seen.reading
    assert seen.actions == ()


def test_a_file_that_others_lean_on(both: Repository) -> None:
    both.write("helper.py", "def give(value):\n    return value\n")
    both.replace("app.py", "import requests\n", "import requests\nfrom helper import give\n")
    both.git("add", "--all")
    assert seen_at("helper.py", 2).reading == (
        "analysed, because a file of the flow leans on it, or it on one; no word of the flow stands in it",
    )


@pytest.mark.parametrize("path", CODE)
def test_a_provider_that_is_not_judged(both: Repository, path: str) -> None:
    both.write("connect-auditor.toml", 'provider = ["google"]\n')
    both.git("rm", "-q", "--cached", next(other for other in CODE if other != path))
    (both.root / next(other for other in CODE if other != path)).unlink()
    seen = seen_at(path, line_of(path, "answer = "))
    sentence = "what is done with Monei Connect is not judged: `provider` in connect-auditor.toml leaves it out"
    assert sentence in seen.reading
    assert seen.actions == ()


def test_a_repository_without_git_and_applications_of_a_monorepo(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("apps/api", "lib"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "app.py").write_text(PYTHON)
    (tmp_path / "connect-auditor.toml").write_text('applications = [{ path = "apps/api", name = "api" }]\n')
    assert seen_at("apps/api/app.py", 22).application == "api"
    assert seen_at("lib/app.py", 22).reading == (
        "it was not read: it lies outside of what is audited (apps/api); --in FOLDER says what to audit",
    )


# ---- the command


@pytest.mark.usefixtures("both")
def test_the_page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert cli.run(["explain", f"app.py:{line_of('app.py', 'requests.post(')}"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith("app.py:22 · python, runs on a server · shop\n  analysed, because it has the words ")
    assert "\n  22 >     answer = requests.post(\n" in out
    assert (
        "\nIn callback  lines 17 to 27\n  roles           clears what is stored (line 19)\n                  callback (line 22)\n"
        in out
    )
    assert (
        "\nexchange  requests.post  line 22\n  provider        Monei Connect\n  code            authorization-code, received: request.code\n"
        in out
    )
    assert (
        "\n  guards          request.state == session.oauth_state (line 20, received-state and stored-state)\n" in out
    )
    assert "\n  ✓ C06  missing-state-validation  at app.py:20, this line: the code is exchanged here\n" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 120


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.py:3", "there is no file missing.py"),
        ("app.py:0", "there is no line 0: app.py has 27 lines"),
        ("app.py:28", "there is no line 28: app.py has 27 lines"),
        (".:1", ". is a folder: name a file and a line"),
        ("../outside.py:1", "../outside.py lies outside of the repository"),
        ("empty.py:1", "there is no line 1: empty.py has 0 lines"),
    ],
)
def test_a_line_that_is_not_there(
    both: Repository, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    both.write("empty.py", "")
    (both.root.parent / "outside.py").write_text("x = 1\n")
    assert cli.run(["explain", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_a_path_as_reports_write_it_and_a_column(both: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    both.write("apps/pay/app.py", PYTHON)
    monkeypatch.chdir(both.root / "apps")
    asked = lookup.point("apps/pay/app.py:22:5")
    assert asked == lookup.Point(Path("apps/pay/app.py"), 22)
    seen = lookup.explain(asked, Path("pay")).explanation
    assert (seen.path, seen.application) == ("apps/pay/app.py", "pay")
    assert [one.name for one in seen.actions] == ["exchange"]
    assert lookup.point("C06") is None
    assert lookup.point("app.py") is None


RULE = """\
items: []
title: No 403
severity: low
references: [ours]
why: Ours.
decided: So.
fix: Do.
check: {question: handled, status: 403}
examples:
  - {name: bad, language: python, status: fail, code: "x = 1"}
  - {name: good, language: python, status: pass, code: "x = 2"}
"""


def test_a_rule_of_the_repository_and_completion(both: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    both.write("audit/our-rule.yaml", RULE)
    both.write("connect-auditor.toml", 'rules = ["audit"]\nseverity = { weak-state = "low" }\n')
    assert cli.run(["explain", "our-rule"]) == 0
    assert capsys.readouterr().out.startswith("our-rule  low severity")
    assert cli.run(["explain", "weak-state"]) == 0
    assert capsys.readouterr().out.startswith("weak-state  low severity")
    parameter = next(one for one in cli.explain.params if one.name == "name")
    completed = [item.value for item in parameter.shell_complete(cli.explain.make_context("explain", ["x"]), "miss")]
    assert completed == ["missing-state-validation", "missing-state"]
    (file,) = parameter.shell_complete(cli.explain.make_context("explain", ["x"]), "app/o")
    assert (file.value, file.type) == ("app/o", "file")
    assert [item.value for item in parameter.shell_complete(cli.explain.make_context("explain", ["x"]), "c1")] == [
        f"C1{number}" for number in range(10)
    ]


def test_a_hostile_name_is_spelled_out(both: Repository) -> None:
    name = "a\x1b[2J\nb.py"
    both.write(name, PYTHON)
    page = render(seen_at(name, 22), (), Options())
    assert not re.search("[\x00-\x09\x0b-\x1f]", page)
    assert page.startswith("a\\x1b[2J\\nb.py:22")
