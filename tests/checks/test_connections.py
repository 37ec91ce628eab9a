"""Which providers an application connects to, and what is judged when some are chosen."""

from __future__ import annotations

import pathlib

import pytest

from auditor import catalogue, cli
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


FLASK = """\
import os
import requests
from flask import Flask, redirect, request
app = Flask(__name__)

@app.get("/connect")
def connect():
    return redirect({authorize} + "?client_id=a&response_type=code&redirect_uri=https://shop.example/cb")

@app.get("/cb")
def callback():
    data = {{"grant_type": "authorization_code", "code": request.args["code"], "client_secret": os.environ["SECRET"]}}
    return requests.post({token}, data=data).json()["id"]
"""
EXPRESS = """\
const express = require('express');
const axios = require('axios');
const app = express();

app.get('/connect', (req, res) => {{
  res.redirect({authorize} + '?client_id=a&response_type=code&redirect_uri=https://shop.example/cb');
}});

app.get('/cb', async (req, res) => {{
  const data = {{ grant_type: 'authorization_code', code: req.query.code, client_secret: process.env.SECRET }};
  const answer = await axios.post({token}, data);
  res.send(answer.data.id);
}});
"""
LOOKED_UP = [("app.py", FLASK, 'os.environ["{}"]', 8), ("app.js", EXPRESS, "process.env.{}", 6)]


@pytest.mark.parametrize(("name", "text", "look", "line"), LOOKED_UP)
@pytest.mark.parametrize(
    ("environment", "authorize", "token", "title"),
    [
        ("A=https://monei.cc/connect/authorize\nT=https://api.monei.cc/api/v1/connect/token", "A", "T", "Monei Connect"),
        ("A=https://bank.example/oauth\nT=https://bank.example/token", "A", "T", "bank.example"),
        ("BASE=https://monei.cc", "BASE + '/connect/authorize'", "BASE + '/token'", "Monei Connect"),
        ("A=http://localhost:8000/oauth", "A", "A", ""),
        ("OTHER=https://monei.cc/", "A", "A", ""),
    ],
)  # fmt: skip
def test_an_address_of_the_environment_is_looked_up_in_its_files(
    tmp_path: pathlib.Path, name: str, text: str, look: str, line: int, environment: str, authorize: str, token: str,
    title: str,
) -> None:  # fmt: skip
    def looked_up(address: str) -> str:
        variable, plus, rest = address.partition(" ")
        return look.format(variable) + plus + rest

    (tmp_path / name).write_text(text.format(authorize=looked_up(authorize), token=looked_up(token)))
    (tmp_path / ".env").write_text(f"{environment}\n")
    assert audit(tmp_path).connections == ((Connection(title, name, line),) if title else ())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.py", FLASK.format(authorize='config["url"]', token='config["url"]').replace("app =", "config = load()\napp =")),
        ("app.js", EXPRESS.format(authorize="config.url", token="config.url").replace("const app", "const config = load();\nconst app")),
    ],
)  # fmt: skip
def test_a_setting_of_another_thing_is_no_address_of_a_provider(tmp_path: pathlib.Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "package.json").write_text('{"repository": {"url": "https://github.com/shop/oauth"}}\n')
    assert audit(tmp_path).connections == ()


LIBRARIES = {
    "authlib, metadata": ("app.py", """\
from authlib.integrations.flask_client import OAuth
oauth = OAuth()
oauth.register("google", server_metadata_url="https://accounts.google.com/.well-known/openid-configuration")
def login():
    return oauth.google.authorize_redirect("https://shop.example/cb")
""", "Google", 3),
    "authlib, unknown": ("app.py", """\
from authlib.integrations.flask_client import OAuth
oauth = OAuth()
oauth.register("bank", authorize_url="https://bank.example/authorize", access_token_url="https://bank.example/token")
def login():
    return oauth.bank.authorize_redirect("https://shop.example/cb")
""", "bank.example", 3),
    "authlib, bare": ("app.py", """\
from authlib.integrations.requests_client import OAuth2Session
def login():
    client = OAuth2Session("id", redirect_uri="https://shop.example/cb")
    return client.create_authorization_url("https://bank.example/authorize")
""", "bank.example", 4),
    "requests-oauthlib": ("app.py", """\
from requests_oauthlib import OAuth2Session
def login():
    client = OAuth2Session("id", redirect_uri="https://shop.example/cb")
    return client.authorization_url("https://accounts.spotify.com/authorize")
""", "Spotify", 4),
    "passport": ("app.js", """\
const passport = require('passport');
const { Strategy } = require('passport-github2');
passport.use(new Strategy({
  clientID: process.env.ID, clientSecret: process.env.SECRET, callbackURL: 'https://shop.example/cb',
}, (access, refresh, profile, done) => done(null, profile)));
""", "GitHub", 3),
    "passport, unknown": ("app.js", """\
const passport = require('passport');
const { Strategy } = require('passport-oauth2');
passport.use(new Strategy({
  authorizationURL: 'https://bank.example/authorize', tokenURL: 'https://bank.example/token',
  clientID: process.env.ID, clientSecret: process.env.SECRET, callbackURL: 'https://shop.example/cb',
}, (access, refresh, profile, done) => done(null, profile)));
""", "bank.example", 3),
    "next-auth": ("pages/api/auth/[...nextauth].ts", """\
import NextAuth from 'next-auth';
import Provider from 'next-auth/providers/google';
export default NextAuth({providers: [Provider({clientId: process.env.ID!, clientSecret: process.env.SECRET!})]});
""", "Google", 3),
}  # fmt: skip


@pytest.mark.parametrize(("name", "text", "title", "line"), LIBRARIES.values(), ids=LIBRARIES)
def test_a_library_tells_and_the_applications_own_address_does_not(
    tmp_path: pathlib.Path, name: str, text: str, title: str, line: int
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text)
    assert audit(tmp_path).connections == (Connection(title, name, line),)


TAIL = "4f9d2c7a8b1e6053a9"
GIVEN = [
    ("app.py", "import os\n{} = '{}'\n", 2),
    ("app.js", "const a = 1;\nconst {} = '{}';\n", 2),
    ("settings.json", '{{"client_id": 1,\n"{}": "{}"}}\n', 2),
]


@pytest.mark.parametrize(("name", "text", "line"), GIVEN)
@pytest.mark.parametrize(
    ("variable", "value", "title"),
    [
        ("client_secret", f"mcs_{TAIL}", "Monei Connect"),
        ("MONEI_SECRET", f"mcs_{TAIL}", "Monei Connect"),
        ("anything", f"mct_{TAIL}", "Monei Connect"),
        ("access_token", "mct_your_token_here", ""),  # a placeholder
        ("access_token", TAIL, ""),
        ("lock_name", f"mcs_{TAIL}", ""),  # a word of others, too
        ("stripe_secret_key", f"sk_live_{TAIL}abcdefgh", ""),  # an API key needs no connection
    ],
)
def test_what_a_provider_gave_out_tells(
    tmp_path: pathlib.Path, name: str, text: str, line: int, variable: str, value: str, title: str
) -> None:
    other = "client_id = 1\n" if name != "app.js" else "const client_id = 1;\n"
    (tmp_path / ("first.py" if name != "app.js" else "first.js")).write_text(other)
    (tmp_path / name).write_text(
        text.format(variable, value)
        + ("" if name == "settings.json" else "# client_id" if name == "app.py" else "// client_id")
    )
    report = audit(tmp_path)
    assert report.connections == ((Connection(title, name, line),) if title else ())
    assert TAIL not in repr(report)


@pytest.mark.parametrize(("name", "line"), [("google.py", "client_secret = '{}'\n"), ("google.js", "const clientSecret = '{}';\n")])  # fmt: skip
def test_the_secret_of_a_provider_that_is_not_judged_is_not_judged(
    tmp_path: pathlib.Path, name: str, line: str
) -> None:
    text = PYTHON if name.endswith(".py") else JAVASCRIPT
    written(tmp_path, f"monei.{name.partition('.')[2]}", text, MONEI)
    (tmp_path / name).write_text(line.format(f"GOCSPX-{TAIL}abcdefgh1"))
    assert ("hardcoded-client-secret", name) in [(one.rule, one.path) for one in audit(tmp_path).findings]
    (tmp_path / "connect-auditor.toml").write_text('provider = ["monei"]\n')
    report = audit(tmp_path)
    assert name not in {one.path for one in report.findings}
    assert ("Google", name, 1, False) in [(one.name, one.path, one.line, one.judged) for one in report.connections]
    (tmp_path / "connect-auditor.toml").write_text('provider = ["google"]\n')
    assert ("hardcoded-client-secret", name) in [(one.rule, one.path) for one in audit(tmp_path).findings]


@pytest.mark.parametrize(("extension", "line"), [("py", 8), ("js", 6)])
def test_a_message_names_the_provider_where_there_are_several(
    tmp_path: pathlib.Path, extension: str, line: int
) -> None:
    text = PYTHON if extension == "py" else JAVASCRIPT
    written(tmp_path, f"monei.{extension}", text, MONEI)

    def said() -> dict[str, tuple[int, str]]:
        return {one.path: (one.line, one.message) for one in audit(tmp_path).findings if one.rule == "missing-state"}

    alone = said()
    assert alone == {f"monei.{extension}": (line, "the authorization request carries no state")}
    written(tmp_path, f"spotify.{extension}", text, SPOTIFY)
    number, message = alone[f"monei.{extension}"]
    assert said() == {
        f"monei.{extension}": (number, f"Monei Connect: {message}"),
        f"spotify.{extension}": (number, f"Spotify: {message}"),
    }


@pytest.mark.parametrize(("name", "text", "line"), LANGUAGES)
def test_a_fix_speaks_of_a_provider_only_to_those_who_connect_to_it(
    tmp_path: pathlib.Path, name: str, text: str, line: int
) -> None:
    secret = "9f8e7d6c5b" + "4a39281706"
    for provider, named in ((MONEI, True), (SPOTIFY, False), (BANK, False)):
        written(
            tmp_path,
            name,
            text.replace('os.environ["SECRET"]', f'"{secret}"').replace("process.env.SECRET", f"'{secret}'"),
            provider,
        )
        fixes = {one.rule: one.fix for one in audit(tmp_path).findings}
        assert {"hardcoded-client-secret", "missing-state-validation"} <= fixes.keys()
        assert ("Monei" in fixes["hardcoded-client-secret"]) is named
        assert "Rotate" in fixes["hardcoded-client-secret"] or "rotate" in fixes["hardcoded-client-secret"]
        assert not any("monei" in fix.lower() for fix in fixes.values()) or named


def test_what_is_particular_names_a_known_provider() -> None:
    known = {one.name for one in catalogue.load().providers}
    for rule in catalogue.load().rules.values():
        assert rule.fix_with.keys() <= known
        assert not any(title.lower() in rule.fix.lower() for title in ("monei", "spotify"))
