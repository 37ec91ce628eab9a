"""Real git repositories, for the tests of what happens in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

STATE = """\
import secrets

from flask import session


def fresh():
    session["oauth_state"] = secrets.token_urlsafe(32)
    return session["oauth_state"]


def is_ours(given):
    expected = session.pop("oauth_state", None)
    return bool(expected) and secrets.compare_digest(given or "", expected)
"""

APP = """\
import os

import requests
from flask import Flask, abort, redirect, request

from state import fresh, is_ours

app = Flask(__name__)
SECRET = os.environ["MONEI_CLIENT_SECRET"]


@app.get("/connect")
def connect():
    return redirect("https://connect.example.com/authorize?response_type=code&client_id=shop&state=" + fresh())


@app.get("/callback")
def callback():
    if not is_ours(request.args.get("state")):
        abort(400)
    data = {"grant_type": "authorization_code", "code": request.args["code"], "client_secret": SECRET}
    answer = requests.post("https://connect.example.com/token", data=data)
    return "connected" if answer.ok else "failed"
"""

CHECK = '    if not is_ours(request.args.get("state")):\n        abort(400)\n'


class Repository:
    """A git repository with a shop that connects to an account and validates state."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(
        self, *arguments: str, env: dict[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run git as its owner would."""
        identity = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main"]
        return subprocess.run(
            ["git", *identity, *arguments], cwd=self.root, env=env, check=check, capture_output=True, text=True
        )

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def replace(self, path: str, old: str, new: str) -> None:
        text = self.read(path)
        assert old in text
        self.write(path, text.replace(old, new))

    def shop(self, folder: str = "", checked: bool = True) -> None:
        """Write the application; without the check of state it fails."""
        self.write(f"{folder}app.py", APP if checked else APP.replace(CHECK, ""))
        self.write(f"{folder}state.py", STATE)

    def commit(self, message: str = "one", *arguments: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-verify", "-m", message, *arguments)

    def install_hook(self, name: str = "pre-commit") -> None:
        """Git itself will run `connect-auditor hook`."""
        hook = self.root / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m auditor hook\n')
        hook.chmod(0o755)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the command keeps between runs goes to a folder of the tests' own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def _plain_git(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the configuration of whoever runs the tests nor a hook that they run in matters."""
    for name in [name for name in os.environ if name.startswith(("GIT_", "PRE_COMMIT_"))]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))


@pytest.fixture
def shop(tmp_path: Path, _plain_git: None, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """An empty repository, in which the command runs."""
    made = Repository(tmp_path / "shop")
    made.root.mkdir()
    made.git("init", "--quiet")
    monkeypatch.chdir(made.root)
    return made
