"""What the documents show is true: the output, the table of the rules, the configuration, the worked example.

`REGOLDEN=1` writes what is generated anew, see `test_fixtures.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from auditor.audit import audit
from auditor.catalogue import load
from auditor.config import Config
from auditor.model import Report
from auditor.outcome import outcome
from auditor.reports import RENDERERS, Options

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
REGOLDEN = bool(os.environ.get("REGOLDEN"))
LINES = 36
"""How much of the output is shown."""


@pytest.fixture(autouse=True)
def _no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)


def part(file: Path, name: str) -> str:
    """What stands between the marks of this name."""
    found = re.search(f"<!-- begin: {name} -->\n(.*?)<!-- end: {name} -->", file.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, f"{file.name} has lost its part {name!r}"
    return found[1]


def check_part(name: str, expected: str) -> None:
    """Assert that a generated part of the README is up to date, or write it."""
    if REGOLDEN:
        text = README.read_text(encoding="utf-8")
        marks = f"<!-- begin: {name} -->\n", f"<!-- end: {name} -->"
        README.write_text(
            text.replace(marks[0] + part(README, name) + marks[1], expected.join(marks)), encoding="utf-8"
        )
    assert part(README, name) == expected, f"the part {name!r} of the README is out of date"


def audit_of_the_readme(folder: Path) -> Report:
    """The audit that the README's first command makes, in a checkout with nothing but what is audited."""
    command = re.search(r"connect-auditor audit \./(\S+)\n", README.read_text(encoding="utf-8"))
    assert command is not None
    shutil.copytree(ROOT / command[1], folder / command[1], ignore=shutil.ignore_patterns("__pycache__"))
    for arguments in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return audit(folder / command[1])


def test_output(tmp_path: Path) -> None:
    report = audit_of_the_readme(tmp_path)
    lines = RENDERERS["text"](report, Options()).splitlines()[:LINES]
    check_part("output", "```text\n" + "\n".join(lines).rstrip() + "\n```\n")
    assert outcome(report, "low", strict=False).code == 1


def test_rules() -> None:
    known = load()
    order = [item.id for item in known.checklist]
    rules = sorted(known.rules.values(), key=lambda rule: ([order.index(item) for item in rule.items], rule.name))
    table = "".join(f"| {', '.join(one.items)} | `{one.name}` | {one.severity} | {one.title} |\n" for one in rules)
    decided = {item for rule in rules for item in rule.items}
    open_items = [item for item in order if item not in decided]
    rest = f"\nNo rule decides {', '.join(open_items)} yet: there the answer is a review.\n" if open_items else ""
    check_part("rules", f"| item | rule | severity | what it finds |\n| --- | --- | --- | --- |\n{table}{rest}")


def test_configuration() -> None:
    text = README.read_text(encoding="utf-8").partition("## Configuration")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"^\| `([\w-]+)` \| `([^`]+)` \|", text, re.MULTILINE))
    defaults = dict(zip(Config.__struct_encode_fields__, Config.__struct_defaults__, strict=True))
    assert shown
    for key, default in shown.items():
        value = defaults[key]
        plain = {(): "[]", True: "true", False: "false"}.get(value, f'"{value}"')
        assert default == plain, key


def test_links_lead_somewhere() -> None:
    for file in (README, CONTRIBUTING):
        for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{file.name}: {target}"


APPLICATION = """\
import os

import acme_http
from flask import Flask, redirect, render_template, request
from models import current_user, save

app = Flask(__name__)
BASE = "https://api.monei.cc/api/v1"


@app.get("/monei/callback")
def callback():
    answer = acme_http.connect().submit(
        f"{BASE}/connect/token",
        {"grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"]},
    )
    save(answer.data())
    return redirect("/wallet")


@app.get("/wallet")
def wallet():
    token = current_user().access_token
    answer = acme_http.connect().fetch(f"{BASE}/wallet/me", headers={"Authorization": f"Bearer {token}"})
    if answer.number == 403:
        return render_template("not-granted.html")
    return render_template("wallet.html", wallet=answer.data())
"""


def test_the_model_that_is_worked_out(tmp_path: Path) -> None:
    def forbidden() -> str:
        return next(item.status for item in audit(tmp_path).items if item.id == "C19")

    (tmp_path / "app.py").write_text(APPLICATION, encoding="utf-8")
    assert forbidden() != "pass"
    folder = tmp_path / "audit/libraries"
    folder.mkdir(parents=True)
    model = part(CONTRIBUTING, "model").removeprefix("```yaml\n").removesuffix("```\n")
    (folder / "acme-http.yaml").write_text(model, encoding="utf-8")
    assert forbidden() != "pass"
    (tmp_path / "connect-auditor.toml").write_text('libraries = ["audit/libraries"]\n', encoding="utf-8")
    assert forbidden() == "pass"
