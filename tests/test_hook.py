"""The hook with real commits: what a commit brings blocks it, what was there before blocks nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor import cli
from tests.conftest import APP, CHECK, STATE, Repository

BRINGS = "this brings failures that HEAD does not have"
OLD = "the code is exchanged"


@pytest.fixture
def hooked(shop: Repository) -> Repository:
    """A good shop, committed, with git's own hook."""
    shop.shop()
    shop.commit()
    shop.install_hook()
    return shop


def blocked(shop: Repository, *arguments: str) -> str:
    """Commit, which must fail; gives what was said."""
    done = shop.git("commit", "-m", "blocked", *arguments, check=False)
    assert done.returncode == 1, done.stderr
    assert BRINGS in done.stderr
    return done.stdout + done.stderr


def passed(shop: Repository, *arguments: str) -> str:
    done = shop.git("commit", "-m", "passed", *arguments, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def test_commit_all(hooked: Repository) -> None:
    hooked.replace("app.py", CHECK, "")
    assert "app.py:18" in blocked(hooked, "-a")
    hooked.write("app.py", APP + "# no harm\n")
    assert "2 files read" in passed(hooked, "-a")


def test_a_deleted_check_is_found_on_an_unchanged_line(hooked: Repository) -> None:
    hooked.replace("app.py", CHECK, "")
    hooked.git("add", "app.py")
    said = blocked(hooked)
    assert "✗ C06" in said
    assert "✗ C05" not in said


def test_a_deleted_check_in_another_file(hooked: Repository) -> None:
    hooked.write("state.py", STATE.partition("    expected =")[0] + "    return True\n")
    assert "app.py" in blocked(hooked, "-a")


def test_only_what_is_staged_counts(hooked: Repository) -> None:
    hooked.write("other.py", "x = 1\n")
    hooked.git("add", "other.py")
    hooked.replace("app.py", CHECK, "")
    passed(hooked)
    hooked.git("add", "app.py")
    hooked.write("app.py", APP)
    blocked(hooked)


def test_a_commit_of_paths(hooked: Repository) -> None:
    hooked.replace("app.py", CHECK, "")
    hooked.git("add", "app.py")
    hooked.write("state.py", STATE + "# no harm\n")
    passed(hooked, "state.py")
    hooked.write("state.py", STATE)
    hooked.git("add", "state.py")
    blocked(hooked, "app.py")


def test_what_was_there_before_blocks_nobody(shop: Repository) -> None:
    shop.shop(checked=False)
    shop.commit()
    shop.install_hook()
    shop.replace("app.py", "import os\n", "import os\nimport re\n")
    assert "1 failure was there before" in passed(shop, "-a")
    shop.git("mv", "app.py", "main.py")
    shop.replace("main.py", "import re\n", "")
    passed(shop, "-a")


def test_a_renamed_file_with_a_new_failure(hooked: Repository) -> None:
    hooked.git("mv", "app.py", "main.py")
    passed(hooked)
    hooked.git("mv", "main.py", "server.py")
    hooked.replace("server.py", CHECK, "")
    blocked(hooked, "-a")


def test_the_first_commit(shop: Repository) -> None:
    shop.install_hook()
    shop.shop(checked=False)
    shop.git("add", "--all")
    done = shop.git("commit", "-m", "first", check=False)
    assert done.returncode == 1
    assert "failures that the first commit does not have" in done.stderr
    shop.shop()
    shop.git("add", "--all")
    passed(shop)


def test_the_last_file_is_deleted(hooked: Repository) -> None:
    hooked.git("rm", "--quiet", "app.py", "state.py")
    assert "no file is left" in passed(hooked)


def test_a_commit_without_a_file(shop: Repository) -> None:
    shop.shop(checked=False)
    shop.commit()
    shop.install_hook()
    assert "nothing can be new" in passed(shop, "--allow-empty")


def test_amend(hooked: Repository) -> None:
    hooked.replace("app.py", CHECK, "")
    blocked(hooked, "--amend", "-a")


def test_a_merge_brings_what_its_branches_have(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.shop("old/", checked=False)
    hooked.write("state.py", STATE + "# side\n")
    hooked.commit("a failure that nobody blocked")
    hooked.git("checkout", "--quiet", "main")
    hooked.write("state.py", STATE + "# main\n")
    hooked.commit("a conflict")
    assert hooked.git("merge", "side", check=False).returncode == 1
    hooked.write("state.py", STATE + "# both\n")
    hooked.git("add", "--all")
    hooked.replace("app.py", CHECK, "")
    blocked(hooked, "-a")
    hooked.write("app.py", APP)
    assert "1 failure was there before" in passed(hooked, "-a")


def test_a_merge_without_a_conflict(hooked: Repository) -> None:
    hooked.install_hook("pre-merge-commit")
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.shop("old/", checked=False)
    hooked.commit("a failure that nobody blocked")
    hooked.git("checkout", "--quiet", "main")
    hooked.write("state.py", STATE + "# main\n")
    hooked.commit("go on")
    done = hooked.git("merge", "--no-edit", "side", check=False)
    assert done.returncode == 0, done.stderr
    assert "1 failure was there before" in done.stderr


def test_a_worktree(hooked: Repository, tmp_path: Path) -> None:
    hooked.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "-b", "side")
    linked = Repository(tmp_path / "linked")
    linked.replace("app.py", CHECK, "")
    blocked(linked, "-a")
    linked.write("app.py", APP + "# no harm\n")
    passed(linked, "-a")


def test_with_nothing_staged_everything_counts(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop(checked=False)
    shop.commit()
    assert cli.run(["hook"]) == 1
    assert "there are failures" in capsys.readouterr().err
    shop.write("other.py", "x = 1\n")
    shop.git("add", "other.py")
    assert cli.run(["hook"]) == 0
    assert cli.run(["hook", "--all"]) == 1


def test_a_range_of_commits(
    hooked: Repository, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.replace("app.py", CHECK, "")
    hooked.commit("a failure")
    hooked.write("app.py", APP)
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "main")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "side")
    assert cli.run(["hook"]) == 1
    assert "failures that main does not have" in capsys.readouterr().err
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "side")
    assert cli.run(["hook"]) == 0
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "gone")
    assert cli.run(["hook"]) == 2
    assert "there is no commit 'gone'" in capsys.readouterr().err


def test_changed_since(hooked: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    hooked.shop("old/", checked=False)
    hooked.commit("a failure that main has")
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.write("other.py", "x = 1\n")
    hooked.commit("no harm")
    hooked.git("checkout", "--quiet", "main")
    hooked.git("rm", "--quiet", "-r", "old")
    hooked.commit("main is mended")
    hooked.git("checkout", "--quiet", "side")
    assert cli.run(["audit", "--changed-since", "main"]) == 0
    out = capsys.readouterr().out
    assert "? C06" in out
    assert "1 failure is suppressed: it was there before, in main" in " ".join(out.split())
    hooked.replace("app.py", CHECK, "")
    assert cli.run(["audit", "--changed-since", "main"]) == 1
    assert cli.run(["audit", "--changed-since", "--output=x"]) == 2
    assert cli.run(["audit", "--changed-since", "main", "--staged"]) == 2


def test_staged(hooked: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    hooked.replace("app.py", CHECK, "# one line\n\n")
    hooked.git("add", "app.py")
    hooked.write("app.py", "nothing of this is staged\n" * 50)
    assert cli.run(["audit", "--staged", "-f", "html"]) == 1
    assert "def callback" in capsys.readouterr().out


def test_outside_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "app.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    assert cli.run(["hook"]) == 2
    assert "not a git repository" in capsys.readouterr().err
