"""What an excerpt hides, and what it must leave readable."""

from __future__ import annotations

import pytest

from auditor.reports.masking import blank, is_about_secrets, shade


@pytest.mark.parametrize(
    ("path", "line", "shown"),
    [
        ("a.py", 'CLIENT_SECRET = "correct-horse"', 'CLIENT_SECRET = "•••"'),
        ("a.py", 'data["client_secret"] = "hunter"', 'data["client_secret"] = "•••"'),
        ("a.ts", "const apiKey: string = 'abc';", "const apiKey: string = '•••';"),
        ("a.js", "  password: `it\\`s`,", "  password: `•••`,"),
        ("a.py", 'call(token, "9f8E-7d6C")', 'call(token, "•••")'),
        ("a.py", 'x = "4eC39HqLyjWDarjtT1zdp7dc"', 'x = "•••"'),
        ("a.py", "# before: mcs_live_abcdefgh", "# before: •••"),
        ("a.py", 'DB = "postgres://u:hunter2@h/db"', 'DB = "postgres://u:•••@h/db"'),
        (".env", "MONEI_CLIENT_SECRET=hunter2", "MONEI_CLIENT_SECRET=•••"),
        ("a.yaml", "  client_secret: hunter2", "  client_secret: •••"),
        ("a.py", 'h = {"Authorization": "Basic dXNlcjpwYXNz"}', 'h = {"Authorization": "•••"}'),
        ("a.ipynb", '    "password = \\"hunter\\"\\n",', '    "•••",'),
        ("a.sh", "curl -H 'X: 0123456789abcdef0123'", "curl -H 'X: •••'"),
    ],
)  # fmt: skip
def test_secrets_are_hidden(path: str, line: str, shown: str) -> None:
    assert shade(line, path) == shown


@pytest.mark.parametrize(
    "line",
    [
        '    "client_secret": os.environ["MONEI_CLIENT_SECRET"],',
        '        "grant_type": "refresh_token",',
        'TOKEN = "https://api.monei.cc/api/v1/connect/token"',
        'session["oauth_state"] = secrets.token_urlsafe(32)',
        'if request.args.get("state") != session.get("oauth_state"):',
        "    client_id: process.env.MONEI_CLIENT_ID,",
        "res.redirect(`https://monei.cc/connect/authorize?${params}`);",
        '    return "the token could not be read", 400',
        "from auditor.reports.terminal import escape",
        "app.get('/connect-monei', (req, res) => {",
    ],
)
def test_ordinary_code_stays_readable(line: str) -> None:
    assert shade(line, "app.py") == line


@pytest.mark.parametrize(
    ("path", "line", "shown"),
    [
        ("a.py", "SECRET = 'a' + \"b\"", "SECRET = '•••' + \"•••\""),
        ("a.py", 'S = """cs', 'S = """•••'),
        ("a.py", "    Zx9Yw8Vu7Ts6", "    •••"),
        ("a.py", "    correct horse", "    •••"),
        (".env", "A=b c", "A=•••"),
        ("a.js", "app.listen(3000);", "app.listen(3000);"),
        ("a.py", 'x = ""', 'x = ""'),
    ],
)  # fmt: skip
def test_lines_of_findings_about_secrets_show_no_string(path: str, line: str, shown: str) -> None:
    assert blank(line, path) == shown


def test_which_rules_are_about_secrets() -> None:
    rules = ("hardcoded-client-secret", "committed-key", "client-secret-in-page", "secret-in-log", "missing-state")
    assert [is_about_secrets(rule) for rule in rules] == [True, True, True, False, False]
