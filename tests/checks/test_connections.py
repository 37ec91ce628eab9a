"""Which providers an application connects to, and what is judged when some are chosen."""

from __future__ import annotations

import pathlib

import pytest

from auditor import cli
from auditor.audit import audit
from auditor.model import Connection

PYTHON = """\
import os
import requests
from flask import Flask, redirect, request
app = Flask(__name__)
BASE = "{base}"

@app.get("/connect")
def connect():
    return redirect(f"{{BASE}}{authorize}?client_id=a&response_type=code&scope=x&redirect_uri=https://shop.example/cb")

@app.get("/cb")
def callback():
    data = {{"grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"]}}
    return requests.post("{token}", data=data).json()["id"]
"""
JAVASCRIPT = """\
const express = require('express');
const axios = require('axios');
const app = express();
const BASE = '{base}';

app.get('/connect', (req, res) => {{
  res.redirect(`${{BASE}}{authorize}?client_id=a&response_type=code&scope=x&redirect_uri=https://shop.example/cb`);
}});

app.get('/cb', async (req, res) => {{
  const data = {{ grant_type: 'authorization_code', code: req.query.code, client_secret: process.env.SECRET }};
  const answer = await axios.post('{token}', data);
  res.send(answer.data.id);
}});
"""
MONEI = ("https://monei.cc", "/connect/authorize", "https://api.monei.cc/api/v1/connect/token")
SPOTIFY = ("https://accounts.spotify.com", "/authorize", "https://accounts.spotify.com/api/token")
BANK = ("https://bank.example", "/oauth/authorize", "https://api.bank.example/token")
LANGUAGES = [("app.py", PYTHON, 9), ("app.js", JAVASCRIPT, 7)]


def written(folder: pathlib.Path, name: str, text: str, provider: tuple[str, str, str]) -> None:
    base, authorize, token = provider
    (folder / name).write_text(text.format(base=base, authorize=authorize, token=token))


@pytest.mark.parametrize(("name", "text", "line"), LANGUAGES)
@pytest.mark.parametrize(
    ("provider", "title"), [(MONEI, "Monei Connect"), (SPOTIFY, "Spotify"), (BANK, "bank.example")]
)
def test_the_address_tells(
    tmp_path: pathlib.Path, name: str, text: str, line: int, provider: tuple[str, str, str], title: str
) -> None:
    written(tmp_path, name, text, provider)
    assert audit(tmp_path).connections == (Connection(title, name, line),)


@pytest.mark.parametrize(("name", "text", "line"), LANGUAGES)
def test_a_name_does_not_tell(tmp_path: pathlib.Path, name: str, text: str, line: int) -> None:
    """The variables of another company's product are called like those of Monei Connect."""
    written(tmp_path, name, text.replace("SECRET", "MONEI_CLIENT_SECRET"), BANK)
    assert audit(tmp_path).connections == (Connection("bank.example", name, line),)


@pytest.mark.parametrize(("name", "text", "line"), LANGUAGES)
def test_what_is_only_written_somewhere_is_found_by_its_path(
    tmp_path: pathlib.Path, name: str, text: str, line: int
) -> None:
    written(tmp_path, name, text, BANK)
    end = "" if name.endswith(".py") else ";"
    more = f'TOKEN = "https://accounts.spotify.com/api/token"{end}\nHOME = "https://accounts.google.com/"{end}\n'
    (tmp_path / name).write_text((tmp_path / name).read_text() + more)
    titles = {one.name: one.line for one in audit(tmp_path).connections}
    assert titles == {"bank.example": line, "Spotify": len(text.splitlines()) + 1}


@pytest.mark.parametrize("extension", ["py", "js"])
def test_only_the_chosen_provider_is_judged(
    tmp_path: pathlib.Path, extension: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PYTHON if extension == "py" else JAVASCRIPT
    written(tmp_path, f"monei.{extension}", text, MONEI)
    written(tmp_path, f"spotify.{extension}", text, SPOTIFY)
    failed = {one.path for one in audit(tmp_path).findings}
    assert failed == {f"monei.{extension}", f"spotify.{extension}"}
    (tmp_path / "connect-auditor.toml").write_text('provider = ["monei"]\n')
    report = audit(tmp_path)
    assert {one.path for one in report.findings} == {f"monei.{extension}"}
    assert [(one.name, one.judged) for one in report.connections] == [("Monei Connect", True), ("Spotify", False)]
    cli.run(["audit", str(tmp_path)])
    out = " ".join(capsys.readouterr().out.split())
    assert f"Spotify (spotify.{extension}:{9 if extension == 'py' else 7}, not judged)" in out


def test_a_provider_of_ones_own(tmp_path: pathlib.Path) -> None:
    written(tmp_path, "app.py", PYTHON, BANK)
    (tmp_path / "bank.yaml").write_text(
        "name: bank\ntitle: Bank\nhosts: [bank.example]\nsecret_prefixes: [banksec_]\ntoken_prefixes: [banktok_]\n"
    )
    (tmp_path / "keys.py").write_text('CLIENT_SECRET = "banksec_' + 'zzzzqqqqwwww"\n')
    before = audit(tmp_path)
    assert not [one for one in before.findings if one.path == "keys.py"]
    (tmp_path / "connect-auditor.toml").write_text('providers = ["bank.yaml"]\nprovider = ["bank"]\n')
    report = audit(tmp_path)
    assert report.connections == (Connection("Bank", "app.py", 9),)
    assert [(one.rule, one.line) for one in report.findings if one.path == "keys.py"] == [
        ("hardcoded-client-secret", 1)
    ]


def test_a_name_that_nobody_knows(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, "app.py", PYTHON, MONEI)
    (tmp_path / "connect-auditor.toml").write_text('provider = ["monie"]\n')
    assert cli.run(["audit", str(tmp_path)]) == 2
    assert "provider: there is no provider 'monie': did you mean 'monei'?" in capsys.readouterr().err
