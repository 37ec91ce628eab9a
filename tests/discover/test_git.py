"""git is started safely, and finds the right repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.discover import git as auditors_git
from auditor.discover.git import GitError, find_root, run
from auditor.errors import InternalError

Git = Callable[..., str]
Write = Callable[[Path, str], Path]


def listed(root: Path) -> list[str]:
    return run(root, "ls-files", "-z", "-c", "-o", "--exclude-standard").output.decode().split("\0")[:-1]


def test_root_is_the_nearest_folder_with_git(repository: Path, git: Git) -> None:
    assert find_root(repository / "app") == repository
    (repository / "app/inner").mkdir()
    git(repository / "app/inner", "init", "-q")
    assert find_root(repository / "app/inner") == repository / "app/inner"


def test_no_root_outside_of_a_repository(tmp_path: Path) -> None:
    assert find_root(tmp_path) is None


def test_a_linked_worktree_has_a_git_file(repository: Path, git: Git, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(repository, "worktree", "add", "-q", str(linked))
    assert (linked / ".git").is_file()
    assert find_root(linked / "app") == linked
    assert "app/main.py" in listed(linked)


def test_only_reading_commands_are_run(repository: Path) -> None:
    for command in ("status", "diff", "log", "config", "fetch", "checkout"):
        with pytest.raises(InternalError):
            run(repository, command)


def test_the_audited_configuration_starts_no_program(repository: Path, git: Git, tmp_path: Path, write: Write) -> None:
    trace = tmp_path / "it-ran"
    program = write(tmp_path / "program", f"#!/bin/sh\ntouch {trace}\n")
    program.chmod(0o755)
    hooks = repository / ".git/hooks-of-ours"
    hooks.mkdir()
    for hook in ("post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"):
        (hooks / hook).symlink_to(program)
    for key in ("core.fsmonitor", "core.pager", "pager.ls-files", "core.sshCommand", "filter.evil.clean",
                "filter.evil.smudge", "diff.evil.textconv", "diff.external", "core.alternateRefsCommand"):  # fmt: skip
        git(repository, "config", key, str(program))
    git(repository, "config", "core.hooksPath", str(hooks))
    git(repository, "config", "alias.ls-files", f"!{program}")
    write(repository / ".gitattributes", "* filter=evil diff=evil\n")
    write(repository / "app/main.py", "changed\n")
    trace.unlink(missing_ok=True)

    assert "app/main.py" in listed(repository)
    blob = run(repository, "ls-files", "-s", "app/main.py").output.split()[1].decode()
    assert run(repository, "cat-file", "--batch", stdin=blob.encode()).output.endswith(b"print('main')\n\n")
    assert run(repository, "rev-parse", "HEAD").output
    assert not trace.exists()


def test_the_work_tree_is_ours_whatever_the_configuration_says(repository: Path, git: Git, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/secret.py").touch()
    git(repository, "config", "core.worktree", str(tmp_path / "elsewhere"))
    assert "secret.py" not in listed(repository)
    assert "app/main.py" in listed(repository)


def test_inherited_variables_do_not_point_elsewhere(
    repository: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no-index"))
    assert "app/main.py" in listed(repository)


def test_the_index_of_a_hook_is_used_when_asked(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other_index = repository / ".git/index-of-the-hook"
    other_index.write_bytes((repository / ".git/index").read_bytes())
    monkeypatch.chdir(repository)
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index-of-the-hook")
    (repository / ".git/index").unlink()
    assert run(repository, "ls-files").output == b""
    assert b"app/main.py" in run(repository, "ls-files", index=True).output
    monkeypatch.chdir("/")
    assert run(repository, "ls-files", index=True).output == b""


def test_a_path_is_no_pattern(repository: Path, write: Write) -> None:
    write(repository / "[a]/x.py", "x")
    write(repository / "a/y.py", "y")
    output = run(repository, "ls-files", "-z", "-o", "--", "[a]/").output
    assert output == b"[a]/x.py\0"


def test_git_that_is_missing_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git was not found"):
        run(repository, "ls-files")


def test_git_from_a_relative_path_is_not_trusted(
    repository: Path, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    write(repository / "git", "#!/bin/sh\ntouch it-ran\n").chmod(0o755)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", ".")
    with pytest.raises(GitError, match="relative"):
        run(repository, "ls-files")
    assert not (repository / "it-ran").exists()


def test_a_broken_repository_is_an_error_without_absolute_paths(tmp_path: Path, write: Write) -> None:
    write(tmp_path / ".git", "gitdir: nowhere\n")
    with pytest.raises(GitError, match="not a git repository") as raised:
        run(tmp_path, "ls-files")
    assert str(tmp_path) not in str(raised.value)


def test_git_that_hangs_is_ended(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / ".gitignore").unlink()
    os.mkfifo(repository / ".gitignore")
    monkeypatch.setattr(auditors_git, "TIMEOUT", 0.5)
    with pytest.raises(GitError, match="did not finish"):
        run(repository, "ls-files", "-o", "--exclude-standard")
