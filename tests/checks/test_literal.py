"""Whence a client secret comes, in both languages: what is found, on which line, and what is proved."""

from __future__ import annotations

import pathlib
import textwrap

import pytest

from auditor.audit import audit

SECRET = "mcs_8c07d1f2b94e5a6370e1c8d2"
PYTHON = """
import base64, os
import requests
from dataclasses import dataclass
from decouple import config
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

{before}

def exchange(code):
    return requests.post("https://api.monei.cc/api/v1/connect/token", data=dict(
        grant_type="authorization_code", code=code, client_id=os.environ["MONEI_ID"], client_secret={value}), timeout=9)
"""
JAVASCRIPT = """
{before}

export async function exchange(code) {{
  return fetch('https://api.monei.cc/api/v1/connect/token', {{ method: 'POST', body: JSON.stringify({{
    grant_type: 'authorization_code', code, client_id: process.env.MONEI_ID, client_secret: {value} }}) }});
}}
"""
BASIC_PYTHON = """
import base64, os
import requests

{before}

def exchange(code):
    pair = base64.b64encode(f"{{{id}}}:{{{value}}}".encode()).decode()
    return requests.post("https://zoom.us/oauth/token", headers=dict(Authorization="Basic " + pair),
        data=dict(grant_type="authorization_code", code=code), timeout=9)
"""
BASIC_JAVASCRIPT = """
{before}

export async function exchange(code) {{
  const pair = Buffer.from(`${{{id}}}:${{{value}}}`).toString('base64');
  return fetch('https://zoom.us/oauth/token', {{ method: 'POST', headers: {{ Authorization: `Basic ${{pair}}` }},
    body: new URLSearchParams({{ grant_type: 'authorization_code', code }}) }});
}}
"""


def judged(folder: pathlib.Path, name: str, text: str) -> tuple[str, list[str]]:
    """The status of C01, and the source lines that findings lie on."""
    (folder / name).write_text(text, encoding="utf-8")
    report = audit(folder)
    lines = text.splitlines()
    status = next(item.status for item in report.items if item.id == "C01")
    return status, [lines[one.line - 1].strip() for one in report.findings if one.rule == "hardcoded-client-secret"]


def written(template: str, before: str, **values: str) -> str:
    return template.format(before=textwrap.dedent(before).strip(), **values)


@pytest.mark.parametrize(
    ("before", "value", "status"),
    [
        pytest.param('X = os.environ["X"]', "X", "pass", id="environment"),
        pytest.param('X = os.getenv("X", "your-client-secret")', "X", "pass", id="a placeholder as default"),
        pytest.param('X = os.getenv("X") or "change-me-please"', "X", "pass", id="a placeholder behind or"),
        pytest.param('X = config("X", default="")', "X", "pass", id="an empty default"),
        pytest.param(
            'import boto3\nX = boto3.client("ssm").get_parameter(Name="prod-9f3e-mcs-71ab")', "X", "pass", id="manager"
        ),
        pytest.param('LABELS = {"client_secret": "Client secret"}\nX = os.environ["X"]', "X", "pass", id="a label"),
        pytest.param('X = "YOUR_CLIENT_SECRET"', "X", "review", id="only a placeholder"),
        pytest.param('X = ""', "X", "review", id="empty"),
        pytest.param(
            "class S(BaseSettings):\n    x: str = Field('change-me-please', alias='X')\ns = S()",
            "s.x",
            "pass",
            id="a field's default",
        ),
    ],
)
def test_python_has_no_secret(tmp_path: pathlib.Path, before: str, value: str, status: str) -> None:
    assert judged(tmp_path, "app.py", written(PYTHON, before, value=value)) == (status, [])


@pytest.mark.parametrize(
    ("before", "value"),
    [
        pytest.param(f'X = "{SECRET}"', "X", id="a constant"),
        pytest.param(f'X = os.environ.get(\n    "X",\n    "{SECRET}",\n)', "X", id="a default on its own line"),
        pytest.param(f'X = os.environ.get("X") or "{SECRET}"', "X", id="behind or"),
        pytest.param(f'X = config("X", default="{SECRET}")', "X", id="a default by name"),
        pytest.param(
            f'class S(BaseSettings):\n    x: str = Field("{SECRET}", alias="X")\ns = S()', "s.x", id="a field"
        ),
        pytest.param(
            f'class S(BaseSettings):\n    x: SecretStr = SecretStr("{SECRET}")\ns = S()',
            "s.x.get_secret_value()",
            id="wrapped",
        ),
        pytest.param(
            f'@dataclass\nclass S:\n    client_secret: str = "{SECRET}"\ns = S()', "s.client_secret", id="a data class"
        ),
        pytest.param(f'class S:\n    X = "{SECRET}"', "S.X", id="an attribute of a class"),
        pytest.param(f'def x():\n    return "{SECRET}"', "x()", id="a function"),
        pytest.param(f'A = "mcs_"\nB = "{SECRET[4:]}"', "A + B", id="two pieces"),
        pytest.param(f'import settings\nSHOP_KEY = "{SECRET}"', "settings.SHOP_KEY", id="looked up by its name"),
        pytest.param(
            f'import flask\napp = flask.Flask("a")\napp.config.update(SHOP_KEY="{SECRET}")',
            'app.config["SHOP_KEY"]',
            id="an option that is looked up",
        ),
    ],
)
def test_python_has_a_secret(tmp_path: pathlib.Path, before: str, value: str) -> None:
    status, lines = judged(tmp_path, "app.py", written(PYTHON, before, value=value))
    assert status == "fail"
    assert len(lines) == 1
    assert SECRET[4:] in lines[0]


@pytest.mark.parametrize(
    ("before", "value", "status"),
    [
        pytest.param("const x = process.env.X;", "x", "pass", id="environment"),
        pytest.param("const x = process.env.X || 'your-client-secret';", "x", "pass", id="a placeholder behind or"),
        pytest.param("const x = process.env.X ?? '';", "x", "pass", id="an empty default"),
        pytest.param(
            "const labels = { clientSecret: 'Client secret' };\nconst x = process.env.X;", "x", "pass", id="a label"
        ),
        pytest.param("const x = 'your-client-secret';", "x", "review", id="only a placeholder"),
    ],
)
def test_javascript_has_no_secret(tmp_path: pathlib.Path, before: str, value: str, status: str) -> None:
    assert judged(tmp_path, "app.js", written(JAVASCRIPT, before, value=value)) == (status, [])


@pytest.mark.parametrize(
    ("before", "value"),
    [
        pytest.param(f"const x = '{SECRET}';", "x", id="a constant"),
        pytest.param(f"const x = process.env.X\n  ?? '{SECRET}';", "x", id="a default on its own line"),
        pytest.param(f"const config = {{ x: '{SECRET}' }};", "config.x", id="an object"),
        pytest.param(f"class S {{ static x = '{SECRET}'; }}", "S.x", id="an attribute of a class"),
        pytest.param(f"const x = () => '{SECRET}';", "x()", id="a function"),
        pytest.param(f"const x = ['mcs', '{SECRET[4:]}'].join('_');", "x", id="two pieces"),
        pytest.param(
            f"import {{ cleanEnv, str }} from 'envalid';\nconst env = cleanEnv(process.env, {{\n"
            f"  SHOP_KEY: str({{ default: '{SECRET}' }}) }});",
            "env.SHOP_KEY",
            id="a default of a setting that is looked up",
        ),
    ],
)
def test_javascript_has_a_secret(tmp_path: pathlib.Path, before: str, value: str) -> None:
    status, lines = judged(tmp_path, "app.js", written(JAVASCRIPT, before, value=value))
    assert status == "fail"
    assert len(lines) == 1
    assert SECRET[4:] in lines[0]


NAMED_PYTHON = [
    pytest.param(f'CLIENT_SECRET = "{SECRET[:9]}" + "{SECRET[9:]}"', id="joined"),
    pytest.param(f'CLIENT_SECRET = ("{SECRET[:9]}"\n    "{SECRET[9:]}")', id="side by side"),
    pytest.param(f'parser.add_argument("--client-secret", default="{SECRET}")', id="an option"),
    pytest.param(f'os.environ.setdefault("ZOOM_CLIENT_SECRET", "{SECRET}")', id="set beside its name"),
    pytest.param(f'FIELDS = [("client_id", "shop"), ("client_secret", "{SECRET}")]', id="a pair"),
    pytest.param(f'print(CLIENT_SECRET := "{SECRET}")', id="assigned within an expression"),
    pytest.param(f'ZOOM = {{"oauth": {{"id": "shop", "secret": "{SECRET}"}}}}', id="by the name of its holder"),
    pytest.param(f'BODY = "grant_type=refresh_token&client_secret={SECRET}"', id="within a body"),
    pytest.param(f'MONEI_SECRET = "{SECRET}"', id="by the name of the provider"),
    pytest.param(
        f'import spotipy.oauth2\nlogin = spotipy.oauth2.SpotifyOAuth("5e1b9d", "{SECRET}", "/back")', id="by position"
    ),
]
NAMED_JAVASCRIPT = [
    pytest.param(f"const clientSecret = '{SECRET[:9]}' +\n  '{SECRET[9:]}';", id="joined"),
    pytest.param(f"const clientSecret = `{SECRET}`;", id="a template"),
    pytest.param(f"const {{ ZOOM_CLIENT_SECRET = '{SECRET}' }} = process.env;", id="taken apart"),
    pytest.param(
        f"const env = schema.object({{ CLIENT_SECRET: schema.string().default('{SECRET}') }});", id="a schema"
    ),
    pytest.param(f"const conf = make({{ clientSecret: {{ format: String, default: '{SECRET}' }} }});", id="a setting"),
    pytest.param(f"program.option('--client-secret <value>', 'for the shop', '{SECRET}');", id="an option"),
    pytest.param(f"const zoom = {{ client: {{ id: 'shop', secret: '{SECRET}' }} }};", id="by the name of its holder"),
    pytest.param(f"const body = 'grant_type=refresh_token&client_secret={SECRET}';", id="within a body"),
    pytest.param(f"const MONEI_SECRET = '{SECRET}';", id="by the name of the provider"),
    pytest.param(
        f"import {{ OAuth2 }} from 'oauth';\nconst client = new OAuth2('5e1b9d', '{SECRET}', '/');", id="by position"
    ),
    pytest.param(
        "import axios from 'axios';\nexport const renew = (token) => axios.post('https://zoom.us/oauth/token',\n"
        "  { grant_type: 'refresh_token', refresh_token: token },\n"
        f"  {{ auth: {{ username: 'shop', password: '{SECRET}' }} }});",
        id="the password of a request",
    ),
]


@pytest.mark.parametrize("before", NAMED_PYTHON)
def test_python_names_a_secret(tmp_path: pathlib.Path, before: str) -> None:
    status, lines = judged(tmp_path, "app.py", written(PYTHON, before, value='os.environ["X"]'))
    assert status == "fail"
    assert len(lines) == 1
    assert SECRET[:9] in lines[0]


@pytest.mark.parametrize("before", NAMED_JAVASCRIPT)
def test_javascript_names_a_secret(tmp_path: pathlib.Path, before: str) -> None:
    status, lines = judged(tmp_path, "app.js", written(JAVASCRIPT, before, value="process.env.X"))
    assert status == "fail"
    assert len(lines) == 1
    assert SECRET[:9] in lines[0]


NOT_NAMED_PYTHON = [
    f'SESSION_SECRET = "{SECRET[4:]}"',
    f'STRIPE_SECRET = "{SECRET[4:]}"',  # of a provider that it does not connect to
    f'SIGNING = {{"secret": "{SECRET[4:]}"}}',
    f'"""Send client_secret={SECRET} to the provider."""',
    'COLUMNS = {"client_secret": "app_secret_v2"}',
    'parser.add_argument("--client-secret", help="the secret of the application", required=True)',
    'CHOICES = ["client_secret", "client_secret_basic"]',
    'CLIENT_SECRET_FILE = "projects/12/secrets/shop/versions/latest"',
    'LABEL = gettext("client_secret", "Client secret")',
]
NOT_NAMED_JAVASCRIPT = [
    f"const sessionSecret = '{SECRET[4:]}';",
    f"const STRIPE_SECRET = '{SECRET[4:]}';",
    f"const signing = {{ secret: '{SECRET[4:]}' }};",
    "const columns = { clientSecret: 'app_secret_v2' };",
    "program.option('--client-secret <value>', 'the secret of the application');",
    "const methods = ['client_secret', 'client_secret_basic'];",
    "const url = `https://zoom.us/token?client_secret=${process.env.X}`;",
]


@pytest.mark.parametrize("before", NOT_NAMED_PYTHON)
def test_python_names_none(tmp_path: pathlib.Path, before: str) -> None:
    assert judged(tmp_path, "app.py", written(PYTHON, before, value='os.environ["X"]')) == ("pass", [])


@pytest.mark.parametrize("before", NOT_NAMED_JAVASCRIPT)
def test_javascript_names_none(tmp_path: pathlib.Path, before: str) -> None:
    assert judged(tmp_path, "app.js", written(JAVASCRIPT, before, value="process.env.X")) == ("pass", [])


BASIC_PAIRS = [
    ("environment", "environment", "pass"),
    ("literal", "environment", "pass"),
    ("environment", "literal", "fail"),
    ("literal", "literal", "fail"),
]


@pytest.mark.parametrize(("who", "what", "status"), BASIC_PAIRS)
@pytest.mark.parametrize("language", ["python", "javascript"])
def test_of_a_basic_header_only_the_password_is_judged(
    tmp_path: pathlib.Path, who: str, what: str, status: str, language: str
) -> None:
    python = language == "python"
    look = {"environment": 'os.environ["{}"]' if python else "process.env.{}", "literal": '"{}"'}
    declared = "{} = {}" if python else "const {} = {};"
    user = look[who].format("ID" if who == "environment" else "f3b1c97d2e4a5068bb1c")
    password = look[what].format("SECRET" if what == "environment" else SECRET)
    before = "\n".join((declared.format("user", user), declared.format("password", password)))
    text = written(BASIC_PYTHON if python else BASIC_JAVASCRIPT, before, id="user", value="password")
    found, lines = judged(tmp_path, "app.py" if python else "app.js", text)
    assert found == status
    assert all(SECRET in line for line in lines)
    assert len(lines) == (status == "fail")


def test_two_secrets_on_neighbouring_lines_are_two(tmp_path: pathlib.Path) -> None:
    other = SECRET[:-4] + "77ab"
    text = f'MONEI_CLIENT_SECRET = "{SECRET}"\nZOOM_CLIENT_SECRET = "{other}"\n'
    status, lines = judged(tmp_path, "keys.py", text)
    assert status == "fail"
    assert len(lines) == 2


@pytest.mark.parametrize("path", ["test_app.py", "tests/keys.py"])
def test_what_tests_hold_is_a_fake(tmp_path: pathlib.Path, path: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / path).write_text(f'MONEI_CLIENT_SECRET = "{SECRET}"\n')
    (tmp_path / "app.py").write_text(written(PYTHON, 'X = os.environ["X"]', value="X"))
    report = audit(tmp_path)
    assert [one for one in report.findings if one.rule == "hardcoded-client-secret"] == []
    assert next(item.status for item in report.items if item.id == "C01") == "pass"
