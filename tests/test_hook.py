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


def test_a_deleted_file_that_held_the_check(hooked: Repository) -> None:
    """Nobody can tell what its import means any more; before it was a proof."""
    hooked.git("rm", "--quiet", "state.py")
    said = " ".join(blocked(hooked).split())
    assert "✗ C05" in said
    assert (
        "✗ C06 state is validated before the code is used app.py:18 this was proven before, and state.py, which is still imported in app.py, is deleted"
        in said
    )
    hooked.git("commit", "--quiet", "--no-verify", "-m", "somebody did it all the same")
    hooked.write("app.py", APP + "# no harm\n")
    passed(hooked, "-a")


EXPRESS = """\
const express = require('express');
const axios = require('axios');
const { fresh, isOurs } = require('./state');
const app = express();
app.get('/connect', (req, res) => {
  res.redirect('https://connect.example.com/authorize?response_type=code&client_id=shop&state=' + fresh(req));
});

app.get('/callback', async (req, res) => {
  if (!isOurs(req)) return res.status(400).end();
  const answer = await axios.post('https://connect.example.com/token', {
    grant_type: 'authorization_code', code: req.query.code, client_secret: process.env.SECRET,
  });
  res.send(answer.status === 200 ? 'connected' : 'failed');
});
"""
IS_OURS = """\
exports.isOurs = (req) => {
  const expected = req.session.state;
  delete req.session.state;
  return Boolean(expected) && req.query.state === expected;
};
exports.fresh = (req) => {
  req.session.state = require('crypto').randomUUID();
  return req.session.state;
};
"""


def test_a_deleted_module_that_held_the_check(shop: Repository) -> None:
    shop.write("server.js", EXPRESS)
    shop.write("state.js", IS_OURS)
    shop.commit()
    shop.install_hook()
    shop.git("rm", "--quiet", "state.js")
    said = " ".join(blocked(shop).split())
    assert "server.js:6 this was proven before, and state.js, which is still imported in server.js, is deleted" in said
    # elsewhere it is found again
    shop.write("state/index.js", IS_OURS)
    shop.git("add", "--all")
    passed(shop)


def test_a_deleted_file_that_is_made_by_something_else(hooked: Repository) -> None:
    hooked.write(".gitignore", "/state.py\n")
    hooked.git("add", ".gitignore")
    hooked.git("rm", "--quiet", "--cached", "state.py")
    passed(hooked)


def test_a_deleted_file_that_nothing_imports(hooked: Repository) -> None:
    hooked.write("other.py", "x = 1\n")
    hooked.commit("another")
    hooked.git("rm", "--quiet", "other.py")
    passed(hooked)


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


# ---- what else is read comes from the tree that is judged


def test_the_configuration_is_the_staged_one(hooked: Repository) -> None:
    hooked.replace("app.py", CHECK, "")
    hooked.git("add", "app.py")
    hooked.write("connect-auditor.toml", 'exclude = ["app.py"]\n')
    blocked(hooked)
    hooked.write("connect-auditor.toml", "broken")
    blocked(hooked)
    hooked.write("connect-auditor.toml", 'exclude = ["app.py"]\n')
    hooked.git("add", "connect-auditor.toml")
    (hooked.root / "connect-auditor.toml").unlink()
    passed(hooked)


def test_a_table_of_a_staged_pyproject_below_the_root(hooked: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    hooked.shop("api/", checked=False)
    hooked.write("api/pyproject.toml", '[tool.connect-auditor]\nfail-on = "never"\n')
    hooked.git("add", "--all")
    hooked.write("api/pyproject.toml", "")
    assert cli.run(["hook", "api"]) == 0
    hooked.git("add", "--all")
    assert cli.run(["hook", "api"]) == 1


def test_models_of_the_repositorys_own_are_the_staged_ones(
    hooked: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    hooked.write("connect-auditor.toml", 'libraries = ["audit"]\n')
    hooked.write("audit/shopkit.yaml", "library: shopkit\nlanguage: python\nnames: {shopkit.answer: {is: input}}\n")
    hooked.write("audit/readme.md", "no model\n")
    hooked.git("add", "--all")
    hooked.write("audit/shopkit.yaml", "broken: [\n")
    hooked.write("audit/more.yaml", "broken: [\n")
    assert cli.run(["hook"]) == 0
    hooked.git("add", "audit/more.yaml")
    assert cli.run(["hook"]) == 2
    assert "audit/more.yaml" in capsys.readouterr().err
    hooked.git("rm", "--quiet", "-r", "--force", "--cached", "audit")
    assert cli.run(["hook"]) == 2
    assert "libraries: there is no file or folder audit" in capsys.readouterr().err


def test_a_range_of_commits_is_judged_by_its_own_configuration(
    hooked: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked.git("checkout", "--quiet", "-b", "side")
    hooked.replace("app.py", CHECK, "")
    hooked.commit("a failure")
    hooked.write("connect-auditor.toml", 'fail-on = "never"\n')
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", "main")
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "side")
    assert cli.run(["hook"]) == 1
    hooked.commit("a decision")
    (hooked.root / "connect-auditor.toml").unlink()
    assert cli.run(["hook"]) == 0


@pytest.mark.parametrize(
    ("link", "code"), [("decisions/real.toml", 0), ("../outside.toml", 1), ("connect-auditor.toml", 2)]
)
def test_a_staged_configuration_that_is_a_link(hooked: Repository, link: str, code: int) -> None:
    """It is followed inside of the repository; one that leads out is none, as in the working directory."""
    (hooked.root / "../outside.toml").write_text('fail-on = "never"\n')
    hooked.write("decisions/real.toml", 'fail-on = "never"\n')
    (hooked.root / "connect-auditor.toml").symlink_to(link)
    hooked.replace("app.py", CHECK, "")
    hooked.git("add", "--all")
    assert cli.run(["hook"]) == code


def test_an_application_that_is_staged_as_gone_hides_no_other(
    shop: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.shop("api/")
    shop.shop("web/")
    shop.write("connect-auditor.toml", 'applications = [{path = "web"}, {path = "api"}]\n')
    shop.commit()
    shop.replace("api/app.py", CHECK, "")
    shop.git("add", "--all")
    shop.git("rm", "--quiet", "-r", "--cached", "web")
    assert cli.run(["hook"]) == 2
    assert "applications: there is no folder web" in capsys.readouterr().err
    shop.write("connect-auditor.toml", 'applications = [{path = "api"}]\n')
    shop.git("add", "connect-auditor.toml")
    assert cli.run(["hook"]) == 1
    shop.git("add", "--all")
    shop.write("connect-auditor.toml", 'exclude = ["web/"]\napplications = [{path = "web"}, {path = "api"}]\n')
    shop.git("add", "--all")
    assert cli.run(["hook"]) == 2
    assert "all of them are excluded" in capsys.readouterr().err


def test_an_application_that_is_only_staged(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """As in a sparse checkout, where its folder is not there."""
    shop.shop("api/", checked=False)
    shop.write("connect-auditor.toml", 'applications = [{path = "api"}]\n')
    shop.git("add", "--all")
    for name in ("app.py", "state.py"):
        (shop.root / "api" / name).unlink()
    (shop.root / "api").rmdir()
    assert cli.run(["hook"]) == 1
    assert "api/app.py:18" in capsys.readouterr().out


# ---- other states of a repository


def test_a_sparse_checkout(hooked: Repository) -> None:
    hooked.shop("old/")
    hooked.commit("another")
    hooked.git("sparse-checkout", "set", "--no-cone", "/old/")
    assert not (hooked.root / "app.py").exists()
    hooked.replace("old/app.py", CHECK, "")
    said = blocked(hooked, "-a")
    assert "4 files read" in said
    assert "old/app.py:18" in said


def test_a_submodule(hooked: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.root.mkdir()
    other.git("init", "--quiet")
    other.shop(checked=False)
    other.commit()
    hooked.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.root), "lib")
    assert "3 files read, 2 analysed" in passed(hooked), ".gitmodules, and nothing of the other"
    hooked.replace("app.py", CHECK, "")
    blocked(hooked, "-a")


def test_a_file_that_is_only_intended_to_be_added(hooked: Repository) -> None:
    hooked.shop("new/", checked=False)
    hooked.git("add", "--intent-to-add", "new")
    hooked.write("other.py", "x = 1\n")
    hooked.git("add", "other.py")
    passed(hooked)
    assert "new/app.py" in blocked(hooked, "-a")


def test_a_detached_head(hooked: Repository) -> None:
    hooked.git("checkout", "--quiet", "--detach")
    hooked.replace("app.py", CHECK, "")
    blocked(hooked, "-a")


def test_a_shallow_clone(
    hooked: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = hooked.git("rev-parse", "HEAD").stdout.strip()
    hooked.write("other.py", "x = 1\n")
    hooked.commit("go on")
    hooked.git("clone", "--quiet", "--depth", "1", f"file://{hooked.root}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    assert cli.run(["audit", "--changed-since", base]) == 2
    assert f"there is no commit '{base}' in this repository (a shallow clone" in capsys.readouterr().err
    assert cli.run(["audit", "--changed-since", "HEAD~1"]) == 2
    assert "shallow" in capsys.readouterr().err
    Repository(tmp_path / "shallow").replace("app.py", CHECK, "")
    assert cli.run(["audit", "--changed-since", "HEAD"]) == 1
