"""What must not be committed, file by file: in configuration, in code, in what libraries keep beside the application.

The values are put together here: none of them is anybody's.
"""

from __future__ import annotations

import pathlib
import pickle
import subprocess

import pytest

from auditor.audit import audit

VALUE = "9f31c07ad5e84b62" + "d1708e5fc3a9b4d6"
APP = """
import os
import requests

def exchange(code):
    reply = requests.post("https://accounts.spotify.com/api/token", data=dict(
        grant_type="authorization_code", code=code, client_id=os.environ["SPOTIFY_ID"],
        client_secret=os.environ["SPOTIFY_CLIENT_SECRET"]), timeout=9)
    return reply.json()
"""


def judged(folder: pathlib.Path, path: str, content: str | bytes) -> tuple[str, list[tuple[str, int]]]:
    """The status of C02 where this file is committed, and what was found in it: rule and line."""
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "login.py").write_text(APP)
    for command in (["init", "-q"], ["add", "--all", "--force"]):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    report = audit(folder)
    assert all(VALUE not in one.message for one in report.findings)
    status = next(item.status for item in report.items if item.id == "C02")
    rules = ("committed-env-file", "committed-secret", "hardcoded-client-secret")
    return status, [(one.rule, one.line) for one in report.findings if one.path == path and one.rule in rules]


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("docker-compose.yml", "services:\n  web:\n    environment:\n      SPOTIFY_SECRET: ${S:-" + VALUE + "}\n", 4),
        ("application.properties", "login.client-secret=${SECRET:" + VALUE + "}\n", 1),
        ("app.json", '{"env": {"SPOTIFY_CLIENT_SECRET": {"value": "' + VALUE + '"}}}', 1),
        ("k8s/secret.yaml", "kind: Secret\ndata:\n  client-secret: OWYzMWMwN2FkNWU4NGI2MmQxNzA4ZTVm\n", 3),
        ("main.tf", f'variable "spotify_client_secret" {{\n  default = "{VALUE}"\n}}\n', 2),
        ("run.sh", f"#!/bin/sh\nexport SPOTIFY_CLIENT_SECRET={VALUE}\n", 2),
        ("Makefile", f"run:\n\tSPOTIFY_CLIENT_SECRET={VALUE} python login.py\n", 2),
        ("package.json", f'{{"scripts": {{"start": "SPOTIFY_CLIENT_SECRET={VALUE} node ."}}}}', 1),
        ("shop.service", f'[Service]\nEnvironment="SPOTIFY_CLIENT_SECRET={VALUE}"\n', 2),
        ("config.yaml.bak", f"spotify:\n  secret: {VALUE}\n", 2),
    ],
)
def test_a_client_secret_in_a_file(tmp_path: pathlib.Path, path: str, text: str, line: int) -> None:
    assert judged(tmp_path, path, text) == ("fail", [("hardcoded-client-secret", line)])


@pytest.mark.parametrize("path", [".env", ".env~", ".env copy", ".env.old", ".dev.vars", "env", ".env.latest"])
def test_an_environment_file(tmp_path: pathlib.Path, path: str) -> None:
    text = f"SPOTIFY_ID=5e1b9d\nSPOTIFY_CLIENT_SECRET={VALUE}\n"
    assert judged(tmp_path, path, text) == ("fail", [("committed-env-file", 2)])


GRANT = f'{{"access_token": "{VALUE}", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "{VALUE}"}}\n'


@pytest.mark.parametrize(
    ("path", "content", "line"),
    [
        (".cache", GRANT, 1),
        (".cache-ada", GRANT, 1),
        ("token.pickle", pickle.dumps({"access_token": VALUE}, 2), 1),
        ("token.pkl", pickle.dumps({"refresh_token": VALUE}, 5), 1),
        ("debug.log", "start\n" + GRANT, 2),
        ("notes.txt", f"the one of today:\naccess_token={VALUE}\n", 2),
        ("keys.py", f'ID = "5e1b9d"\nREFRESH_TOKEN = "{VALUE}"\n', 2),
        ("keys.js", f"export const id = '5e1b9d';\nexport const spotifyAccessToken = '{VALUE}';\n", 2),
    ],
)
def test_a_token_in_a_file(tmp_path: pathlib.Path, path: str, content: str | bytes, line: int) -> None:
    assert judged(tmp_path, path, content) == ("fail", [("committed-secret", line)])


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".env", f"MAPBOX_ACCESS_TOKEN={VALUE}\nSESSION_SECRET={VALUE}\nSTRIPE_SECRET={VALUE}\n"),
        (".env.test", f"SPOTIFY_CLIENT_SECRET={VALUE}\n"),
        ("sealed.yaml", f"kind: SealedSecret\nspec:\n  encryptedData:\n    CLIENT_SECRET: {VALUE}\n"),
        ("secrets.yaml", f"client_secret: ENC[AES256_GCM,data:{VALUE},iv:a1=,tag:b2=,type:str]\n"),
        ("k8s/secret.yaml", "kind: Secret\ndata:\n  client-secret: eW91ci1jbGllbnQtc2VjcmV0LWhlcmU=\n"),
        (
            "docker-compose.yml",
            "services:\n  web:\n    environment:\n      CLIENT_SECRET: ${S:?must be set 9f31c07a}\n",
        ),
        ("main.tf", 'resource "app" "shop" {\n  client_secret = "${var.client_secret}"\n}\n'),
        ("run.sh", 'export SPOTIFY_CLIENT_SECRET="$(pass spotify)"\n'),
        ("notes.txt", "access_token=YOUR_ACCESS_TOKEN\n"),
        ("tests/.cache", GRANT),
        ("keys.py", f'MAPBOX_ACCESS_TOKEN = "{VALUE}"\nACCESS_TOKEN = "your-access-token"\n'),
        ("keys.js", f"const mapboxAccessToken = '{VALUE}';\nconst keys = {{ accessToken: 'access_token' }};\n"),
    ],
)
def test_nothing_that_matters(tmp_path: pathlib.Path, path: str, text: str) -> None:
    assert judged(tmp_path, path, text) == ("pass", [])
