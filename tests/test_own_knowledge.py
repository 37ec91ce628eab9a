"""What a repository brings of its own: rules, models of libraries, providers, severities, several applications."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from auditor import cli
from auditor.audit import audit, plan
from auditor.config import schema
from auditor.decisions import attest
from auditor.reports import RENDERERS
from tests.conftest import APP, CHECK, Repository

RULE = """\
items: []
title: A secret of the shop is written into its source
severity: low
references: [our handbook]
why: It is ours.
decided: By looking at literals.
fix: Take it out.
check: {question: literal, kind: client-secret}
examples:
  - name: written here
    language: python
    status: fail
    code: |
      CLIENT_SECRET = "mcs_live_4f9d2c7a8b1e6053"  # here: fail
  - name: from the environment
    language: python
    status: pass
    code: |
      import os
      CLIENT_SECRET = os.environ["CLIENT_SECRET"]
"""
LIBRARY = """\
library: shopkit
language: python
names:
  shopkit.answer: {is: input}
"""
PROVIDER = """\
name: shopbank
hosts: [connect.shopbank.example]
"""


def config(shop: Repository, text: str) -> None:
    shop.write("connect-auditor.toml", text)


def test_rules_libraries_and_providers_are_loaded(shop: Repository) -> None:
    shop.shop()
    shop.write("audit/rules/written-secret.yaml", RULE)
    shop.write("audit/libraries/shopkit.yaml", LIBRARY)
    shop.write("audit/bank.yaml", PROVIDER)
    config(shop, 'rules = ["audit/rules"]\nlibraries = ["audit/libraries"]\nproviders = ["audit/bank.yaml"]\n')
    made = plan(shop.root)
    assert "written-secret" in made.known.rules
    assert made.libraries.find("python", "shopkit.answer") is not None
    assert "shopbank" in {one.name for one in made.known.providers}


def test_a_rule_of_ones_own_is_asked(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop()
    shop.replace("app.py", 'os.environ["MONEI_CLIENT_SECRET"]', '"mcs_live_4f9d2c7a8b1e6053"')
    shop.write("audit/written-secret.yaml", RULE)
    config(shop, 'rules = ["audit/written-secret.yaml"]\n')
    assert "written-secret" in {one.rule for one in audit(shop.root).findings}
    shop.replace("app.py", 'SECRET = "', '# connect-auditor: ignore[written-secret] -- a sandbox\nSECRET = "')
    assert [one.suppressed is not None for one in audit(shop.root).findings if one.rule == "written-secret"] == [True]


def test_severities_are_chosen(shop: Repository) -> None:
    shop.shop(checked=False)
    config(shop, '[severity]\nmissing-state-validation = "low"\n')
    assert [one.severity for one in audit(shop.root).findings] == ["low"]
    assert cli.run(["audit", "--fail-on", "medium"]) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('rules = ["audit"]', "rules: there is no file or folder audit"),
        ('rules = ["bad.yaml"]', "bad.yaml: "),
        ('rules = ["weak-state.yaml"]', "there is a rule 'weak-state' already"),
        ('rules = ["no-examples.yaml"]', "no-examples.yaml: no example"),
        ('libraries = ["link.yaml"]', "libraries: link.yaml: leads out of the repository"),
        ('[severity]\nweak-stat = "low"', "severity: there is no rule 'weak-stat': did you mean 'weak-state'?"),
        ('[severity]\nweak-state = "none"', "severity"),
        ('applications = [{path = "gone"}]', "applications: there is no folder gone"),
        ('applications = [{path = "../x"}]', "is not a path inside the repository"),
        ('applications = [{path = "a/x"}, {path = "b/x"}]', "'x' is the name of two"),
        ('applications = [{paths = "a/x"}]', "applications"),
        ('baseline = "/tmp/x"', "baseline: '/tmp/x' is not a path inside the repository"),
    ],
)
def test_what_is_wrong_is_said(
    shop: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    shop.shop()
    (tmp_path / "outside.yaml").write_text("secret: [not, shown\n")
    (shop.root / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    shop.write("bad.yaml", "title: [")
    shop.write("weak-state.yaml", RULE)
    shop.write("no-examples.yaml", RULE.partition("  - name: from")[0])
    config(shop, text)
    assert cli.run(["audit"]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert "not, shown" not in err


def test_the_schema_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["schema", "config"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Connect Auditor configuration"
    valid = {"exclude": ["x"], "fail-on": "never", "applications": [{"path": "a"}], "severity": {"weak-state": "low"}}
    jsonschema.validate(valid, schema())
    for wrong in ({"fail_on": "never"}, {"severity": {"weak-state": "none"}}, {"applications": [{"name": "a"}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema())


# ---- several applications


@pytest.fixture
def monorepo(shop: Repository) -> Repository:
    shop.shop("apps/api/", checked=False)
    shop.shop("apps/web/")
    config(shop, 'applications = [{path = "apps/api", name = "api"}, {path = "apps/web/"}]\n')
    return shop


def test_each_application_has_a_checklist(monorepo: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["audit"]) == 1
    out, err = capsys.readouterr()
    assert (
        out.index("Connect Auditor · api")
        < out.index("✗ C06")
        < out.index("Connect Auditor · web")
        < out.index("✓ C06")
    )
    assert "api: 1 finding" in err
    assert "web: " in err
    assert cli.run(["audit", "apps/web"]) == 0
    assert "Connect Auditor · web" in capsys.readouterr().out


def test_every_format_is_one_document(monorepo: Repository) -> None:
    formats = [f"--format={name}={name}.out" for name in RENDERERS]
    assert cli.run(["audit", *formats]) == 1
    document = json.loads(monorepo.read("json.out"))
    assert document["schema"] == 1
    assert [one["application"] for one in document["applications"]] == ["api", "web"]
    runs = json.loads(monorepo.read("sarif.out"))["runs"]
    assert [run["automationDetails"]["id"] for run in runs] == [
        "connect-auditor/apps/api/",
        "connect-auditor/apps/web/",
    ]
    assert [one["location"]["path"] for one in json.loads(monorepo.read("gitlab-codequality.out"))] == [
        "apps/api/app.py"
    ]
    assert 'name="api: Authorization flow"' in monorepo.read("junit.out")
    page = monorepo.read("html.out")
    assert "<h1>api, web</h1>" in page
    assert page.count('<details class="item fail" id="application-1-C06"') == 1
    assert page.count('id="application-2-C06"') == 1


def test_the_decisions_of_each_application(monorepo: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--by", "Ada", "--because", "they are"]
    assert cli.run(["attest", "C03", *words]) == 2
    assert "--application with one of api, web" in capsys.readouterr().err
    assert cli.run(["attest", "C03", *words, "--application", "web"]) == 0
    assert (monorepo.root / "apps/web" / attest.FILE_NAME).is_file()
    assert cli.run(["baseline"]) == 0
    capsys.readouterr()
    assert cli.run(["audit", "--format", "json"]) == 0
    api, web = json.loads(capsys.readouterr().out)["applications"]
    statuses = [{item["id"]: item["status"] for item in one["items"]}["C03"] for one in (api, web)]
    assert statuses == ["review", "attested"]
    assert [one["kind"] for one in (*api["problems"], *web["problems"]) if one["kind"] == "baseline"] == []


def test_the_hook_of_a_monorepo(monorepo: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    monorepo.commit()
    monorepo.write("apps/web/app.py", APP.replace(CHECK, ""))
    monorepo.git("add", "--all")
    assert cli.run(["hook"]) == 1
    out, err = capsys.readouterr()
    assert "Connect Auditor · web" in out
    assert "Connect Auditor · api" not in out
    assert "1 failure was there before" in err
