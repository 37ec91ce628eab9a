"""Real git repositories to discover files in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


@pytest.fixture(autouse=True)
def _no_user_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the configuration of whoever runs the tests nor a hook that they run in matters."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))


@pytest.fixture
def git() -> Git:
    """Runs git in a folder, as its owner would."""

    def run(folder: Path, *arguments: str) -> str:
        command = ["git", "-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "init.defaultBranch=main"]
        done = subprocess.run([*command, *arguments], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    """A repository with a commit: app/main.py, app/.env (ignored but tracked), other/x.js."""
    root = tmp_path / "shop"
    write(root / "app/main.py", "print('main')\n")
    write(root / "app/.env", "CLIENT_SECRET=x\n")
    write(root / "other/x.js", "x\n")
    write(root / ".gitignore", ".env\n*.log\nprivate/\n")
    git(root, "init", "-q")
    git(root, "add", "--force", "--all")
    git(root, "commit", "-qm", "one")
    return root


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


@pytest.fixture(name="write")
def _write() -> Callable[[Path, str], Path]:
    return write
