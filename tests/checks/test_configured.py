"""Client secrets in configuration files: found where they are committed, by their names and by what looks them up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from auditor.audit import audit
from auditor.discover.prefilter import is_sample, language
from auditor.model import Report

SECRET = "q7Xc92LmPz0vR4tYbN8s"
HEX = "9f8b1c2d3e4a5f60718293a4b5c6d7e8"
APP = """\
import requests
from flask import Flask, request
app = Flask(__name__)
app.config.from_pyfile("keys.cfg")
@app.route("/callback")
def callback():
    data = {"grant_type": "authorization_code", "code": request.args["code"], "client_secret": app.config["API_KEY"]}
    return requests.post("https://provider.example/oauth/token", data=data).json()["name"]
"""


def report(folder: Path, files: dict[str, str], tracked: bool | None = True) -> Report:
    """The report of these files; `tracked` None: there is no git."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if tracked is not None:
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    if tracked:
        subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    return audit(folder)


def findings(found: Report) -> list[tuple[str, int, str]]:
    return [(one.path, one.line, one.confidence) for one in found.findings if one.rule == "hardcoded-client-secret"]


def status(found: Report) -> str:
    return next(item.status for item in found.items if item.id == "C01")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("config.yaml", f"a: 1\nmonzo:\n  client_secret: {SECRET}\n", 3),
        ("config.yaml", f"oauth:\n  client: {{id: x, secret: {SECRET}}}\n", 2),
        ("app.json", f'{{"extra": {{\n"clientSecret": "{SECRET}"}}}}', 2),
        ("docker-compose.yml", f"services:\n  a:\n    environment:\n      - CLIENT_SECRET={SECRET}\n", 4),
        ("Info.plist", f"<plist><dict>\n<key>ClientSecret</key>\n<string>{SECRET}</string></dict></plist>", 2),
        (
            "android/res/values/strings.xml",
            f'<resources>\n<string name="client_secret">{SECRET}</string></resources>',
            2,
        ),
        ("build.gradle", f'buildConfigField "String", "CLIENT_SECRET", "\\"{SECRET}\\""', 1),
        ("page.html", f'<form>\n<input type="hidden" name="client_secret" value="{SECRET}"></form>', 2),
    ],
)
def test_a_committed_secret_is_found(tmp_path: Path, name: str, text: str, line: int) -> None:
    found = report(tmp_path, {name: text})
    assert findings(found) == [(name, line, "high")]
    assert SECRET not in str(found)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.yaml", "client_secret: your-client-secret\n"),
        ("config.yaml", "client_secret: ${CLIENT_SECRET}\nother: {client_secret: }\n"),
        ("config.yaml", "client_secret: !vault |\n  6162636465666768\n"),
        ("config.yaml", f"jwt: {{secret: {SECRET}}}\nclient_id: {SECRET}\n"),
        ("values.yaml", "client_secret: {{ .Values.secret }}\n"),
        (".env.example", "CLIENT_SECRET=123abc123\n"),
        ("tests/config.yaml", f"client_secret: {SECRET}\n"),
        ("en.json", '{"client_secret": "Your client secret", "clientSecret": "Client Secret"}'),
    ],
)
def test_what_is_no_secret_is_not(tmp_path: Path, name: str, text: str) -> None:
    assert findings(report(tmp_path, {name: text})) == []


def test_environment_files_are_the_environment(tmp_path: Path) -> None:
    found = report(tmp_path, {".env": f"A=1\nMONZO_CLIENT_SECRET={HEX}\n"})
    assert [(one.rule, one.path, one.line) for one in found.findings] == [("committed-env-file", ".env", 2)]


def test_a_sample_with_a_real_looking_secret(tmp_path: Path) -> None:
    text = f"CLIENT_SECRET={HEX}\n"
    assert findings(report(tmp_path, {".env.example": text})) == [(".env.example", 1, "medium")]


def test_what_is_not_committed_is_kept_where_it_belongs(tmp_path: Path) -> None:
    text = f"client_secret: {SECRET}\n"
    assert findings(report(tmp_path, {"config.yaml": text, ".env": f"CLIENT_SECRET={HEX}\n"}, tracked=False)) == []


def test_without_git_a_person_must_say(tmp_path: Path) -> None:
    found = report(tmp_path, {"config.yaml": f"client_secret: {SECRET}\n"}, tracked=None)
    assert findings(found) == []
    assert status(found) == "review"


def test_a_setting_that_the_code_looks_up_is_found(tmp_path: Path) -> None:
    keys = f"OTHER = '{SECRET}'\nAPI_KEY = 'sk_test_{HEX}'\n"
    assert findings(report(tmp_path, {"app.py": APP, "keys.cfg": keys})) == [("keys.cfg", 2, "high")]


def test_a_broken_file_matters_only_with_the_words_of_an_oauth_client(tmp_path: Path) -> None:
    found = report(tmp_path, {"a.yaml": "client_secret: [\n", "b.yaml": "secret: [\n"})
    assert [(one.path, one.kind) for one in found.problems] == [("a.yaml", "syntax")]


def test_an_authorization_link_in_a_page(tmp_path: Path) -> None:
    page = '<p>{% if x %}\n<a href="https://provider.example/oauth/authorize?client_id={{ id }}&redirect_uri=https://a/cb">go</a>{% endif %}</p>'
    found = report(tmp_path, {"templates/index.html": page})
    assert [(one.path, one.line) for one in found.findings if one.rule == "missing-state"] == [
        ("templates/index.html", 2)
    ]


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        (".env.example", True), ("env.sample", True), ("config.yaml.dist", True), ("settings.sample.ini", True),
        (".env", False), ("sample.yaml", True), ("config.yaml", False), ("examples.yaml", False),
    ],
)  # fmt: skip
def test_samples(name: str, sample: bool) -> None:
    assert is_sample(f"a/{name}") == sample
    assert language(name) == "settings"
