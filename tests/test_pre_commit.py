"""The hook under pre-commit itself, which builds an environment for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.conftest import CHECK, Repository

ROOT = Path(__file__).parents[1]

needs_pre_commit = pytest.mark.skipif(
    find_spec("pre_commit") is None or shutil.which("git") is None, reason="pre-commit and git are needed"
)


def test_every_commit_starts_the_hook() -> None:
    """Patterns of files would leave out a commit that only deletes one, and what no pattern foresaw."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert hook["always_run"] is True
    assert hook["pass_filenames"] is False
    assert hook["require_serial"] is True
    assert "files" not in hook


@pytest.mark.slow
@needs_pre_commit
def test_pre_commit(shop: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    project = published(tmp_path)
    shop.shop()
    shop.commit()

    def pre_commit(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pre_commit", *arguments]
        return subprocess.run(command, cwd=shop.root, capture_output=True, text=True, check=False)

    # try-repo, over everything and over what is staged
    tried = pre_commit("try-repo", str(project.root), "connect-auditor", "--all-files", "--verbose")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "2 files read" in tried.stdout
    revision = project.git("rev-parse", "HEAD").stdout.strip()
    config = {"repos": [{"repo": str(project.root), "rev": revision, "hooks": [{"id": "connect-auditor"}]}]}
    shop.write(".pre-commit-config.yaml", yaml.safe_dump(config))
    shop.commit("the hook")
    installed = pre_commit("install", "--hook-type", "pre-commit", "--hook-type", "pre-push")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    # pre-commit's hook names this Python; git needs nothing of the environment.
    environment = dict(os.environ)

    def commit(*arguments: str) -> subprocess.CompletedProcess[str]:
        return shop.git("commit", "-m", "x", *arguments, check=False, env=environment)

    # commit -a, and a deleted check
    shop.replace("app.py", CHECK, "")
    blocked = commit("-a")
    assert blocked.returncode == 1, blocked.stdout + blocked.stderr
    assert "✗ C06" in blocked.stdout + blocked.stderr
    # a commit of paths, while the failure lies staged and unstaged beside it
    shop.write("other.py", "x = 1\n")
    shop.git("add", "other.py")
    assert commit("other.py").returncode == 0
    shop.git("add", "app.py")
    assert commit("app.py").returncode == 1
    # run: what is staged, then everything
    assert pre_commit("run").returncode == 1
    shop.commit("somebody did not run it", "--no-verify")
    assert pre_commit("run", "--all-files").returncode == 1
    # what was there before blocks nobody, and in a range of commits what they bring counts
    shop.write("other.py", "x = 2\n")
    assert commit("-a").returncode == 0
    assert pre_commit("run", "--from-ref", "HEAD~1", "--to-ref", "HEAD").returncode == 0
    assert pre_commit("run", "--from-ref", "HEAD~2", "--to-ref", "HEAD").returncode == 1
    # a commit that only deletes a file
    shop.git("rm", "--quiet", "other.py")
    deleted = commit()
    assert deleted.returncode == 0, deleted.stdout + deleted.stderr
    assert "no files to check" not in (deleted.stdout + deleted.stderr).lower()
    shop.git("reset", "--quiet", "--hard", "HEAD~1")
    # a push of the failure
    shop.git("init", "--quiet", "--bare", str(tmp_path / "remote"))
    shop.git("push", "--quiet", "--no-verify", str(tmp_path / "remote"), "HEAD~2:refs/heads/main")
    pushed = shop.git("push", str(tmp_path / "remote"), "HEAD:refs/heads/main", check=False)
    assert pushed.returncode == 1, pushed.stdout + pushed.stderr
    # a worktree
    shop.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side", "HEAD~2")
    linked = Repository(tmp_path / "linked")
    linked.replace("app.py", CHECK, "")
    assert linked.git("commit", "-am", "x", check=False).returncode == 1
    linked.write("app.py", shop.git("show", "HEAD~2:app.py").stdout + "# no harm\n")
    done = linked.git("commit", "-am", "x", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def published(folder: Path) -> Repository:
    """The project as a repository of its own, as it would be published."""
    project = Repository(folder / "project")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("auditor", "rules"):
        shutil.copytree(ROOT / name, project.root / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, project.root / name)
    project.git("init", "--quiet")
    project.commit("published")
    return project
